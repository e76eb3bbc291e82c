"""Write a disclosure as a referral message: REF^I12 (new), I13 (changed), I14 (cancelled), HL7 v2.5.1 ch. 11.

No official v2-to-FHIR map covers REF; ours is in `docs/hl7v2.md`. What the message cannot hold as fields goes into its
notes and into the printable copy, never away.
"""

import base64
from collections.abc import Iterable
from datetime import datetime

from gateway.formats.hl7v2.build import Component, Field, Formatted, MessageWriter, Repetition
from gateway.formats.hl7v2.charsets import CODECS
from gateway.formats.hl7v2.coded import LOCAL_NOTES, assigner, coded, identifier_kind
from gateway.formats.hl7v2.labels import LABELS_NOTE, labels_text
from gateway.formats.hl7v2.person import address, person_fields, relative_fields, telecom
from gateway.formats.hl7v2.times import dtm, fhir_date_time
from gateway.formats.referral_content import Party, ReferralContent, plan_of, referral_content, text_of
from gateway.formats.referral_pdf import referral_pdf
from gateway.model.errors import WillNeverWork
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header

EVENTS = ("I12", "I13", "I14")
"""New, changed, cancelled; the structure of all three is REF_I12."""

_STATUS = {
    "requested": ("P", "Pending"),
    "accepted": ("A", "Accepted"),
    "in-progress": ("A", "Accepted"),
    "on-hold": ("A", "Accepted"),
    "completed": ("A", "Accepted"),
    "rejected": ("R", "Rejected"),
    "failed": ("E", "Expired"),
}
_PRIORITY = {"routine": ("R", "Routine"), "urgent": ("A", "ASAP"), "asap": ("A", "ASAP"), "stat": ("S", "STAT")}
_SOCIAL = frozenset(("housing", "shelter", "case-management", "peer-support"))
"""Services of our own code system that are no kind of HL7 table 0281, which is medical and user-defined."""

_CLASS = {"EMER": "E", "IMP": "I", "AMB": "O", "PRENC": "P"}
"""v3 ActCode to HL7 table 0004; a contact in the field (FLD) is no hospital visit: N, not applicable."""


def write_referral(bundle: Resource, notice: str, header: Hl7Header, *, referral: str = "") -> bytes:
    """Write the referral with this placer identifier (the first one by default) from a disclosure's Bundle.

    `notice` (42 CFR 2.32; where it is "", the statement that the Bundle carries) is the last note and ends the
    printable copy. Of the header, `trigger_event` is I12, I13 or I14 and `time` a DTM with offset; the version is
    2.5.1. The same arguments give the same bytes.

    Raises ValueError for another event or time, and WillNeverWork where the Bundle holds no referral with a Patient,
    or `header.charset` cannot hold its text.
    """
    if header.trigger_event not in EVENTS:
        raise ValueError(f"expected a header with one of the events {', '.join(EVENTS)}")
    content = referral_content(bundle, referral)
    notice = notice or content.statement
    body = MessageWriter()
    _write_parties(body, content)
    body.add("PID", {1: "1", **person_fields(content.patient)})
    for number, relative in enumerate(content.relatives, 1):
        body.add("NK1", {1: str(number), **relative_fields(relative)})
    for number, condition in enumerate(content.conditions, 1):
        body.add("DG1", {1: str(number), **_diagnosis(condition)})
    body.add("PR1", {1: "1", 3: coded(content.request.get("code")), 5: dtm(_requested_for(content.request))})
    _write_groups(body, content, referral_pdf(content, notice, _instant(header)))
    _write_visit(body, content, header)
    _write_notes(body, content, labels_text(entry["resource"] for entry in bundle.get("entry", ())), notice)
    return _with_header(body, header)


def _with_header(body: MessageWriter, header: Hl7Header) -> bytes:
    charset = header.charset or ("" if body.is_ascii else "UNICODE UTF-8")
    message = MessageWriter()
    message.add(
        "MSH",
        {
            3: header.sending_application,
            4: header.sending_facility,
            5: header.receiving_application,
            6: header.receiving_facility,
            7: header.time,
            8: header.security,
            9: ("REF", header.trigger_event, "REF_I12"),
            10: header.control_id,
            11: header.processing_id,
            12: "2.5.1",
            15: header.accept_acknowledgment,
            16: header.application_acknowledgment,
            18: charset,
        },
    )
    message.extend(body)
    codec = CODECS.get(charset.upper(), "ascii") if charset else "ascii"
    try:
        return message.to_bytes(codec)
    except UnicodeEncodeError as error:
        raise WillNeverWork(f"the text does not fit the partner's character set {charset or 'ASCII'}") from error


