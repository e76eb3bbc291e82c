"""Changes of the consents: an element dropped, a party, a purpose, a time, a version or a signature changed."""

import copy
import re

from tests.oracle.reading import ACT_CODE, OWN, SECURITY_LABEL, Json
from tests.oracle.scene import ICD, LOCAL, Scene, ours
from tests.support.part2_world import a_class, purpose, recipient

_LABELS = ("SUD", "ETH", "OPIOIDUD", "HIV", "42CFRPart2")
_OF_ACT_REASON = ("TREAT", "ETREAT", "COC", "HPAYMT", "HOPERAT", "PATRQT", "HLEGAL", "HRESCH")
_PURPOSES = (*_OF_ACT_REASON, "own:monitoring", "own:tenancy")

_CAPACITIES = ("parental", "guardian", "guardian", "personal-representative", "director-determination", "none")
_STUDY = "end-of-research-study"


def _taken_back(s: Scene) -> Json:
    parts: list[Json] = [{"url": "when", "valueDateTime": s.instant()}]
    parts.append({"url": "method", "valueCode": s.pick.choice(["written", "electronic", "oral"])})
    if s.pick.random() < 0.4:
        parts.append({"url": "recipient", "valueReference": s.recipient_reference()})
    return ours("revocation", extension=parts)


def _nodes(paper: Json) -> list[Json]:
    found, queue = [], [paper.get("provision", {})]
    while queue:
        node = queue.pop()
        found.append(node)
        queue += node.get("provision", [])
    return found


def without_an_element(s: Scene) -> None:
    """One element of a consent left out."""
    paper = s.consent()
    if paper is None:
        return
    kind = s.pick.choice(["root", "node", "extension", "extension", "period"])
    node = s.pick.choice(_nodes(paper))
    if kind == "root":
        left_out = ["dateTime", "organization", "performer", "sourceReference", "verification", "patient"]
        paper.pop(s.pick.choice(left_out), None)
    elif kind == "node":
        node.pop(s.pick.choice(["actor", "purpose", "securityLabel", "class", "provision"]), None)
    elif kind == "extension" and paper.get("extension"):
        paper["extension"].pop(s.pick.randrange(len(paper["extension"])))
    elif kind == "period" and "period" in node:
        node["period"].pop(s.pick.choice(["start", "end"]), None)


def in_another_status(s: Scene) -> None:
    """A consent in another status."""
    if paper := s.consent():
        paper["status"] = s.pick.choice(["draft", "inactive", "entered-in-error", "rejected", "proposed"])


def of_another_discloser(s: Scene) -> None:
    """Another discloser, or one more."""
    if paper := s.consent():
        paper["organization"] = [*s.pick.choice([[], paper.get("organization", [])]), s.party()[1]]


def for_another_recipient(s: Scene) -> None:
    """Another recipient in a provision, one more, a class, a group of words."""
    paper = s.consent()
    if paper is None:
        return
    node = s.pick.choice(_nodes(paper))
    group, actor = a_class(s.pick.choice(["tpo", "tpo", "treating-participants", "all-participants", "nothing"]))
    if group["id"] == "nothing":
        group["code"] = {"text": "everybody"}
    chosen = s.pick.choice(["name", "name", "more", "class", "person"])
    named = {**recipient("x"), "reference": s.recipient_reference()}
    if chosen == "class":
        paper["contained"] = [*paper.get("contained", []), group]
        node["actor"] = [actor]
    elif chosen == "person":
        who = {
            "type": "Practitioner",
            "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999900217"},
        }
        node["actor"] = [{**named, "reference": who}]
    else:
        node["actor"] = [*(node.get("actor", []) if chosen == "more" else []), named]


def for_other_purposes(s: Scene) -> None:
    """Other purposes in a provision."""
    paper = s.consent()
    if paper is None:
        return
    node = s.pick.choice(_nodes(paper))
    codes = s.pick.sample(
        ["TREAT", "ETREAT", "HPAYMT", "HOPERAT", "PATRQT", "HLEGAL", "COC", "HRESCH", "own:monitoring", "own:tenancy"],
        s.pick.choice([1, 1, 2]),
    )
    node["purpose"] = [*(node.get("purpose", []) if s.pick.random() < 0.3 else []), *map(purpose, codes)]


