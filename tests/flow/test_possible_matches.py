"""A record that may be about somebody known: nothing of it goes before a person has said whom it is about."""

from gateway.flow.replays import replay
from tests.support.flow_house import CONTACT, a_world


def test_a_delivery_of_a_held_record_that_is_decided_again_goes_on_waiting() -> None:
    world = a_world()
    world.take(CONTACT)
    world.take({**CONTACT, "contact_id": "C-2", "client_id": "K-2", "phone": ""})
    before = len(world.transport.sent)
    (held,) = (one for one in world.database.read(lambda tx: tx.outbox.of_states(["held"])))

    replayed = world.database.write(lambda tx: replay(tx, held.id, "staff-kim", world.clock()))
    world.work()

    assert replayed is None
    assert len(world.transport.sent) == before
    assert world.states()[-1][1:] == ("held", "possible match: it may be about somebody who is known already")
