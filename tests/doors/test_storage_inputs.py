"""What `ports.Database` promises about inputs and what became of their records, on every implementation."""

from datetime import timedelta

import pytest

from gateway.model.errors import GatewayError
from gateway.model.handoff import InputRecord, StoredInput
from gateway.ports import Database, Transaction
from tests.support.stored import AT, LATER, an_input

pytest_plugins = ("tests.support.databases",)


def keep_with_key(database: Database, stored: StoredInput, key: str) -> None:
    """Store an input that came with an idempotency key."""

    def work(transaction: Transaction) -> None:
        transaction.inputs.add(stored)
        transaction.inputs.remember_key(stored.client, stored.source, key, stored.id)

    database.write(work)


def test_an_input_comes_back_byte_for_byte(database: Database) -> None:
    payload = bytes(range(256))

    database.write(lambda t: t.inputs.add(an_input(payload=payload)))

    assert database.read(lambda t: t.inputs.get("input-1")) == an_input(payload=payload)


def test_whose_an_input_is_can_be_said_later(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input(client=None)))

    database.write(lambda t: t.inputs.set_sender("input-1", "org:sample"))

    assert database.read(lambda t: t.inputs.get("input-1")) == an_input(client="org:sample")
    with pytest.raises(GatewayError, match="expected a stored input"):
        database.write(lambda t: t.inputs.set_sender("nobody", "org:sample"))


def test_an_unknown_input_is_none(database: Database) -> None:
    assert database.read(lambda t: t.inputs.get("nobody")) is None


def test_the_same_content_is_found_only_for_the_same_client_and_source(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input("later", received_at=LATER)))
    database.write(lambda t: t.inputs.add(an_input("first")))
    database.write(lambda t: t.inputs.add(an_input("nameless", client=None, sha256="c" * 64)))

    def look(t: Transaction) -> list[str | None]:
        return [
            t.inputs.same_content("demo-agency", "seattle-rms-crisis", "a" * 64),
            t.inputs.same_content("other-agency", "seattle-rms-crisis", "a" * 64),
            t.inputs.same_content("demo-agency", "eido", "a" * 64),
            t.inputs.same_content(None, "seattle-rms-crisis", "c" * 64),
            t.inputs.same_content(None, "seattle-rms-crisis", "a" * 64),
        ]

    assert database.read(look) == ["first", None, None, "nameless", None]


def test_an_idempotency_key_belongs_to_one_client_and_source(database: Database) -> None:
    keep_with_key(database, an_input("first"), "key-1")
    keep_with_key(database, an_input("of-another-source", source="eido"), "key-1")

    def look(t: Transaction) -> list[StoredInput | None]:
        return [
            t.inputs.by_idempotency_key("demo-agency", "seattle-rms-crisis", "key-1"),
            t.inputs.by_idempotency_key("demo-agency", "eido", "key-1"),
            t.inputs.by_idempotency_key("other-agency", "seattle-rms-crisis", "key-1"),
            t.inputs.by_idempotency_key(None, "seattle-rms-crisis", "key-1"),
        ]

    assert database.read(look) == [an_input("first"), an_input("of-another-source", source="eido"), None, None]


def test_an_input_may_have_several_idempotency_keys(database: Database) -> None:
    keep_with_key(database, an_input(), "key-1")
    database.write(lambda t: t.inputs.remember_key("demo-agency", "seattle-rms-crisis", "key-2", "input-1"))

    def look(t: Transaction) -> list[StoredInput | None]:
        return [t.inputs.by_idempotency_key("demo-agency", "seattle-rms-crisis", f"key-{n}") for n in (1, 2, 3)]

    assert database.read(look) == [an_input(), an_input(), None]


@pytest.mark.parametrize("client", ["demo-agency", None])
def test_a_second_input_with_the_same_idempotency_key_is_refused(database: Database, client: str | None) -> None:
    keep_with_key(database, an_input("first", client=client), "key-1")

    with pytest.raises(GatewayError, match="contradicts what is stored"):
        keep_with_key(database, an_input("second", client=client), "key-1")

    assert database.read(lambda t: t.inputs.get("second")) is None


def test_an_idempotency_key_of_no_input_is_refused(database: Database) -> None:
    with pytest.raises(GatewayError, match="contradicts what is stored"):
        database.write(lambda t: t.inputs.remember_key("demo-agency", "eido", "key-1", "nobody"))


def test_an_input_that_cannot_be_read_is_quarantined_with_its_reason(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))

    database.write(lambda t: t.inputs.set_state("input-1", "quarantined", "not UTF-8"))

    stored = database.read(lambda t: t.inputs.get("input-1"))
    assert stored is not None
    assert (stored.state, stored.reason) == ("quarantined", "not UTF-8")


def test_several_inputs_are_marked_each_with_its_own_state(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input("input-1"), an_input("input-2", sha256="b" * 64)))

    database.write(lambda t: t.inputs.set_states([("input-1", "done", None), ("input-2", "quarantined", "unknown")]))

    found = [database.read(lambda t, key=key: t.inputs.get(key)) for key in ("input-1", "input-2")]
    assert [(one.state, one.reason) for one in found if one] == [("done", None), ("quarantined", "unknown")]


def test_marking_an_unknown_input_fails(database: Database) -> None:
    with pytest.raises(GatewayError, match="expected a stored input with id nobody, found none"):
        database.write(lambda t: t.inputs.set_state("nobody", "done"))


def test_what_became_of_records_is_overwritten_by_number(database: Database) -> None:
    database.write(lambda t: t.inputs.add(an_input()))
    database.write(
        lambda t: t.inputs.put_records([InputRecord("input-1", 2, "skipped"), InputRecord("input-1", 1, "quarantined")])
    )

    database.write(lambda t: t.inputs.put_records([InputRecord("input-1", 1, "converted", None, "handoff-1")]))

    assert database.read(lambda t: t.inputs.records("input-1")) == [
        InputRecord("input-1", 1, "converted", None, "handoff-1"),
        InputRecord("input-1", 2, "skipped"),
    ]


def test_what_waits_for_a_person_is_found_by_whose_it_is_in_the_order_it_came(database: Database) -> None:
    def keep_four(t: Transaction) -> None:
        for number, client in ((3, "org:sample"), (1, "org:sample"), (2, "org:sample"), (4, "org:other")):
            t.inputs.add(an_input(id=f"input-{number}", client=client, received_at=AT + timedelta(minutes=number)))
            t.inputs.put_records([InputRecord(f"input-{number}", 1, "converted" if number == 2 else "quarantined")])
        t.inputs.put_records([InputRecord("input-1", 2, "quarantined")])

    database.write(keep_four)

    assert database.read(lambda t: t.inputs.waiting("org:sample")) == ["input-1", "input-3"]
    assert database.read(lambda t: t.inputs.waiting("org:sample", limit=1)) == ["input-1"]
    assert database.read(lambda t: t.inputs.waiting("org:nobody")) == []