def of_notes_too(s: Scene) -> None:
    """A provision that names counseling notes beside what it names."""
    if paper := s.consent():
        node = s.pick.choice(_nodes(paper))
        node["securityLabel"] = [*node.get("securityLabel", []), {"system": SECURITY_LABEL, "code": "SUDNOTES"}]


def of_another_kind(s: Scene) -> None:
    """Another kind of consent."""
    if paper := s.consent():
        kinds = [
            "sud-counseling-notes",
            "proceedings",
            "criminal-justice-referral",
            "central-registry",
            "hipaa-authorization",
        ]
        paper["category"] = [
            {"coding": [{"system": OWN + "CodeSystem/consent-category", "code": s.pick.choice(kinds)}]}
        ]


def with_another_provision(s: Scene) -> None:
    """A permit or a refusal inside a provision."""
    paper = s.consent()
    if paper is None:
        return
    inner: Json = {"type": s.pick.choice(["deny", "deny", "permit"])}
    if s.pick.random() < 0.4:
        inner["actor"] = [{**recipient("x"), "reference": s.recipient_reference()}]
    if s.pick.random() < 0.4:
        inner["purpose"] = [purpose(s.pick.choice(["TREAT", "ETREAT", "HPAYMT", "PATRQT", "COC"]))]
    if s.pick.random() < 0.4:
        label = s.pick.choice([(ACT_CODE, one) for one in _LABELS] + [(SECURITY_LABEL, "SUDNOTES")])
        inner["securityLabel"] = [{"system": label[0], "code": label[1]}]
    if s.pick.random() < 0.3:
        kinds = s.pick.sample(["Condition", "MedicationRequest", "Immunization", "Claim"], 2)
        inner["class"] = [{"system": "http://hl7.org/fhir/resource-types", "code": one} for one in kinds]
    if s.pick.random() < 0.15:
        inner["code"] = [{"coding": [{"system": ICD, "code": s.pick.choice(["F11.20", "J10.1"])}]}]
    if s.pick.random() < 0.15:
        item = s.item()
        inner["data"] = [{"meaning": "instance", "reference": {"reference": f"{item['resourceType']}/{item['id']}"}}]
    if s.pick.random() < 0.15:
        inner["period"] = {s.pick.choice(["start", "end"]): s.instant()}
    if s.pick.random() < 0.1:
        inner["dataPeriod"] = {s.pick.choice(["start", "end"]): s.pick.choice(["2025", "2026-06", "2026-10-03"])}
    s.pick.choice(_nodes(paper)).setdefault("provision", []).append(inner)


def of_another_period(s: Scene) -> None:
    """Another beginning or end."""
    if paper := s.consent():
        period = paper.setdefault("provision", {}).setdefault("period", {})
        period[s.pick.choice(["start", "end", "end"])] = s.instant()


def signed_another_day(s: Scene) -> None:
    """Signed at another time."""
    if paper := s.consent():
        paper["dateTime"] = s.instant()


def ending_otherwise(s: Scene) -> None:
    """An end in words."""
    if paper := s.consent():
        paper["extension"] = [one for one in paper.get("extension", []) if not one["url"].endswith("part2-expiry")]
        paper["extension"].append(
            ours("expiry", valueCode=s.pick.choice(["none", "end-of-treatment", "end-of-treatment", _STUDY]))
        )
        if s.pick.random() < 0.7:
            paper.get("provision", {}).pop("period", None)


def taken_back(s: Scene) -> None:
    """Revoked, whole or for one, in writing or not, before or after."""
    if paper := s.consent():
        paper.setdefault("extension", []).append(_taken_back(s))
        if s.pick.random() < 0.3:
            paper["status"] = "inactive"


