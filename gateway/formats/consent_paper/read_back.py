"""What a kept Consent says, in words beside its paper, for whoever compares the two (docs/consents.md).

The other direction of `resource`. Nothing is decided here: the engine reads the Consent by itself. What has no words is
shown by its code, so that nobody overlooks that it is there.
"""

import base64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.formats.consent_paper.resource import EXTENSION, KIND_CODES, PURPOSE_CODES, TYPES
from gateway.model.consent_form import EVERYTHING, STATEMENTS, ConsentForm, FormKind, Wording
from gateway.model.consent_life import SignedBy, TakenBack, WrittenDown
from gateway.model.disclosure_words import type_words
from gateway.model.handoff import Resource
from gateway.model.labels import COUNSELING_NOTES, PART2

_STATES = ("class", "securityLabel", "code", "data", "dataPeriod")
"""Elements of a provision that say which information it speaks of (FHIR R4 Consent.provision)."""


def written_down(consent: Resource, wording: Wording) -> WrittenDown:
    """Return what stands in a Consent, its information in the words of `wording`."""
    evidence = _evidence(consent)
    return WrittenDown(
        information=tuple(dict.fromkeys(_information(consent, wording.texts))),
        statements=tuple(name for name in STATEMENTS if _extension(consent, name).get("valueBoolean") is True),
        signatures=tuple(_signatures(consent, evidence)),
        about=next((str(one["text"]) for one in consent.get("category", ()) if "text" in one), ""),
        revocable_from=str(_extension(consent, "revocable-from").get("valueDateTime", "")),
        language=str(consent.get("language", "")),
        interpreter=_interpreter(evidence),
        edition=str(_extension(consent, "form-edition").get("valueDate", "")),
        replaces=tuple(_replaces(consent)),
        taken_back=tuple(_taken_back(consent)),
    )


def chosen_on(consent: Resource) -> ConsentForm:
    """Return what a form like this one begins with: its kind, language, information and purposes; nobody is named.

    Of what our form could not have said, nothing is taken over: it is chosen anew.
    """
    categories = {str(each.get("code")) for one in consent.get("category", ()) for each in one.get("coding", ())}
    permit: Resource = next((one for one in _provisions(consent) if one.get("type") == "permit"), {})
    purposes = {(one.get("system"), one.get("code")) for one in permit.get("purpose", ())}
    types = {str(one.get("code", "")) for one in permit.get("class", ())}
    kind: FormKind = next((kind for kind, code in KIND_CODES.items() if code in categories), "disclosure")
    kinds = tuple(each for each, of_kind in TYPES.items() if types.issuperset(of_kind))
    return ConsentForm(
        patient_id=str(consent.get("patient", {}).get("reference", "")).removeprefix("Patient/"),
        kind=kind,
        language="es" if consent.get("language") == "es" else "en",
        information=() if kind == "counseling-notes" else kinds if types else (EVERYTHING,),
        purposes=tuple(name for name, code in PURPOSE_CODES.items() if code in purposes),
    )


def _provisions(consent: Resource) -> Iterator[Resource]:
    """Yield every provision, outermost first."""
    outermost = consent.get("provision", {})
    waiting = [outermost] if isinstance(outermost, dict) else list(outermost)  # R5 writes a list
    while waiting:
        provision = waiting.pop(0)
        waiting[:0] = provision.get("provision", ())
        yield provision


