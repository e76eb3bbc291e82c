"""Segments that every kind of referral message shares, whatever its structure: PV1, OBX, NTE, the printable copy."""

import base64
from collections.abc import Iterable
from datetime import datetime

from gateway.formats.hl7v2.build import Component, Field, Formatted, MessageWriter, Repetition
from gateway.formats.hl7v2.charsets import CODECS
from gateway.formats.hl7v2.coded import LOCAL_NOTES, assigner, coded
from gateway.formats.hl7v2.labels import LABELS_NOTE, labels_text
from gateway.formats.hl7v2.times import dtm, fhir_date_time
from gateway.formats.referral_content import Party, ReferralContent, plan_of, text_of
from gateway.model.errors import WillNeverWork
from gateway.model.handoff import Resource
from gateway.model.hl7_header import Hl7Header

Note = tuple[str, str, str, str]
"""Code, name and code system of NTE-4, and the text."""

PLACERS = "https://warmhandoff.example/id/referral"
"""Identifier system of our numbers of referrals."""

PRIORITY = {"routine": ("R", "Routine"), "urgent": ("A", "ASAP"), "asap": ("A", "ASAP"), "stat": ("S", "STAT")}
_CLASS = {"EMER": "E", "IMP": "I", "AMB": "O", "PRENC": "P"}
"""v3 ActCode to HL7 table 0004; a contact in the field (FLD) is no hospital visit: N, not applicable."""


def with_header(body: MessageWriter, header: Hl7Header, structure: str) -> bytes:
    """Return the message: MSH by `header`, of this structure, before the segments of `body`.

    Raises WillNeverWork where `header.charset` cannot hold the text.
    """
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
            9: (header.message_code, header.trigger_event, structure),
            10: header.control_id,
            11: header.processing_id,
            12: "2.5.1",
            15: header.accept_acknowledgment,
            16: header.application_acknowledgment,
            18: charset,
            21: header.profile,
        },
    )
    message.extend(body)
    codec = CODECS.get(charset.upper(), "ascii") if charset else "ascii"
    try:
        return message.to_bytes(codec)
    except UnicodeEncodeError as error:
        raise WillNeverWork(f"the text does not fit the partner's character set {charset or 'ASCII'}") from error


def instant_of(header: Hl7Header) -> datetime:
    """Return MSH-7 as an instant. Raises ValueError where it has no offset."""
    text = fhir_date_time(header.time) or ""
    if "T" not in text:
        raise ValueError("expected MSH-7 as a time with offset")
    return datetime.fromisoformat(text)


def filler_identifiers(request: Resource) -> list[tuple[str, str]]:
    """Return the recipient's own numbers of a referral (system, value)."""
    return [
        (str(identifier.get("system", "")), str(identifier["value"]))
        for identifier in request.get("identifier", ())
        if any(coding.get("code") == "FILL" for coding in (identifier.get("type") or {}).get("coding", ()))
    ]


def requested_for(request: Resource) -> str:
    """Return for when the service is asked for, else when it was asked for."""
    period = request.get("occurrencePeriod") or {}
    return str(request.get("occurrenceDateTime") or period.get("start") or request.get("authoredOn", ""))


def diagnosis_fields(condition: Resource) -> dict[int, Field]:
    """Write what a clinician stated; what nobody confirmed is a working diagnosis (HL7 table 0052)."""
    status = condition.get("verificationStatus") or {}
    confirmed = any(coding.get("code") == "confirmed" for coding in status.get("coding", ()))
    return {
        3: coded(condition.get("code")),
        4: text_of(condition.get("code")),
        5: dtm(str(condition.get("onsetDateTime", ""))),
        6: "F" if confirmed else "W",
    }


REFERRAL_NOTE: Repetition = ("57133-1", "Referral note", "LN")


def printable_fields(pdf: bytes) -> dict[int, Field]:
    """Return OBX from field 2 on of the printable copy: a document any system can file and show."""
    printable = ("", "application", "pdf", "Base64", base64.b64encode(pdf).decode("ascii"))
    return {2: "ED", 3: REFERRAL_NOTE, 5: printable, 11: "F"}


