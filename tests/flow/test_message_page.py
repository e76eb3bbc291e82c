"""What staff see of an HL7v2 message: everything, or only its structure where a Part 2 program stands behind it."""

from dataclasses import replace

from gateway.flow.gateway import Gateway
from gateway.flow.messages.page import MessagePage
from gateway.model.partner import Organization, Registry
from tests.support.flow_house import CONTACT, World, a_world, without_agreements
from tests.support.hospital_feed import PEER, a_world_that_knows_two, adt, newest_input, take

STAFF = ("staff-1", "staff")
FROM_THE_CLINIC = (
    b"MSH|^~\\&|CLINIC-EHR|RECOVERY|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^A01|E1|P|2.5.1\r"
    b"EVN|A01|20261102120000-0800\rPID|1||M-9^^^RECOVERY^MR||Stranger^Max\rPV1|1|E\r"
)


def with_registry(world: World, **changed: Organization) -> World:
    """The same world after organizations (by the last part of their id) have changed."""
    registry = Registry(changed.get(one.id.rpartition("-")[2].rpartition(":")[2], one) for one in world.house.registry)
    house = replace(world.house, registry=registry)
    return replace(world, house=house, gateway=Gateway(house))


def organization(world: World, registry_id: str) -> Organization:
    found = world.house.registry.get(registry_id)
    assert found is not None
    return found


def page(world: World, message_id: str | None = None) -> MessagePage:
    found = world.gateway.console_message(STAFF, message_id or newest_input(world))
    assert found is not None
    return found


def values(found: MessagePage) -> dict[str, str]:
    return {one.path: one.value for one in found.fields}


def test_a_message_is_shown_with_its_answer_outcome_and_what_became_of_each_field() -> None:
    world = a_world_that_knows_two()
    take(world, adt("A01", "E1"))

    found = page(world)

    assert found.withheld is None
    assert values(found)["PID-5"] == "Sample^Ari"
    assert found.raw is not None
    assert "PID|1||M-1" in found.raw
    assert found.answer is not None
    assert "MSA|AA|E1" in found.answer
    assert found.record is not None
    assert (found.record.state, found.record.handoff_id is not None) == ("converted", True)
    assert {one.status for one in found.fields} == {"mapped", "kept"}


def test_of_a_long_message_the_first_fields_are_shown_and_the_others_counted() -> None:
    world = a_world_that_knows_two()
    results = "\r".join(f"OBX|{n}|NM|718-7^Hemoglobin^LN||{n}|g/dL|||||F" for n in range(1, 1001))
    take(world, adt("A01", "E1", rest=f"PV1|1|E\r{results}"))

    found = page(world)

    # 20 fields before the results, and six of each.
    assert (len(found.fields), found.fields_left_out) == (2000, 4020)


def test_every_view_is_in_the_audit_trail() -> None:
    world = a_world_that_knows_two()
    take(world, adt("A01", "E1"))

    page(world)

    entry = list(world.database.state.audit.values())[-1]
    assert (entry.kind, entry.actor) == ("message.viewed", "staff-1")
    assert entry.data == {"input": newest_input(world), "content": True}


def test_without_an_agreement_with_every_program_only_structure_is_shown_of_any_message() -> None:
    world = a_world()
    take(world, FROM_THE_CLINIC)
    of_a_program = newest_input(world)
    take(world, adt("A01", "E2", number="M-7", person="Other^Max"))
    of_nobody = newest_input(world)

    allowed = page(world, of_a_program)
    refused = [page(without_agreements(world), one) for one in (of_a_program, of_nobody)]

    assert values(allowed)["PID-5"] == "Stranger^Max"
    assert {one.path for one in refused[0].fields} == {one.path for one in allowed.fields}
    assert [(one.raw, values(one)["PID-5"], values(one)["MSH-5"]) for one in refused] == [
        (None, "", "WARMHANDOFF"),
        (None, "", "WARMHANDOFF"),
    ]
    assert {one.withheld for one in refused} == {
        "this operator has no agreement in force with every Part 2 program of the registry"
    }


def test_a_message_about_somebody_possibly_known_follows_the_records_of_that_person() -> None:
    world = a_world()
    world.take(CONTACT)
    unregistered = replace(organization(world, "org:demo-pd"), identifiers=(("urn:elsewhere", "x"),))
    take(world, adt("A01", "E1", number="M-7", person="Sample^Ari||19900102|F"))

    found = page(with_registry(world, pd=unregistered))

    assert found.withheld == "a record of a person it names is not shown whole here"
    assert not any(value for path, value in values(found).items() if not path.startswith("MSH"))


def test_a_merge_that_waits_offers_who_would_become_whom() -> None:
    world = a_world_that_knows_two()
    take(world, adt("A40", "E1", rest="MRG|M-2^^^HOSPITAL^MR"))

    (merge,) = page(world).merges
    assert merge.surviving is not None
    assert (merge.ended.family, merge.surviving.family) == ("Example", "Sample")
    assert world.gateway.decide_merge("staff-1", newest_input(world), True)
    assert page(world).merges == ()


def test_what_cannot_be_read_is_shown_as_it_came() -> None:
    world = a_world()
    world.gateway.accept_message(b"no message at all", PEER)

    found = page(world)

    assert (found.fields, found.raw, found.header) == ((), "no message at all", None)


def test_an_owed_answer_without_a_way_back_is_said() -> None:
    world = a_world()
    asked = adt("A01", "E1").replace(b"|P|2.5.1\r", b"|P|2.5.1|||AL|AL\r", 1)
    world.gateway.accept_message(asked, PEER)

    found = page(world)

    assert (found.owes_reply, found.reply) == (True, None)


def test_there_is_no_page_for_what_is_no_message() -> None:
    world = a_world()
    accepted = world.take(CONTACT)

    assert world.gateway.console_message(STAFF, accepted.input_id) is None
    assert world.gateway.console_message(STAFF, "nothing-here") is None
