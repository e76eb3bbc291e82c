"""Which referral goes to whom."""

from gateway.model.route import Route
from gateway.routing import recipients


def a_route(to: str, **when: frozenset[str]) -> Route:
    conditions = {"program": frozenset[str](), "agency": frozenset[str](), "service": frozenset[str]()} | when
    return Route(
        rule="routes.yaml:1", priority=frozenset(), to=to, transport="fhir", purpose=("TREAT",),
        without_agreement=None, **conditions,
    )  # fmt: skip


def chosen(*routes: Route) -> list[str]:
    found = recipients(routes, program="cit", agency="org:pd", services={"detox"}, priority="routine")
    return [recipient.organization for recipient in found]


def test_every_matching_route_adds_its_recipient_first_to_last() -> None:
    assert chosen(a_route("org:b"), a_route("org:a", program=frozenset({"cit"}))) == ["org:b", "org:a"]


def test_every_stated_condition_must_hold() -> None:
    route = a_route("org:a", program=frozenset({"cit"}), service=frozenset({"shelter"}))

    assert chosen(route) == []


def test_two_routes_to_one_recipient_send_once() -> None:
    assert chosen(a_route("org:a"), a_route("org:a", service=frozenset({"detox"}))) == ["org:a"]


def test_no_matching_route_gives_no_recipient() -> None:
    assert chosen(a_route("org:a", agency=frozenset({"org:other"}))) == []
