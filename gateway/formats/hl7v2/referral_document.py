"""Write a disclosure as a document to be filed: MDM^T02, then T08 for what changed, with the referral as a PDF.

HL7 v2.5.1 ch. 9.6. For receivers that file and show, and take nothing else. MDM has no notes outside of its content,
so labels, scope of consent and notice stand inside, as results of their own and on the last page of the PDF.
"""

from dataclasses import replace

from gateway.formats.hl7v2.build import Formatted, MessageWriter, Repetition
from gateway.formats.hl7v2.coded import assigner
from gateway.formats.hl7v2.person import person_fields
from gateway.formats.hl7v2.referral_segments import (
    PLACERS,
    handling,
    instant_of,
    labels_of_bundle,
    printable_fields,
    with_header,
    write_visit,
)
from gateway.formats.hl7v2.times import dtm
from gateway.formats.referral_content import ReferralContent, referral_content
from gateway.formats.referral_pdf import referral_pdf
from gateway.model.handoff import DeliveryAction, Resource
from gateway.model.hl7_header import Hl7Header

EVENTS: dict[DeliveryAction, str] = {"create": "T02", "update": "T08", "cancel": "T08"}
"""Original document, edited document; one that is taken back says so, with TXA-19 telling that it counts no more."""

_AVAILABILITY: dict[DeliveryAction, str] = {"create": "AV", "update": "AV", "cancel": "CA"}
"""HL7 table 0273."""

_RESTRICTED = frozenset({"R", "V"})


def write_document(bundle: Resource, notice: str, header: Hl7Header, action: DeliveryAction) -> bytes:
    """Write the first referral of a disclosure's Bundle as MDM; arguments and errors as `write_referral`."""
    content = referral_content(bundle, "")
    notice = notice or content.statement
    level = header.security if header.security in _RESTRICTED else ""
    body = MessageWriter()
    body.add("EVN", {2: header.time})
    body.add("PID", {1: "1", **person_fields(content.patient)})
    if content.encounter:
        write_visit(body, content, replace(header, security=""))  # MDM has no PV2 for the restriction
    else:
        body.add("PV1", {1: "1", 2: "N"})
    _write_description(body, content, header, action, level)
    body.add("OBX", {1: "1", **printable_fields(referral_pdf(content, notice, instant_of(header))), 13: level})
    for number, (code, name, system, text) in enumerate(handling(content, labels_of_bundle(bundle), notice), 2):
        body.add("OBX", {1: str(number), 2: "TX", 3: (code, name, system), 5: Formatted(text), 11: "F"})
    return with_header(body, replace(header, message_code="MDM", trigger_event=EVENTS[action]), "MDM_T02")


def _write_description(
    body: MessageWriter, content: ReferralContent, header: Hl7Header, action: DeliveryAction, level: str
) -> None:
    placer: Repetition = (content.identifier, *assigner(PLACERS))
    body.add(
        "TXA",
        {
            1: "1",
            2: "57133-1",
            3: "AP",
            4: dtm(str(content.request.get("authoredOn", ""))) or header.time,
            6: header.time,
            12: placer,
            14: placer,
            17: "DO",
            18: level,
            19: _AVAILABILITY[action],
        },
    )
