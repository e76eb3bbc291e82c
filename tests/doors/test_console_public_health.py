"""A de-identified release at the console: who is offered, what has to be stated, and what the file holds."""

import re
from dataclasses import replace
from datetime import date

import orjson
import pytest

from gateway.catalog.code_systems import read_code_systems
from gateway.flow.gateway import Gateway
from gateway.model.partner import Endpoint, LegalClass, Organization, Registry
from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import submit
from tests.support.consent_site import Desk
from tests.support.flow_house import World, a_world
from tests.support.released import take_case
from tests.support.web_house import a_site

pytest_plugins = ("tests.support.sites",)

HEALTH = Organization(
    id="org:health", name="Example Public Health",
    identifiers=(("https://warmhandoff.example/id/partner", "health"),), roles=frozenset({"public_health"}),
    legal_classes=(LegalClass(date(2020, 1, 1), "no"),),
    endpoints=(Endpoint("fhir", "http://127.0.0.1:8097/fhir", verified=date(2026, 1, 1)),),
)  # fmt: skip
NEW = "/console/releases/new/public_health"


@pytest.fixture
def desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    base = a_world()
    registry = Registry([*base.house.registry, HEALTH])
    house = replace(base.house, database=web_store, clock=clock, registry=registry, code_systems=read_code_systems())
    world = World(house, Gateway(house), clock, base.database, base.transport)
    site = a_site(web_store, clock, house=world.gateway)
    return Desk(site, world, take_case(world))


def test_only_public_health_is_offered(desk: Desk) -> None:
    page = desk.enter("pia", "privacy-officer").get(NEW).text

    assert re.findall(r'<option value="(org:[^"]+)"', page) == ["org:health"]


def test_a_copy_is_handed_over_that_names_nobody(desk: Desk) -> None:
    browser = desk.enter("pia", "privacy-officer")

    asked = submit(browser, NEW, NEW, record=desk.record, recipient="org:health", way="copy", no_knowledge="yes")
    page = browser.get(asked.location)
    copy = submit(browser, asked.location, f"{asked.location}/copy", form="fhir")

    assert "OK_DEIDENT" in page.text
    assert "Letter (PDF)" not in page.text
    assert copy.content_type == "application/fhir+json"
    kinds = {entry["resource"]["resourceType"] for entry in orjson.loads(copy.data)["entry"]}
    assert "Patient" in kinds
    assert not kinds & {"Organization", "Provenance", "DocumentReference", "Consent"}
    assert [word for word in (b"Sample", b"Exampleville", b"1990-01-02", b"2026-10-20") if word in copy.data] == []


def test_nothing_is_asked_for_without_the_statement(desk: Desk) -> None:
    browser = desk.enter("pia", "privacy-officer")

    page = submit(browser, NEW, NEW, record=desk.record, recipient="org:health", way="copy")

    assert page.status_code == 400
    assert "before the form&#39;s statement is made" in page.text


def test_it_is_sent_to_their_system(desk: Desk) -> None:
    browser = desk.enter("pia", "privacy-officer")

    submit(browser, NEW, NEW, record=desk.record, recipient="org:health", way="send", no_knowledge="yes")

    sent = desk.sent()
    assert '"resourceType":"Patient"' in sent
    assert "Sample" not in sent
