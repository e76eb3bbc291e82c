"""Write a disclosure as an order: OMG^O19, the request of 360X and of systems that take referrals as orders.

360X takes one back by OSU^O51 (PCC-58), other systems by a further OMG.

HL7 v2.5.1 ch. 4.4.4; for the fields of a referral IHE 360X (OBR-4 is the referral note, ORC-2 the number that every
message about it repeats). OMG has no place for whom it goes to but MSH-6: the printable copy names them.
"""

from collections.abc import Iterator
from dataclasses import replace

from gateway.formats.hl7v2.build import Component, Field, MessageWriter, Repetition
from gateway.formats.hl7v2.coded import assigner, coded
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
    with_header,
    write_comments,
    write_notes,
    write_visit,
)
from gateway.formats.hl7v2.times import dtm
from gateway.formats.referral_content import Party, ReferralContent, referral_content
from gateway.formats.referral_pdf import referral_pdf
from gateway.model.handoff import DeliveryAction, Resource
from gateway.model.hl7_header import Hl7Header

CONTROLS: dict[DeliveryAction, str] = {"create": "NW", "update": "XO", "cancel": "CA"}
"""ORC-1, HL7 table 0119: new, change, cancel."""

_CANCELLED = "CA"
"""ORC-5, HL7 table 0038."""

_RESTRICTED = frozenset({"R", "V"})


def write_order(bundle: Resource, notice: str, header: Hl7Header, action: DeliveryAction) -> bytes:
    """Write the first referral of a disclosure's Bundle as OMG^O19; arguments and errors as `write_referral`.

    The notice stands in the last NTE after PID, and ends the printable copy.
    """
    content = referral_content(bundle, "")
    notice = notice or content.statement
    level = header.security if header.security in _RESTRICTED else ""
    body = MessageWriter()
    body.add("PID", {1: "1", **person_fields(content.patient)})
    if level:
        body.add("PD1", {12: "Y"})
    write_notes(body, handling(content, labels_of_bundle(bundle), notice))
    for number, relative in enumerate(content.relatives, 1):
        body.add("NK1", {1: str(number), **relative_fields(relative)})
    write_visit(body, content, header)
    _write_order(body, content, CONTROLS[action], level)
    write_notes(body, remarks(content))
    for number, condition in enumerate(content.conditions, 1):
        body.add("DG1", {1: str(number), **diagnosis_fields(condition)})
    _write_results(body, content, referral_pdf(content, notice, instant_of(header)), level)
    return with_header(body, replace(header, message_code="OMG", trigger_event="O19"), "OMG_O19")


def write_cancellation(bundle: Resource, notice: str, header: Hl7Header) -> bytes:
    """Write that the first referral of a disclosure's Bundle is taken back, as OSU^O51; else as `write_order`.

    By its grammar (HL7 v2.8 ch. 4.4) the notes stand before PID, the notice last of them.
    """
    content = referral_content(bundle, "")
    body = MessageWriter()
    write_notes(body, handling(content, labels_of_bundle(bundle), notice or content.statement))
    body.add("PID", {1: "1", **person_fields(content.patient)})
    placer, filler = _numbers(content)
    body.add(
        "ORC",
        {
            1: CONTROLS["cancel"],
            2: placer,
            3: filler,
            5: _CANCELLED,
            16: coded(content.task.get("statusReason")),
            21: _organization(content.source),
            28: (header.security, "", "HL70177") if header.security in _RESTRICTED else "",
        },
    )
    return with_header(body, replace(header, message_code="OSU", trigger_event="O51"), "OSU_O51")


def _numbers(content: ReferralContent) -> tuple[Repetition, Field]:
    """Return ORC-2 and ORC-3: our number of the referral, and the receiver's where it has told one."""
    fillers: list[Repetition] = [(value, *assigner(system)) for system, value in filler_identifiers(content.request)]
    return (content.identifier, *assigner(PLACERS)), fillers[0] if fillers else ""


def _write_order(body: MessageWriter, content: ReferralContent, control: str, level: str) -> None:
    request = content.request
    placer, filler = _numbers(content)
    code, name = PRIORITY.get(str(request.get("priority")), PRIORITY["routine"])
    asked = dtm(str(request.get("authoredOn", "")))
    body.add(
        "ORC",
        {
            1: control,
            2: placer,
            3: filler,
            9: asked,
            21: _organization(content.source),
            22: address(content.source.address) if content.source.address else "",
            23: [telecom(contact, of_provider=True) for contact in content.source.telecom],
            28: (level, "", "HL70177") if level else "",
        },
    )
    body.add("TQ1", {1: "1", 7: dtm(requested_for(request)), 8: due(content), 9: (code, name, "HL70485")})
    reasons = [coded(reason) for reason in request.get("reasonCode", ())]
    body.add("OBR", {1: "1", 2: placer, 3: filler, 4: REFERRAL_NOTE, 31: reasons, 44: coded(request.get("code"))})


def _organization(party: Party) -> Repetition:
    """Name an organization as XON: its number in component 10."""
    system, value = party.identifiers[0] if party.identifiers else ("", "")
    parts: list[Component] = [party.name, *[""] * 4, assigner(system), "", "", "", value]
    return tuple(parts)


def _write_results(body: MessageWriter, content: ReferralContent, pdf: bytes, level: str) -> None:
    """Write what supports the order, each with its notes, and last the printable copy."""
    for number, (fields, source) in enumerate([*_results(content), (printable_fields(pdf), None)], 1):
        body.add("OBX", {1: str(number), **fields, 13: level})
        if source is not None:
            write_comments(body, source)


def _results(content: ReferralContent) -> Iterator[tuple[dict[int, Field], Resource | None]]:
    for observer, observations in content.observations:
        for observation in observations:
            yield observation_fields(observation, observer), observation
    for flag in content.flags:
        yield {2: "CE", 3: coded(flag.get("code")), 5: YES, 11: "F"}, None
    for document in content.documents:
        for entry in document.get("content", ()):
            yield {3: coded(document.get("type")), **attachment_fields(entry["attachment"]), 11: "F"}, None
