"""Write a disclosure as a referral message: REF^I12 (new), I13 (changed), I14 (cancelled), HL7 v2.5.1 ch. 11.

No official v2-to-FHIR map covers REF; ours is in `docs/hl7v2.md`. What the message cannot hold as fields goes into its
notes and into the printable copy, never away.
"""

from dataclasses import replace

from gateway.formats.hl7v2.build import Field, MessageWriter, Repetition
from gateway.formats.hl7v2.coded import assigner, coded, identifier_kind
from gateway.formats.hl7v2.person import address, person_fields, relative_fields, telecom
from gateway.formats.hl7v2.referral_segments import (
    PLACERS,
    PRIORITY,
    REFERRAL_NOTE,
    YES,
    attachment_fields,
    diagnosis_fields,
    due,
    filler_identifiers,
    handling,
    instant_of,
    labels_of_bundle,
    observation_fields,
    printable_fields,
    remarks,
    requested_for,
    when_seen,
    with_header,
    write_comments,
    write_notes,
    write_visit,
)
from gateway.formats.hl7v2.times import dtm
from gateway.formats.referral_content import Party, ReferralContent, referral_content, text_of
from gateway.formats.referral_pdf import referral_pdf
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
_SOCIAL = frozenset(("housing", "shelter", "case-management", "peer-support"))
"""Services of our own code system that are no kind of HL7 table 0281, which is medical and user-defined."""


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
        body.add("DG1", {1: str(number), **diagnosis_fields(condition)})
    body.add("PR1", {1: "1", 3: coded(content.request.get("code")), 5: dtm(requested_for(content.request))})
    _write_groups(body, content, referral_pdf(content, notice, instant_of(header)))
    write_visit(body, content, header)
    write_notes(body, [*remarks(content), *handling(content, labels_of_bundle(bundle), notice)])
    return with_header(body, replace(header, message_code="REF"), "REF_I12")


def _write_parties(body: MessageWriter, content: ReferralContent) -> None:
    request, task = content.request, content.task
    status = _STATUS.get(str(task.get("status", "requested")))
    body.add(
        "RF1",
        {
            1: (*status, "HL70283") if status else "",
            2: (*PRIORITY.get(str(request.get("priority")), PRIORITY["routine"]), "HL70280"),
            3: _referral_type(request),
            6: (content.identifier, *assigner(PLACERS)),
            7: dtm(str(request.get("authoredOn", ""))),
            8: due(content),
            9: dtm(str(task.get("lastModified", ""))),
            11: [(value, *assigner(system)) for system, value in filler_identifiers(request)],
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
        5: [telecom(contact, of_provider=True) for contact in party.telecom],
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


def _write_groups(body: MessageWriter, content: ReferralContent, pdf: bytes) -> None:
    """Write one OBR group for each observer, then safety, documents, and last the printable copy."""
    number = 0
    for observer, observations in content.observations:
        number += 1
        body.add("OBR", {1: str(number), 4: ("CONTACT", "Observations of the contact", "L"), **when_seen(observations)})
        for line, observation in enumerate(observations, 1):
            body.add("OBX", {1: str(line), **observation_fields(observation, observer)})
            write_comments(body, observation)
    if content.flags:
        number += 1
        body.add("OBR", {1: str(number), 4: ("SAFETY", "Safety", "L")})
        for line, flag in enumerate(content.flags, 1):
            body.add("OBX", {1: str(line), 2: "CE", 3: coded(flag.get("code")), 5: YES, 11: "F"})
    for document in content.documents:
        number += 1
        body.add("OBR", {1: str(number), 4: coded(document.get("type"))})
        for line, entry in enumerate(document.get("content", ()), 1):
            body.add(
                "OBX", {1: str(line), 3: coded(document.get("type")), **attachment_fields(entry["attachment"]), 11: "F"}
            )
    body.add("OBR", {1: str(number + 1), 4: REFERRAL_NOTE})
    body.add("OBX", {1: "1", **printable_fields(pdf)})