def in_a_later_version(s: Scene) -> None:
    """A later version of the same paper, ended or revoked or just the same."""
    paper = s.consent()
    if paper is None:
        return
    newer = copy.deepcopy(paper)
    stamp = s.pick.choice(
        ["2026-10-01T16:00:00Z", "2026-11-02T18:00:00Z", "2026-11-02T18:00:01Z", "2026-12-01T00:00:00Z"]
    )
    newer["meta"] = {
        **newer.get("meta", {}),
        "versionId": str(int(newer["meta"].get("versionId", "1")) + 1),
        "lastUpdated": stamp,
    }
    if s.pick.random() < 0.1:
        newer["meta"].pop(s.pick.choice(["versionId", "lastUpdated"]))
    elif s.pick.random() < 0.1:
        newer["meta"]["lastUpdated"] = LOCAL
    change = s.pick.choice(["revoked", "status", "same", "unreadable"])
    if change == "revoked":
        newer.setdefault("extension", []).append(_taken_back(s))
    elif change == "status":
        newer["status"] = s.pick.choice(["inactive", "entered-in-error", "active"])
    elif change == "unreadable":
        newer["modifierExtension"] = [{"url": "https://elsewhere.example/only-if", "valueBoolean": True}]
    s.add("consents", newer)


def with_another_paper(s: Scene) -> None:
    """One more consent from the drawer, sometimes in place of another."""
    other = copy.deepcopy(s.pick.choice(s.spare))
    held = s.consent()
    patient = s.patient
    mine = {"type": "Patient", "identifier": (patient.get("identifier") or [{"system": "urn:x", "value": "x"}])[0]}
    other["patient"] = mine
    other["performer"] = [mine]
    other["id"] = f"{other['id']}-{len(s.resources('consents'))}"
    if held and s.pick.random() < 0.3:
        link = {"reference": f"Consent/{held['id']}"}
        other.setdefault("extension", []).append(ours("supersedes", valueReference=link))
    s.add("consents", other)


def with_a_refusal(s: Scene) -> None:
    """A paper that refuses and permits nothing."""
    refusal: Json = {"type": "deny"}
    if s.pick.random() < 0.7:
        refusal["actor"] = [{**recipient("x"), "reference": s.recipient_reference()}]
    if s.pick.random() < 0.3:
        refusal["purpose"] = [purpose(s.pick.choice(["TREAT", "ETREAT", "HPAYMT", "PATRQT"]))]
    if s.pick.random() < 0.3:
        refusal["securityLabel"] = [{"system": ACT_CODE, "code": s.pick.choice(_LABELS)}]
    if s.pick.random() < 0.3:
        refusal["period"] = {s.pick.choice(["start", "end"]): s.instant()}
    patient = {"type": "Patient", "identifier": (s.patient.get("identifier") or [{"system": "urn:x", "value": "x"}])[0]}
    paper = {
        "resourceType": "Consent",
        "id": f"no-{len(s.resources('consents'))}",
        "meta": {"versionId": "1", "lastUpdated": "2026-06-01T00:00:00Z"},
        "status": s.pick.choice(["active"] * 4 + ["draft", "inactive"]),
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [{"system": ACT_CODE, "code": "42CFRPart2CD"}]}],
        "patient": patient,
        "dateTime": "2026-06-01T00:00:00Z",
        "provision": refusal,
    }
    s.add("consents", paper)


def of_somebody_else(s: Scene) -> None:
    """A paper of another person."""
    if paper := s.consent():
        paper["patient"] = {"type": "Patient", "identifier": {"system": "urn:oid:2.999.9", "value": "Z"}}


