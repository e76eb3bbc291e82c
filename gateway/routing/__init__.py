"""Choose the recipients of a referral, each with the rule that chose it."""

from collections.abc import Iterable, Set

from gateway.model.route import Recipient, Route


def recipients(
    routes: Iterable[Route], *, program: str, agency: str, services: Set[str], priority: str
) -> list[Recipient]:
    """Return every recipient whose route matches, first to last, each organization and transport once.

    An empty list means that no rule covers the referral: a person has to look, nothing is guessed.
    """
    chosen: dict[tuple[str, str], Recipient] = {}
    for route in routes:
        if _matches(route, program, agency, services, priority):
            chosen.setdefault(
                (route.to, route.transport),
                Recipient(route.to, route.transport, route.purpose, route.without_agreement, route.rule, route.via),
            )
    return list(chosen.values())


def _matches(route: Route, program: str, agency: str, services: Set[str], priority: str) -> bool:
    return (
        (not route.program or program in route.program)
        and (not route.agency or agency in route.agency)
        and (not route.service or bool(route.service & services))
        and (not route.priority or priority in route.priority)
    )
