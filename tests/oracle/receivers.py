"""Whom a permit reaches: by name, as a member of a class, through an intermediary. 42 CFR 2.11, 2.31(a)(4)."""

from tests.oracle import purposes
from tests.oracle.papers import Ask, Path, class_of, recipients_of
from tests.oracle.reading import Json, NotJudged, Partners, identifier

TREATING = {"provider", "otp", "ems", "crisis", "mental_health", "jail_health"}


def stated_recipients(node: Json, paper: Json) -> list[tuple[str | None, Json]]:
    """Return the recipients a provision states, with their class; a Group that names none is no recipient."""
    return [(kind, one) for one in recipients_of(node) if (kind := class_of(one, paper)) != ""]


def is_named(reference: Json, receiver: str, ask: Ask) -> bool:
    if ask.partners.named(reference) == receiver:
        return True
    return receiver == ask.recipient and ask.practitioner is not None and identifier(reference) == ask.practitioner


def reach_of(path: Path, paper: Json, receiver: str, ask: Ask) -> set[str]:
    """Say how a permit reaches a receiver: named, by class, through an intermediary; {} where it does not.

    {"unstated"} where no provision of the path states a recipient. Every stated actor of the path is a condition.
    """
    reach: set[str] = set()
    for node in path:
        stated = stated_recipients(node, paper)
        if not stated:
            reach |= {"unstated"} if recipients_of(node) else set()
            continue
        how = {"named" for kind, one in stated if not kind and is_named(one, receiver, ask)}
        how |= {"class" for kind, _ in stated if kind} if not how else set()
        if not how and any(_carries_on(ask.partners.named(one), ask) for _, one in stated):
            how = {"through"}
        if not how:
            return set()
        reach |= how
    return reach or {"unstated"}


def _carries_on(who: str | None, ask: Ask) -> bool:
    """Say whether an organization is an intermediary that the records of this request pass through."""
    return who in ask.via and is_intermediary(who, ask.partners)


def is_intermediary(who: str | None, partners: Partners) -> bool:
    """Say whether an organization is an intermediary: a network that is no program, covered entity or associate."""
    if who is None or "intermediary" not in partners.roles(who):
        return False
    return not partners.is_program(who) and not partners.is_covered(who)


def is_member(path: Path, paper: Json, receiver: str, ask: Ask, discloser: str | None) -> bool:
    """Say whether a receiver belongs to every class a permit states, for the purposes asked."""
    if ask.is_for_officer and receiver == ask.recipient:
        return False
    for node in path:
        stated = stated_recipients(node, paper)
        kinds = {kind for kind, _ in stated} - {None}
        if not kinds or any(not kind and is_named(one, receiver, ask) for kind, one in stated):
            continue
        if len(kinds) > 1:
            raise NotJudged("one of several classes")
        if kinds == {"tpo"}:
            if not _is_of_the_class_of_tpo(receiver, ask, discloser):
                return False
        elif not _takes_part(receiver, path, ask) or (kinds == {"treating-participants"} and not treats(receiver, ask)):
            return False
    return not ask.partners.roles(receiver) & {"police", "prosecutor"}


def treats(receiver: str, ask: Ask) -> bool:
    """Say whether a receiver is somebody who treats, and is known to treat this person."""
    provides = bool(ask.partners.roles(receiver) & TREATING) or ask.partners.is_program(receiver)
    return provides and ask.treats(receiver)


def _takes_part(receiver: str, path: Path, ask: Ask) -> bool:
    """Say whether a receiver is a participant of an intermediary that a permit names."""
    between = {ask.partners.named(one) for node in path for one in recipients_of(node)}
    between = {one for one in between if is_intermediary(one, ask.partners)}
    if any(is_intermediary(one, ask.partners) for one in ask.via):
        between &= set(ask.via)
    return not between or any(receiver in ask.partners.by_id[one or ""].get("members", []) for one in between)


def _is_of_the_class_of_tpo(receiver: str, ask: Ask, discloser: str | None) -> bool:
    """Say whether somebody is a treating provider, a payer, or helps to operate the program. 2.31(a)(4)(i).

    Who treats gets it for treatment, who insures or helps for payment and operations, and who treats and is covered
    for its own operations.
    """
    partners = ask.partners
    if all(purposes.is_under(one, purposes.TREATMENT) for one in ask.purposes):
        return treats(receiver, ask)
    serves = partners.law(receiver).get("business_associate_of", [])
    is_service = bool(discloser) and partners.agreement(receiver, "", "qsoa", discloser or "") is not None
    kinds = (purposes.PAYMENT, purposes.OPERATIONS)
    if not all(any(purposes.is_under(one, kind) for kind in kinds) for one in ask.purposes):
        return False
    if ask.insures(receiver) or discloser in serves or is_service:
        return True
    is_payment = all(purposes.is_under(one, purposes.PAYMENT) for one in ask.purposes)
    return not is_payment and partners.is_covered(receiver) and treats(receiver, ask)


def extra_receivers(ask: Ask, discloser: str | None) -> list[str]:
    """Return who on the way is a recipient too: neither intermediary nor exchange nor associate of a side."""
    extra = []
    for via in ask.via:
        serves = set(ask.partners.law(via).get("business_associate_of", []))
        if not ask.partners.roles(via) & {"intermediary", "hie"} and not serves & {discloser, ask.recipient}:
            extra.append(via)
    return [one for one in extra if one != ask.recipient]


def lacks_participants(path: Path, paper: Json, ask: Ask) -> bool:
    """Say whether a permit names an intermediary without participants, or participants of none. 2.31(a)(4)(ii)."""
    named = [[ask.partners.named(one) for one in recipients_of(node)] for node in path]
    between = [any(is_intermediary(one, ask.partners) for one in here) for here in named]
    for node, here, is_between in zip(path, named, between, strict=True):
        inner = [one for one in node.get("provision", []) if one.get("type") == "permit" and one.get("actor")]
        if is_between and not inner and ask.recipient not in here:
            if len(here) > 1:
                raise NotJudged("an intermediary beside somebody else")
            return True
    classes = {kind for node in path for kind, _ in stated_recipients(node, paper)}
    return "all-participants" in classes or ("treating-participants" in classes and not any(between))
