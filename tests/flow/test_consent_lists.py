"""Lists of consents are never so long that somebody's own do not stand in them."""

from gateway.model.consent_life import ConsentTerm
from gateway.ports import Transaction
from tests.support.consent_desk import LEE, PAM, a_paper, a_refused_referral, file_scan, stored
from tests.support.flow_house import World

OTHER = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "9999999019"}}
"""A program of the registry that none of these members of staff works for."""


def fill(world: World, consent_id: str, number: int, organization: list[dict[str, object]] | None = None) -> None:
    """Keep so many consents that wait longer than this one and are like it, but for who discloses."""
    body = stored(world, consent_id)
    since = world.clock()

    def keep(tx: Transaction) -> None:
        for n in range(number):
            one = {**body, "id": f"older-{n}", "organization": organization or body["organization"]}
            tx.resources.put(one, handoff_id=None, person_id=f"person-{n}", at=since)
            tx.consent_terms.put(ConsentTerm(one["id"], None, waits_since=since.replace(year=2025)))

    world.database.write(keep)


def test_what_a_program_has_waiting_is_listed_though_hundreds_of_others_wait_longer() -> None:
    world = a_refused_referral()
    consent_id = file_scan(world, a_paper(world))
    fill(world, consent_id, 201, [OTHER])

    waiting = world.gateway.consent_desk.waiting(PAM)

    assert [one.consent_id for one in waiting.lines] == [consent_id]
    assert waiting.has_more is False


def test_a_list_that_was_cut_says_that_there_are_more() -> None:
    world = a_refused_referral()
    consent_id = file_scan(world, a_paper(world))
    fill(world, consent_id, 200)

    waiting = world.gateway.consent_desk.waiting(LEE)

    assert len(waiting.lines) == 200
    assert waiting.has_more is True
    assert world.database.audit[-1].data == {"lines": 200}