def signed_by_another(s: Scene) -> None:
    """A parent or guardian signs, alone or too, with or without papers."""
    paper = s.consent()
    if paper is None:
        return
    basis = s.pick.choice(
        ["parental", "parental", "guardian", "guardian", "personal-representative", "director-determination", "none"]
    )
    parts: list[Json] = [{"url": "basis", "valueCode": basis}]
    if s.pick.random() < 0.7:
        parts.append({"url": "document", "valueReference": {"reference": "DocumentReference/letters"}})
    if s.pick.random() < 0.7:
        period = s.pick.choice(
            [{"start": "2026-01-01"}, {"end": "2026-08-31"}, {"start": "2026-01-01", "end": "2026-09-30"}]
        )
        parts.append({"url": "period", "valuePeriod": period})
    signer: Json = {"reference": "RelatedPerson/somebody"}
    if basis != "none":
        signer["extension"] = [ours("authority", extension=parts)]
    paper["performer"] = [*s.pick.choice([[], paper.get("performer", [])]), signer]
    related = {
        "resourceType": "RelatedPerson",
        "id": "somebody",
        "patient": {"reference": f"Patient/{s.patient['id']}"},
    }
    s.add("consents", related)
    s.add("consents", {"resourceType": "DocumentReference", "id": "letters", "status": "current"})


def of_a_minor(s: Scene) -> None:
    """Of somebody who was about thirteen or eighteen when it was signed, alone or with another."""
    paper = s.consent()
    if paper is None or not re.match(r"\d{4}-\d\d-\d\d", paper.get("dateTime", "")):
        return
    year, rest = paper["dateTime"][:4], paper["dateTime"][4:10]
    ages = s.pick.choice([[13, 18], [14, 16], [10, 15, 17, 18]])
    s.patient["birthDate"] = f"{int(year) - s.pick.choice(ages)}{s.pick.choice([rest, rest, '-01-01', '-12-31'])}"
    if s.pick.random() < 0.6:
        signed_by_another(s)
    if s.pick.random() < 0.5:
        rule = s.pick.choice(["parental", 13, 14, 16])
        s.case["switches"] = {**(s.case.get("switches") or {}), "minor_consent": rule}


def unreadable(s: Scene) -> None:
    """A modifier nobody knows, or an instant without a zone."""
    if paper := s.consent():
        if s.pick.random() < 0.5:
            node = s.pick.choice([paper, *_nodes(paper)])
            node["modifierExtension"] = [{"url": "https://elsewhere.example/only-if", "valueBoolean": True}]
        else:
            paper.setdefault("provision", {}).setdefault("period", {})["end"] = LOCAL


def of_another_system(s: Scene) -> None:
    """From another system, verified or not, lately or not."""
    if paper := s.consent():
        paper["meta"] = {**paper.get("meta", {}), "source": "https://exchange.example/fhir"}
        when = s.pick.choice(["2026-11-02T17:00:00Z", "2026-11-02T17:00:00Z", "2026-10-01T00:00:00Z"])
        paper["verification"] = [{"verified": s.pick.choice([True, True, False]), "verificationDate": when}]
        if s.pick.random() < 0.3:
            paper["meta"]["lastUpdated"] = "2026-11-02T12:00:00Z"
        if s.pick.random() < 0.3:
            del paper["verification"]
            store = s.pick.choice(
                ["https://exchange.example/fhir", "https://exchange.example", "https://other.example"]
            )
            since = s.pick.choice(["2026-01-01", "2026-11-02", "2026-11-03"])
            trusted = {"verified_sources": [{"address": store, "verified": since}]} if s.pick.random() < 0.6 else {}
            s.case["switches"] = {**(s.case.get("switches") or {}), **trusted}


def on_an_old_form(s: Scene) -> None:
    """A form of another edition."""
    if paper := s.consent():
        paper["extension"] = [one for one in paper.get("extension", []) if not one["url"].endswith("form-edition")]
        paper["extension"].append(
            ours("form-edition", valueDate=s.pick.choice(["2020-08-14", "2024-04-15", "2024-04-16"]))
        )


def revocable_later(s: Scene) -> None:
    """A time from which a paper may be revoked, a condition it stands for."""
    if paper := s.consent():
        since = ours("revocable-from", valueDateTime=s.instant())
        condition = ours("condition-of", valueCode=s.pick.choice(["parole", "pre-arrest", "release"]))
        paper.setdefault("extension", []).append(s.pick.choice([since, condition]))
