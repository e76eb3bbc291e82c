"""What the story expects of each sample file: how many records become what, and which referrals reach whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.demo.samples.people import Invented

Outcome = Literal["fhir", "hl7v2", "refused", "held"]
"""Delivered by FHIR or by HL7v2, refused for want of consent or agreement, or held until a person decides."""

RecordState = Literal["converted", "quarantined", "duplicate", "skipped"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What becomes of one referral at the end of the story."""

    person: Invented
    service: str
    outcome: Outcome
    withheld: bool = False
    """What a Part 2 program's clinician found stays behind while the officer's referral goes."""


@dataclass(frozen=True, slots=True)
class SampleFile:
    """One file as a source system would hand it in."""

    name: str
    """In the folder `records`."""
    source: str
    """The mapping, which is the last part of the intake path."""
    client: str
    """The registered client that hands it in."""
    media_type: str
    build: Callable[[], bytes]
    states: Mapping[RecordState, int]
    """Records by what the receipt says of them; a record is counted by business key."""
    referrals: tuple[Expected, ...] = ()
