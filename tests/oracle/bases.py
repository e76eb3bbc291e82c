"""Own access, and the bases that need no consent but evidence of their own. 42 CFR 2.12(c), 2.23, 2.51, 2.61."""

from collections.abc import Callable
from datetime import UTC

from tests.oracle import purposes
from tests.oracle.last_steps import restrictions_on
from tests.oracle.matter import Matter, Word, no, yes
from tests.oracle.reading import NOTES, Item, NotJudged, span
from tests.oracle.receivers import TREATING, extra_receivers

_MEDICAL = {"clinician", "physician", "nurse", "paramedic"}
_AGREED = {
    "research": ("research", "RESEARCH_NO_APPROVAL", purposes.RESEARCH),
    "audit": ("audit", "AUDIT_NO_AGREEMENT", (purposes.ACT_REASON, "HCOMPL")),
    "qso": ("qsoa", "QSOA_NOT_IN_FORCE", purposes.PAYMENT),
}


def inside_the_program(matter: Matter, origin: str) -> Word | None:
    """Let a program treat with its own records. 42 CFR 2.12(c)(3)."""
    ask = matter.ask
    if not ask.recipient == origin == matter.request["requester"].get("organization"):
        return None
    if not all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes):
        raise NotJudged("what a program does with its own records besides treating")
    if extra_receivers(ask, origin):
        raise NotJudged("somebody on the way inside a program")
    return yes(11, "OK_INTERNAL", absent=["NOTICE", "ACCOUNT"])


def by_basis(matter: Matter, item: Item, origin: str) -> Word | None:
    """Decide by the basis that the request invokes; None where it invokes none, or none that speaks of such records."""
    kind = matter.basis.get("type")
    if kind and extra_receivers(matter.ask, origin):
        raise NotJudged("a basis, and somebody on the way")
    found = _BASES.get(kind or "")
    return found(matter, item, origin) if found else None


def _own_access(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.23: the person, proven to be that person, for that person."""
    account, asks = matter.basis.get("account"), matter.request["requester"]
    if account in matter.ask.person.keys and account == asks["authenticated_as"] == matter.ask.recipient:
        return yes(11, "OK_PATIENT", absent=["ACCOUNT"])
    raise NotJudged("somebody else's account")


def _emergency(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.51: who receives, the four facts, whether the person could be asked."""
    basis, ask = matter.basis, matter.ask
    role = (matter.request["requester"].get("person") or {}).get("role")
    if matter.request["requester"].get("organization") != ask.recipient:
        raise NotJudged("an emergency somebody else tells of")
    if not all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes) or NOTES in item.stated_labels:
        raise NotJudged("an emergency for another purpose, or counseling notes")
    if matter.law_enforcement or role not in _MEDICAL or not matter.roles & TREATING:
        return no(11, "EMERGENCY_NOT_MEDICAL_PERSONNEL")
    facts = ("recipient_name", "recipient_affiliation", "disclosed_by", "time", "nature")
    if not all(str(basis.get(one) or "").strip() for one in facts):
        return no(11, "EMERGENCY_UNDOCUMENTED", minor=1)
    if not 0 <= (ask.at - span(basis["time"], UTC)[0]).total_seconds() < 86400:
        raise NotJudged("an emergency of another day")
    disaster = basis.get("disaster") or {}
    closed = bool(disaster.get("declaration")) and disaster.get("program_closed") is True
    if basis.get("consent_obtainable") is not False and not closed:
        return no(11, "EMERGENCY_CONSENT_OBTAINABLE", minor=2)
    restricted = any(restrictions_on(matter, item))
    more = ["ASK_NO_FURTHER_USE"] if restricted else []
    return yes(11, "OK_EMERGENCY", "EMERGENCY_DOC", "LABEL", "PROCEEDINGS_BAR", *more, absent=["ACCOUNT", "NOTICE"])


def _agreed(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.52, 2.53, 2.11 "qualified service organization": an agreement with the program, in force."""
    kind = matter.basis["type"]
    type_of, reason, work = _AGREED[kind]
    if matter.law_enforcement:
        raise NotJudged("an agreement with police")
    if not all(purposes.is_under(one, work) for one in matter.ask.purposes):
        raise NotJudged("an agreement for other work")
    stated = matter.basis.get("approval" if kind == "research" else "agreement")
    found = matter.partners.agreement(matter.ask.recipient, stated, type_of, origin) if stated else None
    if found is None:
        return no(11, reason)
    if matter.basis.get("protocol") != found.get("protocol"):
        raise NotJudged("an approval of another protocol")
    more = [] if kind == "qso" else ["NO_REDISCLOSE", "PROCEEDINGS_BAR"]
    return yes(11, f"OK_{kind.upper()}", "LABEL", "MIN", *more, absent=["NOTICE"])


def _ordered(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.61 to 2.67: the order authorizes, the process compels, nothing beyond its scope."""
    order, process, at = matter.basis.get("order"), matter.basis.get("process"), matter.ask.at
    if not order:
        return no(11, "SUBPOENA_ALONE")
    day = at.date().isoformat()
    in_force = order.get("status") == "in_force" and order["issued"] <= day <= order["expires"]
    if not in_force or not order.get("findings"):
        return no(11, "ORDER_DEFICIENT")
    if order["holder"] != origin or matter.ask.recipient not in order["recipients"]:
        return no(11, "ORDER_SCOPE", minor=1)
    if not process or not process.get("verified_by") or not order.get("verified_by"):
        return no(11, "ORDER_NOT_COMPULSORY", "ORDER_DEFICIENT", minor=2, hold=bool(order.get("verified_by")))
    listed = item.resource["resourceType"] in {one["resource_type"] for one in order["scope"]}
    if not listed or (NOTES in item.stated_labels and not order.get("confidential_communications")):
        return no(11, "ORDER_SCOPE", minor=3)
    return yes(11, "OK_COURT_ORDER", "MIN", "LEGAL_QUEUE", absent=["NOTICE"])


def _crime(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.12(c)(5): who, and what happened; no record."""
    if "police" not in matter.roles or matter.request["requester"].get("organization") != origin:
        raise NotJudged("a crime reported to others, or by others")
    if not (matter.basis.get("on_premises") or matter.basis.get("against_personnel")):
        raise NotJudged("a crime elsewhere, against others")
    if item.resource["resourceType"] == "Patient":
        return yes(11, "OK_CRIME_PREMISES", "MIN", absent=["NOTICE"])
    return no(11, "MIN_NECESSARY", minor=1)


def _child(matter: Matter, item: Item, origin: str) -> Word:
    """42 CFR 2.12(c)(6): what the first report needs."""
    if (
        matter.basis.get("report") != "initial"
        or not matter.basis.get("state_law")
        or "child_protection" not in matter.roles
    ):
        raise NotJudged("a report that is not the first one")
    if item.reference in matter.basis["content"]:
        return yes(11, "OK_CHILD_ABUSE", "MIN", absent=["NOTICE"])
    return no(11, "MIN_NECESSARY", minor=1)


_BASES: dict[str, Callable[[Matter, Item, str], Word]] = {
    "patient_access": _own_access,
    "emergency": _emergency,
    "research": _agreed,
    "audit": _agreed,
    "qso": _agreed,
    "court_order": _ordered,
    "crime_on_premises": _crime,
    "child_abuse_report": _child,
}
