"""What `ports.Database` promises about single resources and their versions, on every implementation."""

from gateway.ports import Database, Transaction
from tests.support.stored import AT, a_handoff, an_observation, an_organization, keep

pytest_plugins = ("tests.support.databases",)


def test_a_resource_that_is_put_carries_its_version_and_instant(database: Database) -> None:
    resource = {**an_observation(), "meta": {"profile": ["p"], "versionId": "99"}}

    version = database.write(lambda t: t.resources.put(resource, handoff_id=None, person_id="person-1", at=AT))

    stored = database.read(lambda t: t.resources.get("Observation", "observation-1"))
    assert version == 1
    assert stored is not None
    assert stored.body["meta"] == {"profile": ["p"], "versionId": "1", "lastUpdated": "2026-11-02T18:00:00.000000Z"}
    assert (stored.version, stored.updated_at, stored.person_id) == (1, AT, "person-1")


def test_putting_again_makes_the_next_version_and_keeps_the_one_before(database: Database) -> None:
    for value in ("calm", "agitated"):
        database.write(
            lambda t, value=value: t.resources.put(an_observation(value=value), handoff_id=None, person_id=None, at=AT)
        )

    history = database.read(lambda t: t.resources.history("Observation", "observation-1"))

    assert [(s.version, s.body["valueString"]) for s in history] == [(2, "agitated"), (1, "calm")]


def test_a_resource_put_into_a_handoff_comes_last_and_keeps_its_place(database: Database) -> None:
    keep(database)
    for value in ("one", "two"):
        database.write(
            lambda t, value=value: t.resources.put(
                an_observation("added", value), handoff_id="handoff-1", person_id=None, at=AT
            )
        )

    assert database.read(lambda t: t.handoffs.resources("handoff-1")) == [
        an_observation(),
        an_observation("added", "two"),
    ]


def test_a_business_identifier_is_found_as_long_as_the_resource_carries_it(database: Database) -> None:
    system = "https://warmhandoff.example/id/ori"
    long_value = "x" * 3000
    for identifier in ("WA0171100", long_value):
        database.write(
            lambda t, identifier=identifier: t.resources.put(
                an_organization(identifier=identifier), handoff_id=None, person_id=None, at=AT
            )
        )

    assert database.read(lambda t: t.resources.by_identifier("Organization", system, "WA0171100")) == []
    assert len(database.read(lambda t: t.resources.by_identifier("Organization", system, long_value))) == 1
    assert database.read(lambda t: t.resources.by_identifier("Patient", system, long_value)) == []


def test_a_business_identifier_is_found_however_long_its_system_is(database: Database) -> None:
    system = "https://warmhandoff.example/id/" + "s" * 300
    organization = {**an_organization(), "identifier": [{"system": system, "value": "7"}]}

    database.write(lambda t: t.resources.put(organization, handoff_id=None, person_id=None, at=AT))

    found = database.read(lambda t: t.resources.by_identifier("Organization", system, "7"))
    assert [one.body["identifier"] for one in found] == [[{"system": system, "value": "7"}]]


def test_a_stored_resource_does_not_change_with_the_callers_copy(database: Database) -> None:
    resource = an_observation()
    database.write(lambda t: t.resources.put(resource, handoff_id=None, person_id=None, at=AT))

    resource["valueString"] = "changed by the caller"

    stored = database.read(lambda t: t.resources.get("Observation", "observation-1"))
    assert stored is not None
    assert stored.body["valueString"] == "calm"


def test_several_resources_are_those_that_are_there_in_the_order_asked(database: Database) -> None:
    keep(database)
    keys = [("Observation", "nobodys"), ("Observation", "observation-1"), ("Patient", "observation-1")]

    def look(t: Transaction) -> list[list[str]]:
        asked = [t.resources.several(keys), t.resources.several([])]
        return [[one.body["id"] for one in found] for found in asked]

    assert database.read(look) == [["observation-1"], []]
    database.write(lambda t: t.handoffs.save(a_handoff(), []))
    assert database.read(look) == [[], []]