YES: Repetition = ("Y", "Yes", "HL70136")
_NO: Repetition = ("N", "No", "HL70136")
_RESULT = {"final": "F", "preliminary": "P", "amended": "C", "corrected": "C", "cancelled": "X"}


def when_seen(observations: Iterable[Resource]) -> dict[int, Field]:
    """Return OBR-7: when the first of these was observed."""
    return {7: min((dtm(str(each.get("effectiveDateTime", ""))) for each in observations), default="")}


def observation_fields(observation: Resource, observer: Party) -> dict[int, Field]:
    """Return OBX from field 2 on."""
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
        return "CE", YES if observation["valueBoolean"] else _NO, ""
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


def write_comments(body: MessageWriter, resource: Resource) -> None:
    """Write the notes of a resource under its segment."""
    for number, note in enumerate(resource.get("note", ()), 1):
        body.add("NTE", {1: str(number), 2: "P", 3: Formatted(str(note.get("text", "")))})


def attachment_fields(attachment: Resource) -> dict[int, Field]:
    """Return OBX-2 and OBX-5 of a document: text as text, all else as base64."""
    media_type = str(attachment.get("contentType", "application/octet-stream")).partition(";")[0]
    data = str(attachment.get("data", ""))
    if media_type == "text/plain" and data:
        return {2: "TX", 5: Formatted(base64.b64decode(data).decode("utf-8", "replace"))}
    kind, _, subtype = media_type.partition("/")
    return {2: "ED", 5: ("", kind, subtype, "Base64", data)}


def write_visit(body: MessageWriter, content: ReferralContent, header: Hl7Header) -> None:
    """Write PV1 of the contact, and PV2-22 where the content is restricted."""
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


def remarks(content: ReferralContent) -> list[Note]:
    """Return what is said about a referral in words: reasons, remarks, plans and goals."""
    notes = [("1R", "Primary Reason", "HL70364", text_of(reason)) for reason in content.request.get("reasonCode", ())]
    cancelled = text_of(content.task.get("statusReason"))
    notes += [("RE", "Remark", "HL70364", cancelled)]
    notes += [("RE", "Remark", "HL70364", str(note.get("text", ""))) for note in content.request.get("note", ())]
    notes += [("PLAN", "Plan", LOCAL_NOTES, plan_of(plan)) for plan in content.plans]
    notes += [("GOAL", "Goal", LOCAL_NOTES, text_of(goal.get("description"))) for goal in content.goals]
    return [note for note in notes if note[3]]


def handling(content: ReferralContent, labels: str, notice: str) -> list[Note]:
    """Return how the content may be used: its labels, the scope of consent, and the notice, always last of all."""
    notes = [
        (LABELS_NOTE, "Security labels", LOCAL_NOTES, labels),
        ("CONSENT", "Scope of consent", LOCAL_NOTES, content.consent_scope),
        ("NOTICE", "Redisclosure notice", LOCAL_NOTES, notice),
    ]
    return [note for note in notes if note[3]]


def write_notes(body: MessageWriter, notes: Iterable[Note]) -> None:
    """Write notes as NTE, numbered from 1; NTE-4 says which is which."""
    for number, (code, name, system, text) in enumerate(notes, 1):
        body.add("NTE", {1: str(number), 2: "P", 3: Formatted(text), 4: (code, name, system)})


def due(content: ReferralContent) -> str:
    """Return by when an answer is asked for, as a DTM; "" where nobody says."""
    end = ((content.task.get("restriction") or {}).get("period") or {}).get("end")
    return dtm(str(end or (content.request.get("occurrencePeriod") or {}).get("end", "")))


def labels_of_bundle(bundle: Resource) -> str:
    """Return the security labels of everything in a Bundle, as the text of their note."""
    return labels_text(entry["resource"] for entry in bundle.get("entry", ()))
