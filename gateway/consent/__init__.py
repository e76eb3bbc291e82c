"""Decide whether a disclosure is allowed: all the law lives here, in pure functions.

`decide` is the whole face. What it needs is read once and kept: `read_request`, `compile_consents`, `read_facts`,
`read_switches`; the records come from `gateway.labeling.label`. `agreement` is the gate before it, for referrals of
agencies that are no Part 2 program.
"""

from gateway.consent.agreement import agreement
from gateway.consent.compile import compile_consents, disclosers_of
from gateway.consent.decide import decide
from gateway.consent.facts import Facts, read_facts
from gateway.consent.read_request import UnreadableRequest, read_request
from gateway.consent.switches import Switches, read_switches

__all__ = [
    "Facts",
    "Switches",
    "UnreadableRequest",
    "agreement",
    "compile_consents",
    "decide",
    "disclosers_of",
    "read_facts",
    "read_request",
    "read_switches",
]