def _instant(header: Hl7Header) -> datetime:
    text = fhir_date_time(header.time) or ""
    if "T" not in text:
        raise ValueError("expected MSH-7 as a time with offset")
    return datetime.fromisoformat(text)


def _write_parties(body: MessageWriter, content: ReferralContent) -> None:
    request, task = content.request, content.task
    status = _STATUS.get(str(task.get("status", "requested")))
    due = ((task.get("restriction") or {}).get("period") or {}).get("end")
    due = due or (request.get("occurrencePeriod") or {}).get("end", "")
    body.add(
        "RF1",
        {
            1: (*status, "HL70283") if status else "",
            2: (*_PRIORITY.get(str(request.get("priority")), _PRIORITY["routine"]), "HL70280"),
            3: _referral_type(request),
            6: (content.identifier, *assigner("https://warmhandoff.example/id/referral")),
            7: dtm(str(request.get("authoredOn", ""))),
            8: dtm(str(due)),
            9: dtm(str(task.get("lastModified", ""))),
            11: [(value, *assigner(system)) for system, value in _filler_identifiers(request)],
        },
    )
    for code, name, party in (
        ("RP", "Referring Provider", content.source),
        ("RT", "Referred to Provider", content.recipient),
    ):
        body.add("PRD", {1: _roles((code, name, "HL70286"), party), **_provider(party)})


def _roles(role: Repetition, party: Party) -> list[Repetition]:
    return [role, coded(party.role)] if party.role else [role]


def _provider(party: Party) -> dict[int, Field]:
    """Name an organization: 2.5.1 has no field for it, so it stands where receivers look, in the location.

    Whoever acts for it is a role without a name.
    """
    return {
        3: address(party.address) if party.address else "",
        4: ("", "", "", (party.name,), "", "", "", "", party.name) if party.name else "",
        5: [telecom(contact) for contact in party.telecom],
        7: [(value, identifier_kind(system)) for system, value in party.identifiers],
    }


def _referral_type(request: Resource) -> Repetition:
    code = request.get("code") or {}
    ours = [coding for coding in code.get("coding", ()) if str(coding.get("system", "")).endswith("/service")]
    if ours and ours[0].get("code") in _SOCIAL:
        return coded({"coding": ours[:1], "text": text_of(code)})
    if ours and ours[0].get("code") == "medical-care":
        return ("Med", "Medical", "HL70281")
    return ("Psy", "Psychiatric", "HL70281")


def _filler_identifiers(request: Resource) -> list[tuple[str, str]]:
    return [
        (str(identifier.get("system", "")), str(identifier["value"]))
        for identifier in request.get("identifier", ())
        if any(coding.get("code") == "FILL" for coding in (identifier.get("type") or {}).get("coding", ()))
    ]


def _requested_for(request: Resource) -> str:
    period = request.get("occurrencePeriod") or {}
    return str(request.get("occurrenceDateTime") or period.get("start") or request.get("authoredOn", ""))


def _diagnosis(condition: Resource) -> dict[int, Field]:
    """Write what a clinician stated; what nobody confirmed is a working diagnosis (HL7 table 0052)."""
    status = condition.get("verificationStatus") or {}
    confirmed = any(coding.get("code") == "confirmed" for coding in status.get("coding", ()))
    return {
        3: coded(condition.get("code")),
        4: text_of(condition.get("code")),
        5: dtm(str(condition.get("onsetDateTime", ""))),
        6: "F" if confirmed else "W",
    }


def _write_groups(body: MessageWriter, content: ReferralContent, pdf: bytes) -> None:
    """Write one OBR group for each observer, then safety, documents, and last the printable copy."""
    number = 0
    for observer, observations in content.observations:
        number += 1
        body.add("OBR", {1: str(number), 4: ("CONTACT", "Observations of the contact", "L"), **_when(observations)})
        for line, observation in enumerate(observations, 1):
            body.add("OBX", {1: str(line), **_observation(observation, observer)})
            _write_comments(body, observation)
    if content.flags:
        number += 1
        body.add("OBR", {1: str(number), 4: ("SAFETY", "Safety", "L")})
        for line, flag in enumerate(content.flags, 1):
            body.add("OBX", {1: str(line), 2: "CE", 3: coded(flag.get("code")), 5: _YES, 11: "F"})
    for document in content.documents:
        number += 1
        body.add("OBR", {1: str(number), 4: coded(document.get("type"))})
        for line, entry in enumerate(document.get("content", ()), 1):
            body.add("OBX", {1: str(line), 3: coded(document.get("type")), **_attachment(entry["attachment"]), 11: "F"})
    note = ("57133-1", "Referral note", "LN")
    body.add("OBR", {1: str(number + 1), 4: note})
    printable = ("", "application", "pdf", "Base64", base64.b64encode(pdf).decode("ascii"))
    body.add("OBX", {1: "1", 2: "ED", 3: note, 5: printable, 11: "F"})


