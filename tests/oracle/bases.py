"""Own access, and the bases that need no consent but evidence of their own. 42 CFR 2.12(c), 2.23, 2.51, 2.61."""

from collections.abc import Callable
from datetime import UTC, timedelta

from tests.oracle import purposes
from tests.oracle.last_steps import restrictions_on
from tests.oracle.matter import Matter, Word, no, unordered, yes
from tests.oracle.onward import BOUND, kind_of_hop
from tests.oracle.reading import NOTES, Item, span
from tests.oracle.receivers import TREATING, extra_receivers

_MEDICAL = {"clinician", "physician", "nurse", "paramedic"}
_GOOD_CAUSE = {"no-other-way", "interest-outweighs"}
_FINDINGS = {
    "2.64": _GOOD_CAUSE,
    "2.65": {*_GOOD_CAUSE, "extremely-serious-crime", "substantial-value", "holder-had-counsel"},
    "2.66": _GOOD_CAUSE,
}
"""What a court has to find: 42 CFR 2.64(d), 2.65(d), 2.66(c). Under 2.67 nothing is disclosed."""
_OPENS_TALKS = {"threat-or-serious-crime", "patient-opened-it"}
_UNDERTAKEN = {"security", "return_or_destroy", "no_redisclosure", "no_use_against_patients"}
_AGREED = {
    "research": ("research", "RESEARCH_NO_APPROVAL", (purposes.RESEARCH,)),
    "audit": ("audit", "AUDIT_NO_AGREEMENT", (purposes.PAYMENT, purposes.OPERATIONS)),
    "qso": ("qsoa", "QSOA_NOT_IN_FORCE", purposes.TPO),
}


def inside_the_program(matter: Matter, origin: str) -> Word | None:
    """Let a program treat with its own records. 42 CFR 2.12(c)(3)."""
    ask = matter.ask
    if not ask.recipient == origin == matter.request["requester"].get("organization"):
        return None
    if not all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes):
        return None
    return for_the_recipient_alone(matter, origin, yes(11, "OK_INTERNAL", absent=["NOTICE", "ACCOUNT"]))


def for_the_recipient_alone(matter: Matter, holder: str | None, word: Word) -> Word:
    """Let what needs no consent pass through nobody else's hands; in an emergency through those who treat. 2.13(a)."""
    others = extra_receivers(matter.ask, holder)
    if word.reasons == {"OK_EMERGENCY"}:
        others = [one for one in others if not matter.partners.roles(one) & TREATING]
    return no(11, "RECIPIENT_NOT_NAMED", minor=9) if others and word.decision == "PERMIT" else word


def by_basis(matter: Matter, item: Item, origin: str, holder: str) -> Word | None:
    """Decide by the basis that the request invokes; None where it invokes none, or none that speaks of such records.

    `holder` is in whose hands the record is, where that is not its origin.
    """
    found = _BASES.get(matter.basis.get("type", ""))
    word = found(matter, item, origin, holder) if found else None
    return word and for_the_recipient_alone(matter, holder, word)


def own_access(matter: Matter) -> Word | None:
    """42 CFR 2.23: the person, proven to be that person, for that person."""
    account, asks = matter.basis.get("account"), matter.request["requester"]
    if account in matter.ask.person.keys and account == asks["authenticated_as"] == matter.ask.recipient:
        return yes(11, "OK_PATIENT", absent=["ACCOUNT"])
    return None


def _emergency(matter: Matter, item: Item, origin: str, holder: str) -> Word | None:
    """42 CFR 2.51: who receives, the four facts, whether the person could be asked."""
    basis, ask = matter.basis, matter.ask
    role = (matter.request["requester"].get("person") or {}).get("role")
    if not all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes):
        return None
    is_told_by_them = matter.request["requester"].get("organization") == ask.recipient
    if matter.law_enforcement or (is_told_by_them and role not in _MEDICAL) or not matter.roles & TREATING:
        return no(11, "EMERGENCY_NOT_MEDICAL_PERSONNEL")
    facts = ("recipient_name", "recipient_affiliation", "disclosed_by", "time", "nature")
    if not all(str(basis.get(one) or "").strip() for one in facts):
        return no(11, "EMERGENCY_UNDOCUMENTED", minor=1)
    ago = ask.at - span(basis["time"], UTC)[0]
    if ago < timedelta(0):
        return no(11, "EMERGENCY_UNDOCUMENTED", minor=1)
    if ago > timedelta(hours=ask.switches.get("emergency_hours", 24)):
        return no(11, "EMERGENCY_OVER", minor=2)
    disaster = basis.get("disaster") or {}
    closed = bool(disaster.get("declaration")) and disaster.get("program_closed") is True
    if basis.get("consent_obtainable") is not False and not closed:
        return no(11, "EMERGENCY_CONSENT_OBTAINABLE", minor=3)
    if NOTES in item.stated_labels:
        return no(11, "NOTES_NO_SPECIFIC", minor=4)
    restricted = any(restrictions_on(matter, item))
    more = ["ASK_NO_FURTHER_USE"] if restricted else []
    return yes(11, "OK_EMERGENCY", "EMERGENCY_DOC", "LABEL", "PROCEEDINGS_BAR", *more, absent=["ACCOUNT", "NOTICE"])


