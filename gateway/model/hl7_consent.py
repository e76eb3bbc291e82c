"""What a CON segment says about a person's consent, freed of its grammar (HL7 v2.5 ch. 9.9.4)."""

from dataclasses import dataclass
from typing import Literal

from gateway.model.hl7_answer import PersonNamed

ConsentAct = Literal[
    "rescinds", "refuses", "limits", "permits", "proposes", "bypasses", "is-unclear", "is-of-treatment",
]  # fmt: skip
"""What the segment does. Two of them tell of nothing to disclose: `bypasses` claims an emergency, `is-of-treatment` is
about a procedure. `is-unclear`: nobody here can say whether it restricts, so a person has to."""

ConsentMode = Literal["written", "oral", "electronic"]
"""How the person said it: on paper, aloud (also by telephone), or nobody says and a system told us."""


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """One CON and the person of the PID it stands under."""

    number: int
    """Which CON of its message, from 1."""
    act: ConsentAct
    kind: str
    """CON-2.1, HL7 table 0496; "" where the sender states none."""
    form: str
    """CON-3: which wording, and its version."""
    form_number: str
    """CON-4.1: this one paper."""
    mode: ConsentMode
    limitations: str
    """CON-9, the person's own words: a machine never acts on them."""
    decided_at: str | None
    """CON-13 as FHIR dateTime. It is kept as stated; a revocation counts from its receipt."""
    ends_at: str | None
    """CON-15, likewise."""
    bypass_reason: str
    """CON-20, HL7 table 0499: E emergency, PJ professional judgment."""
    person: PersonNamed | None
    """None where no PID stands before it."""