def _information(consent: Resource, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield what each provision speaks of, outermost first; what is excepted after "not"."""
    for provision in _provisions(consent):
        if any(name in provision for name in _STATES):
            excepted = "not: " if provision.get("type") == "deny" else ""
            yield from (excepted + one for one in _stated(provision, texts))


def _stated(provision: Resource, texts: Mapping[str, str]) -> Iterator[str]:
    types = {str(one.get("code", "")) for one in provision.get("class", ())}
    labels = {(str(one.get("system", "")), str(one.get("code", ""))) for one in provision.get("securityLabel", ())}
    if COUNSELING_NOTES in labels:
        yield texts["information.counseling-notes"]
    if PART2 in labels and not types:
        yield texts[f"information.{EVERYTHING}"]
    yield from (code for _, code in sorted(labels - {PART2, COUNSELING_NOTES}))
    kinds = [kind for kind, of_kind in TYPES.items() if types.issuperset(of_kind)]
    yield from (texts[f"information.{kind}"] for kind in kinds)
    told = {"Patient", *(one for kind in kinds for one in TYPES[kind])}
    yield from (type_words(one) for one in sorted(types - told))
    yield from (_words_of(one) for one in provision.get("code", ()))
    yield from (f"{one.get('meaning', 'instance')} {_target(one)}".strip() for one in provision.get("data", ()))
    if period := provision.get("dataPeriod"):
        yield f"made from {period.get('start', 'the beginning')} to {period.get('end', 'the end')}"


def _words_of(concept: Resource) -> str:
    coding: Resource = next(iter(concept.get("coding", ())), {})
    return str(concept.get("text") or coding.get("display") or coding.get("code", ""))


def _target(data: Resource) -> str:
    return str(data.get("reference", {}).get("reference", ""))


def _evidence(consent: Resource) -> Mapping[str, Any]:
    """Return the evidence of the signatures; nothing where it is not as `resource` writes it: it may be anybody's."""
    try:
        told = orjson.loads(base64.b64decode(_extension(consent, "signature")["valueSignature"]["data"]))
    except (KeyError, TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _signatures(consent: Resource, evidence: Mapping[str, Any]) -> Iterator[SignedBy]:
    """Yield who signed: from the evidence, and where there is none, from the performers."""
    performers = list(consent.get("performer", ()))
    given = evidence.get("signatures")
    signed = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    for number, one in enumerate(signed):
        document = _document(performers[number]) if number < len(performers) else ""
        name, capacity, method = (str(one.get(part) or "") for part in ("name", "capacity", "method"))
        yield SignedBy(name, capacity, method, _instant(one.get("at")), document)
    if not signed:
        yield from (SignedBy(_name(consent, one), _basis(one), document=_document(one)) for one in performers)


def _instant(stated: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(stated))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _name(consent: Resource, performer: Resource) -> str:
    reference = str(performer.get("reference", ""))
    inside: Resource = next((one for one in consent.get("contained", ()) if f"#{one.get('id')}" == reference), {})
    name: Resource = next(iter(inside.get("name", ())), {})
    return str(name.get("text") or performer.get("display", ""))


def _authority(performer: Resource, part: str) -> Resource:
    for one in performer.get("extension", ()):
        if one.get("url") == EXTENSION + "authority":
            return next((each for each in one.get("extension", ()) if each.get("url") == part), {})
    return {}


def _basis(performer: Resource) -> str:
    return str(_authority(performer, "basis").get("valueCode", "patient"))


def _document(performer: Resource) -> str:
    return str(_authority(performer, "document").get("valueReference", {}).get("display", ""))


def _interpreter(evidence: Mapping[str, Any]) -> str:
    told = evidence.get("interpreter")
    parts = (told.get("name"), told.get("language")) if isinstance(told, dict) else ()
    return ", ".join(str(one) for one in parts if one)


def _replaces(consent: Resource) -> Iterator[str]:
    for one in consent.get("extension", ()):
        if one.get("url") == EXTENSION + "supersedes":
            yield str(one.get("valueReference", {}).get("reference", "")).removeprefix("Consent/")


def _taken_back(consent: Resource) -> Iterator[TakenBack]:
    for one in consent.get("extension", ()):
        if one.get("url") != EXTENSION + "revocation":
            continue
        parts = {str(part.get("url")): part for part in one.get("extension", ())}
        named = [part["valueReference"] for part in one.get("extension", ()) if part.get("url") == "recipient"]
        recipients = tuple(str(each.get("display") or each.get("identifier", {}).get("value", "")) for each in named)
        when, method = parts.get("when", {}).get("valueDateTime"), parts.get("method", {}).get("valueCode", "")
        yield TakenBack(_instant(when), str(method), recipients)


def _extension(consent: Resource, name: str) -> Resource:
    return next((one for one in consent.get("extension", ()) if one.get("url") == EXTENSION + name), {})
