"""A consent of another system counts for a day after it was last confirmed, and then asks for somebody again."""

from dataclasses import replace
from datetime import timedelta

from gateway.flow.consents.terms import keep_watch
from gateway.flow.gateway import Gateway
from gateway.model.consent_life import ConsentTerm
from gateway.ports import Transaction
from tests.support.consent_desk import LEE, a_form, a_refused_referral, capture, line_of, person_of, signed, stored
from tests.support.flow_house import World

DAY = timedelta(days=1)


def of_another_system(world: World) -> str:
    """A verified consent whose original lies elsewhere, where it can be taken back without our hearing of it."""
    consent_id = capture(world, signed(world, a_form(world)))
    body = stored(world, consent_id)
    body = {**body, "meta": {**body["meta"], "source": "https://other-ehr.example/fhir/Consent/1"}}
    at, person = world.clock(), person_of(world)

    def keep(tx: Transaction) -> None:
        tx.resources.put(body, handoff_id=None, person_id=person, at=at)
        keep_watch(world.house, tx, body)

    world.database.write(keep)
    return consent_id


def waiting(world: World) -> list[str]:
    return [one.consent_id for one in world.gateway.consent_desk.waiting(LEE).lines]


def test_while_it_counts_nobody_is_asked_and_once_it_lapses_it_stands_among_those_that_wait() -> None:
    world = a_refused_referral()
    consent_id = of_another_system(world)

    world.clock.advance(DAY)
    in_time = line_of(world, consent_id).state, waiting(world)
    world.clock.advance(timedelta(seconds=1))

    assert in_time == ("active", [])
    assert (line_of(world, consent_id).state, waiting(world)) == ("waits", [consent_id])


def test_whoever_confirms_it_again_lets_it_count_for_another_day() -> None:
    world = a_refused_referral()
    consent_id = of_another_system(world)
    world.clock.advance(DAY + timedelta(hours=5))

    confirmed = world.gateway.consent_desk.verify(LEE, consent_id, "a call to the other clinic")

    assert confirmed is None
    assert (line_of(world, consent_id).state, waiting(world)) == ("active", [])
    world.clock.advance(DAY + timedelta(seconds=1))
    assert (line_of(world, consent_id).state, waiting(world)) == ("waits", [consent_id])


def test_a_consent_of_ours_waits_for_nobody_ever() -> None:
    world = a_refused_referral()
    consent_id = capture(world, signed(world, a_form(world)))

    term = world.database.read(lambda tx: tx.consent_terms.get(consent_id))

    assert isinstance(term, ConsentTerm)
    assert term.waits_since is None


def test_a_site_may_let_them_count_for_longer_than_the_calendar_lasts() -> None:
    world = a_refused_referral()
    house = replace(world.house, switches={"external_consent_max_age": 10**8})
    world = replace(world, house=house, gateway=Gateway(house))
    consent_id = of_another_system(world)

    world.clock.advance(DAY * 30)

    assert (line_of(world, consent_id).state, waiting(world)) == ("active", [])
