"""Which items a restriction binds: those in the hands of who promised, and of these the ones that are named."""

from datetime import date

import pytest

from gateway.consent.facts import Restriction
from gateway.model.labeled import Hop, Item, Origin
from gateway.model.partner import LegalClass, Organization

CLINIC, OTHER, POLICE = (
    Organization(id=f"org:{name}", name=name, identifiers=(), legal_classes=(LegalClass(date(2024, 1, 1), law, True),))
    for name, law in (("clinic", "yes"), ("other", "yes"), ("police", "no"))
)


def an_item(*authors: Organization | None, program: Organization | None, after: tuple[Hop, ...] = ()) -> Item:
    origin = Origin(authors, after, program, after)
    return Item("Condition/c-1", "Condition", {}, frozenset(), frozenset(), frozenset(), origin, b"")


def binds(
    item: Item, items: frozenset[str] | None = None, of: frozenset[str] | None = frozenset({"org:clinic"})
) -> bool:
    return Restriction("agreed", frozenset({"org:hospital"}), items, of).covers(item)


@pytest.mark.parametrize(
    ("item", "is_bound"),
    [
        (an_item(CLINIC, program=CLINIC), True),
        (an_item(OTHER, program=OTHER), False),
        (an_item(POLICE, program=None), False),
        (an_item(POLICE, program=CLINIC), True),
        (an_item(CLINIC, program=OTHER), False),
        (an_item(OTHER, program=OTHER, after=(Hop(CLINIC, (), None, "referral"),)), True),
        (an_item(OTHER, program=OTHER, after=(Hop(None, (), None, None),)), True),
        (an_item(None, program=None), True),
    ],
    ids=["own", "another program's", "police's", "received from police", "in another's hands", "a copy received",
         "a copy of who knows whom", "nobody knows whose"],
)  # fmt: skip
def test_a_promise_binds_what_is_in_the_hands_of_who_promised(item: Item, is_bound: bool) -> None:
    assert binds(item) == is_bound


def test_a_promise_of_everybody_binds_everything() -> None:
    assert binds(an_item(OTHER, program=OTHER), of=None)


def test_a_promise_about_some_items_binds_no_others() -> None:
    item = an_item(CLINIC, program=CLINIC)

    assert binds(item, items=frozenset({"Condition/c-1"}))
    assert not binds(item, items=frozenset({"Condition/c-2"}))
    assert not binds(an_item(OTHER, program=OTHER), items=frozenset({"Condition/c-1"}))