def _agreed(matter: Matter, item: Item, origin: str, holder: str) -> Word:
    """42 CFR 2.52, 2.53, 2.11 "qualified service organization": an agreement with whoever discloses, in force.

    It opens nothing but its own work, no copy that was given for something else, no counseling notes for research
    (2.31(b)(1)); a service is one to a program.
    """
    kind = matter.basis["type"]
    type_of, reason, work = _AGREED[kind]
    if matter.law_enforcement:
        return no(11, reason, "LE_NO_BASIS")
    given = {kind_of_hop(matter, hop) for hop in item.onward(matter.partners)}
    if given & BOUND or (kind == "qso" and not matter.partners.is_program(holder)):
        return unordered(no(11, reason), "REDISCLOSURE_BARRED")
    if not all(any(purposes.is_under(one, each) for each in work) for one in matter.ask.purposes):
        return no(11, reason)
    stated = matter.basis.get("approval" if kind == "research" else "agreement")
    found = matter.partners.agreement(matter.ask.recipient, stated, type_of, holder) if stated else None
    if found is None:
        return no(11, reason)
    protocol = matter.basis.get("protocol")
    if kind == "research" and protocol is not None and found.get("protocol") not in (None, protocol):
        return no(11, reason)
    if kind == "audit" and not set(found.get("undertakings", _UNDERTAKEN)) >= _UNDERTAKEN:
        return no(11, reason)
    if kind == "research" and NOTES in item.stated_labels:
        return no(11, "NOTES_NO_SPECIFIC", minor=1)
    more = [] if kind == "qso" else ["NO_REDISCLOSE", "PROCEEDINGS_BAR"]
    return yes(11, f"OK_{kind.upper()}", "LABEL", "MIN", *more, absent=["NOTICE"])


def _ordered(matter: Matter, item: Item, origin: str, holder: str) -> Word:
    """42 CFR 2.61 to 2.67: the order authorizes, the process compels, nothing beyond its scope."""
    order, process, at = matter.basis.get("order"), matter.basis.get("process"), matter.ask.at
    if not order:
        return no(11, "SUBPOENA_ALONE")
    day = at.astimezone(matter.partners.zone(holder)).date().isoformat()
    is_registered = order.get("status") == "in_force" and bool(order.get("verified_by"))
    in_force = is_registered and order["issued"] <= day <= order["expires"]
    found = set(order.get("findings") or [])
    if not in_force or not found or not found >= _FINDINGS.get(order["kind"], set()):
        return no(11, "ORDER_DEFICIENT")
    shielded = {"research", "audit"} & {hop.under for hop in item.onward(matter.partners)}
    to_whom = order["holder"] == holder and matter.ask.recipient in order["recipients"]
    if not to_whom or shielded or order["kind"] not in _FINDINGS:
        return no(11, "ORDER_SCOPE", minor=1)
    if not process or not process.get("verified_by"):
        return no(11, "ORDER_NOT_COMPULSORY", minor=2, hold=True)
    listed = item.resource["resourceType"] in {one["resource_type"] for one in order["scope"]}
    opens_talks = order.get("confidential_communications") and found & _OPENS_TALKS
    if not listed or (NOTES in item.stated_labels and not opens_talks):
        return no(11, "ORDER_SCOPE", minor=3)
    return yes(11, "OK_COURT_ORDER", "MIN", "LEGAL_QUEUE", absent=["NOTICE"])


def _crime(matter: Matter, item: Item, origin: str, holder: str) -> Word:
    """42 CFR 2.12(c)(5): the program tells police who, and what happened; no record."""
    here = matter.basis.get("on_premises") is True or matter.basis.get("against_personnel") is True
    if not here or not matter.law_enforcement or matter.request["requester"].get("organization") != origin:
        return no(11, "LE_NO_BASIS")
    if item.resource["resourceType"] == "Patient":
        return yes(11, "OK_CRIME_PREMISES", "MIN", absent=["NOTICE"])
    return no(11, "MIN_NECESSARY", minor=1)


def _child(matter: Matter, item: Item, origin: str, holder: str) -> Word | None:
    """42 CFR 2.12(c)(6): what the first report needs, to those who take such reports."""
    if not matter.roles & {"child_protection", "police"}:
        return None
    if matter.basis.get("report") != "initial" or not matter.basis.get("state_law"):
        return None
    if item.reference in (matter.basis.get("content") or []):
        return yes(11, "OK_CHILD_ABUSE", "MIN", absent=["NOTICE"])
    return no(11, "MIN_NECESSARY", minor=1)


_BASES: dict[str, Callable[[Matter, Item, str, str], Word | None]] = {
    "patient_access": lambda matter, *_: own_access(matter),
    "emergency": _emergency,
    "research": _agreed,
    "audit": _agreed,
    "qso": _agreed,
    "court_order": _ordered,
    "crime_on_premises": _crime,
    "child_abuse_report": _child,
}
