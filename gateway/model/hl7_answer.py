"""What a recipient's HL7v2 messages tell us about a referral or a person, freed of their grammar."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PersonIdentifier:
    """One repetition of PID-3: a number, who assigned it, and its kind (HL7 table 0203, such as MR)."""

    value: str
    assigner: str = ""
    """CX.4.2 (an OID or other universal id) where it is given, else CX.4.1."""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PersonNamed:
    """The person a message is about, as PID names them."""

    identifiers: tuple[PersonIdentifier, ...]
    family: str
    given: str
    birth_date: str | None
    """FHIR date, partial where the sender's was; None when absent or no date."""
    gender: str | None
    """FHIR administrative gender; None when absent."""
    phone: str | None = None
    """PID-13.1, or .12 where the sender writes only that."""
    address: str | None = None
    """Street and postal code of the first PID-11, as the index of persons keeps them."""


AnswerStatus = Literal["accepted", "rejected", "requested", "failed", "in-progress", "completed"]
"""FHIR Task.status of HL7 table 0283: A accepted, R rejected, P pending, E expired; the last two only of an order."""


@dataclass(frozen=True, slots=True)
class ReferralAnswer:
    """An RRI (or a REF or OSU that answers ours): what the recipient decided about one referral."""

    event: str
    """I12 answer, I13 changed, I14 cancelled, I15 status."""
    referral: str
    """RF1-6.1, our placer identifier."""
    external_id: str | None
    """RF1-11.1, the recipient's own id."""
    status: AnswerStatus
    reason: str
    """The words of the NTEs (from 2.8 also RF1-24), for staff; "" when there are none."""
    at: str | None
    """RF1-9, else MSH-7, as FHIR dateTime."""
    person: PersonNamed | None
    visit: Literal["booked", "done"] | None = None
    """What the answer says of the visit, where it says so (IHE 360X)."""


AdmissionKind = Literal[
    "admitted", "registered", "discharged", "updated", "transferred", "admission-cancelled", "discharge-cancelled",
    "transfer-cancelled",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class AdmissionEvent:
    """An ADT that tells where a person is: A01 to A04, A08, A11 to A13."""

    event: str
    kind: AdmissionKind
    person: PersonNamed
    at: str | None
    """FHIR dateTime. When it happened: EVN-6, else the time of the event itself, else EVN-2, else MSH-7."""


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """Somebody says that the person with the `ended` numbers is, or gives something to, the `surviving` one."""

    event: str
    surviving: PersonNamed
    ended: tuple[PersonIdentifier, ...]


AppointmentKind = Literal["booked", "rescheduled", "cancelled", "no-show"]


@dataclass(frozen=True, slots=True)
class AppointmentEvent:
    """A SIU about a referral: S12, S13 to S15, S17, S26."""

    event: str
    kind: AppointmentKind
    referral: str
    """SCH-26.1 (placer order), "" when the sender names none: then person and facility must do."""
    appointment_id: str
    """SCH-2.1 (filler), else SCH-1.1."""
    person: PersonNamed | None
    starts_at: str | None
    """FHIR dateTime of the appointment: TQ1-7, else SCH-11.4, else AIS-4."""
    at: str | None
    """MSH-7 as FHIR dateTime."""