_YES: Repetition = ("Y", "Yes", "HL70136")
_NO: Repetition = ("N", "No", "HL70136")
_RESULT = {"final": "F", "preliminary": "P", "amended": "C", "corrected": "C", "cancelled": "X"}


def _when(observations: Iterable[Resource]) -> dict[int, Field]:
    return {7: min((dtm(str(each.get("effectiveDateTime", ""))) for each in observations), default="")}


def _observation(observation: Resource, observer: Party) -> dict[int, Field]:
    data_type, value, unit = _value(observation)
    return {
        2: data_type,
        3: coded(observation.get("code")),
        5: value,
        6: unit,
        11: _RESULT.get(str(observation.get("status")), "F"),
        14: dtm(str(observation.get("effectiveDateTime", ""))),
        15: ("", observer.label) if observer.label else "",
    }


def _value(observation: Resource) -> tuple[str, Field, Field]:
    """Choose data type, value and unit of OBX-2, -5, -6; a missing value leaves both type and value out."""
    if "valueBoolean" in observation:
        return "CE", _YES if observation["valueBoolean"] else _NO, ""
    if "valueCodeableConcept" in observation:
        return "CE", coded(observation["valueCodeableConcept"]), ""
    if "valueQuantity" in observation:
        quantity = observation["valueQuantity"]
        return "NM", str(quantity.get("value", "")), str(quantity.get("unit") or quantity.get("code") or "")
    if "valueInteger" in observation:
        return "NM", str(observation["valueInteger"]), ""
    if "valueDateTime" in observation:
        return "TS", dtm(str(observation["valueDateTime"])), ""
    if "valueString" in observation:
        return "TX", Formatted(str(observation["valueString"])), ""
    return "", "", ""


def _write_comments(body: MessageWriter, resource: Resource) -> None:
    for number, note in enumerate(resource.get("note", ()), 1):
        body.add("NTE", {1: str(number), 2: "P", 3: Formatted(str(note.get("text", "")))})


def _attachment(attachment: Resource) -> dict[int, Field]:
    media_type = str(attachment.get("contentType", "application/octet-stream")).partition(";")[0]
    data = str(attachment.get("data", ""))
    if media_type == "text/plain" and data:
        return {2: "TX", 5: Formatted(base64.b64decode(data).decode("utf-8", "replace"))}
    kind, _, subtype = media_type.partition("/")
    return {2: "ED", 5: ("", kind, subtype, "Base64", data)}


def _write_visit(body: MessageWriter, content: ReferralContent, header: Hl7Header) -> None:
    encounter = content.encounter
    if not encounter:
        return
    period = encounter.get("period") or {}
    identifiers: list[Component] = [str(i["value"]) for i in encounter.get("identifier", ()) if "value" in i]
    body.add(
        "PV1",
        {
            1: "1",
            2: _CLASS.get(str((encounter.get("class") or {}).get("code")), "N"),
            19: (identifiers[0], "", "", assigner("https://warmhandoff.example/id/encounter"), "VN")
            if identifiers
            else "",
            44: dtm(str(period.get("start", ""))),
            45: dtm(str(period.get("end", ""))),
        },
    )
    if header.security in ("R", "V"):
        body.add("PV2", {22: "Y"})


def _write_notes(body: MessageWriter, content: ReferralContent, labels: str, notice: str) -> None:
    """Write the closing notes: reasons, remarks, goals; then labels, scope of consent, and the notice last of all."""
    notes = [("1R", "Primary Reason", "HL70364", text_of(reason)) for reason in content.request.get("reasonCode", ())]
    cancelled = text_of(content.task.get("statusReason"))
    notes += [("RE", "Remark", "HL70364", cancelled)]
    notes += [("RE", "Remark", "HL70364", str(note.get("text", ""))) for note in content.request.get("note", ())]
    notes += [("PLAN", "Plan", LOCAL_NOTES, plan_of(plan)) for plan in content.plans]
    notes += [("GOAL", "Goal", LOCAL_NOTES, text_of(goal.get("description"))) for goal in content.goals]
    notes += [(LABELS_NOTE, "Security labels", LOCAL_NOTES, labels)]
    notes += [("CONSENT", "Scope of consent", LOCAL_NOTES, content.consent_scope)]
    notes += [("NOTICE", "Redisclosure notice", LOCAL_NOTES, notice)]
    written = [note for note in notes if note[3]]
    for number, (code, name, system, text) in enumerate(written, 1):
        body.add("NTE", {1: str(number), 2: "P", 3: Formatted(text), 4: (code, name, system)})
