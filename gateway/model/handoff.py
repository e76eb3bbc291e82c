"""What the gateway keeps: inputs, handoffs made of them, the referrals inside, and the work still to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Resource = dict[str, Any]
"""A FHIR R4 resource as parsed JSON."""

Channel = Literal["http", "mllp", "fhir"]

InputState = Literal["pending", "done", "quarantined"]
RecordState = Literal["converted", "quarantined", "duplicate", "skipped"]
HandoffState = Literal["active", "unrouted", "held", "withdrawn"]
"""`unrouted`: active, and a referral of it has no route, so a person has to look; `held`: nothing of it goes before a
person has said whom it is about."""

WorkKind = Literal[
    "convert", "deliver", "release", "alert", "relay", "status", "status-asked", "answer", "acknowledge", "await",
    "look",
]  # fmt: skip
"""`release`: send a release that was asked for at the console; `alert`: tell of a visit; `relay`: pass an HL7v2 message
on; `status`: tell who sent us a referral how far it is, `status-asked`: because it asked; `answer`: take an HL7v2
message that came in; `acknowledge`: send its application answer over the reply link; `await`: look, when the time is
over, whether the application of a receiver has answered a delivery; `look`: look again at what was stopped about a
person."""

WorkState = Literal["ready", "sending", "awaiting", "delivered", "refused", "held", "dead", "superseded"]
"""Life of a piece of work. `awaiting`: the receiver's system has it (CA), its application has not answered yet
(HL7 v2.5.1 ch. 2.9.3); `refused`: consent or agreement is missing (a new consent makes it ready again);
`held`: a person must decide; `dead`: given up, waits for replay; `superseded`: a newer version took its place."""

DeliveryAction = Literal["create", "update", "cancel"]


MessageKey = tuple[str, str, str]
"""Sending application, sending facility, MSH-10."""


@dataclass(frozen=True, slots=True)
class StoredInput:
    """What came in, byte for byte, before anybody tried to read it."""

    id: str
    channel: Channel
    source: str
    """Mapping name for `http`, "hl7v2" for `mllp`, resource type for `fhir`."""
    client: str | None
    """Id of the registered client; for `mllp` the registry id of the partner whose feed it came from."""
    media_type: str
    payload: bytes
    sha256: str
    received_at: datetime
    state: InputState = "pending"
    reason: str | None = None
    """Why the whole input is in quarantine; never a value from it."""
    message_type: str | None = None
    """MSH-9.1^MSH-9.2 of an HL7v2 message whose header can be read, such as ADT^A01."""
    sender: str | None = None
    """MSH-3.1^MSH-4.1, likewise."""
    known_by: MessageKey | None = None
    """By what an HL7v2 message is known when it comes again; None where it is not, or not any more."""
    answer: bytes | None = None
    """The acknowledgement it got (HL7 v2.5.1 ch. 2.9.2: who repeats it gets the same)."""


@dataclass(frozen=True, slots=True)
class InputRecord:
    """What became of the n-th record (from 1) of an input."""

    input_id: str
    n: int
    state: RecordState
    reason: str | None = None
    handoff_id: str | None = None


@dataclass(frozen=True, slots=True)
class Handoff:
    """One encounter record as kept for exchange: its resources carry the content."""

    id: str
    """Stable keyed hash of (program, agency, business key)."""
    version: int
    program: str
    agency: str
    """Registry id of the organization that wrote the police or program part."""
    content_hash: str
    person_id: str | None
    state: HandoffState
    hold_reason: str | None
    input_id: str
    mapping: str
    created_at: datetime
    updated_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Measure facts; never FHIR, never sent."""
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Referral:
    """One request to one recipient: a ServiceRequest, its Task, and how far it has come."""

    id: str
    """Logical id of the Task addressed to this recipient."""
    handoff_id: str
    service_request_id: str
    identifier: str
    """Value of the placer identifier (ServiceRequest.identifier, HL7 v2 RF1-6)."""
    person_id: str
    recipient: str
    """Registry id of the receiving organization."""
    transport: Literal["fhir", "hl7v2", "link", "document"]
    purpose: tuple[str, ...]
    status: str
    """FHIR R4 Task.status."""
    business_status: str | None
    reason: str | None
    external_id: str | None
    """The recipient's own id of the referral (RF1-11, filler identifier)."""
    updated_at: datetime
    without_agreement: str | None = None
    """The policy that lets a police-origin referral go without the person's agreement (routes.yaml), if any."""
    via: str | None = None
    """Registry id of the exchange or intermediary that takes it and passes it on (42 CFR 2.11), if any."""

    @property
    def taken_by(self) -> str:
        """Name the organization whose endpoint takes it: the recipient, or who passes it on to the recipient."""
        return self.via or self.recipient

    @property
    def lane(self) -> str:
        """Name the lane of its deliveries: one strict order for each way to an organization."""
        return f"{self.taken_by}/{self.transport}"


@dataclass(frozen=True, slots=True)
class Work:
    """One row of the outbox: something to do, in the order of its lane."""

    id: int
    lane: str
    """Destination: "convert", "answers", or "<organization>/<transport>"."""
    kind: WorkKind
    subject: str
    """Input id (convert, answer, acknowledge, relay), referral id (deliver), or id of the awaited delivery (await)."""
    action: DeliveryAction
    message_id: str
    """Sent with every try: MSH-10, Bundle.identifier. The receiver's key against doubles."""
    state: WorkState
    tries: int
    reason: str | None
    version: int
    """Version of the handoff this work was made for."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A person in the index. Demographics are kept for matching only."""

    id: str
    family: str
    given: str
    birth_date: str | None
    gender: str | None
    phone: str | None
    address: str | None
    patient_ids: tuple[str, ...] = ()
    """Logical ids of the Patient resources that are this person."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value) pairs known for the person, recipients' record numbers among them."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody who was looked for by name."""

    person: Person
    record: str | None
    """Id of the newest record about them: their consents are reached by it."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a transport learned from the receiver."""

    code: str
    """HTTP status or acknowledgement code (AA, CA)."""
    sent: bytes = b""
    """The bytes that left, kept for the record's page and for `demo --out`."""
    answered: bytes = b""
    awaits_application: bool = False
    """The receiver's system has it, and what its application says will come as a message of its own."""
