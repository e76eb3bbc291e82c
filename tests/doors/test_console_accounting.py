"""The accounting of disclosures at the console: behind the login, as a page and as two downloads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from gateway.model.accounting import Accounted, Accounting, Wanted
from gateway.model.handoff import FoundPerson
from gateway.model.partner import Organization
from tests.doors.test_console_http import enter
from tests.support.browsing import submit
from tests.support.console_day import ACTIVE, fill
from tests.support.stored import AT, a_person
from tests.support.web_house import QuietDesk, Site

pytest_plugins = ("tests.support.sites",)

ONE = Accounted(
    part="consent", at=AT, recipient="org:harbor", name="Harbor General Hospital", address="1 Example Way, Olympia",
    occasion="search by harbor-ehr", content="2 Observation", purpose="TREAT", consent="c-tpo", transport="search",
    is_confirmed=True, decision="d-1",
)  # fmt: skip
QUERY = "?person=person-1"
PAGE = f"/console/accounting{QUERY}"
FIND = "/console/accounting/find"


@pytest.fixture
def browser(site: Site) -> FlaskClient:
    """A browser past the login, and a person of whom was told twice."""
    again = replace(ONE, at=AT + timedelta(hours=1), decision="d-2")
    made = Accounting("person-1", AT - timedelta(days=1096), AT, AT, (ONE, again))
    site.house.accountings = {"person-1": made, ACTIVE: made}
    fill(site)
    browser = site.client()
    assert enter(site, browser, role="privacy-officer").status_code == 303
    return browser


@pytest.mark.parametrize("path", ["/console/accounting", "/console/accounting.csv", "/console/accounting.pdf"])
def test_nobody_sees_it_without_login(site: Site, path: str) -> None:
    assert site.client().get(f"{path}?person=person-1").headers["Location"] == "/console/login"


def test_the_empty_page_asks_for_nothing(site: Site, browser: FlaskClient) -> None:
    answer = browser.get("/console/accounting")

    assert answer.status_code == 200
    assert not any(asked[0] == "accounting" for asked in site.house.asked)


def test_the_page_tells_repeated_disclosures_in_one_line(browser: FlaskClient) -> None:
    page = browser.get(PAGE).text

    assert page.count("Harbor General Hospital") == 1
    assert "2 times" in page
    assert "1 Example Way, Olympia" in page


def test_whoever_asks_is_found_by_name_and_birth_date_and_the_name_stands_in_no_address(
    site: Site, browser: FlaskClient
) -> None:
    site.house.found_people = (FoundPerson(a_person("person-1"), ACTIVE),)

    answer = submit(browser, "/console/accounting", FIND, family="Otter-Test", given="Pat", birth_date="1980-02-03")

    assert site.house.asked[-1][2:] == ("Otter-Test", "Pat", "1980-02-03")
    assert 'href="/console/accounting?person=person-1"' in answer.text
    assert f'href="/console/consents?record={ACTIVE}"' in answer.text
    assert browser.get(FIND).status_code == 405
    assert browser.get("/console/accounting").text.count(f'action="{FIND}"') == 1


@pytest.mark.parametrize("missing", ["family", "given", "birth_date"])
def test_nobody_is_found_by_a_part_of_a_name(site: Site, browser: FlaskClient, missing: str) -> None:
    stated = {"family": "Otter-Test", "given": "Pat", "birth_date": "1980-02-03"} | {missing: " "}

    answer = submit(browser, "/console/accounting", FIND, **stated)

    assert answer.status_code == 400
    assert not any(asked[0] == "find_people" for asked in site.house.asked)


def test_staff_who_open_no_accountings_find_nobody(site: Site) -> None:
    browser = site.client()
    enter(site, browser, role="staff")

    answer = submit(browser, "/console/consents", FIND, family="Otter-Test", given="Pat", birth_date="1980-02-03")

    assert answer.status_code == 403


def test_the_look_is_asked_for_as_the_one_who_looks_for_three_years(site: Site, browser: FlaskClient) -> None:
    browser.get(PAGE)

    asked = site.house.asked[-1]
    assert asked[0] == "accounting"
    assert asked[1]
    assert asked[2:] == (
        Wanted(person="person-1"),
        datetime(2023, 11, 2, 18, 0, tzinfo=UTC),
        AT + timedelta(seconds=1),
    )


def test_days_are_those_of_the_installation(site: Site, browser: FlaskClient) -> None:
    browser.get(f"{PAGE}&from=2026-11-01&to=2026-11-01")

    *_, since, until = site.house.asked[-1]
    # The day on which the clocks are set back has 25 hours.
    assert (since.astimezone(UTC), until.astimezone(UTC)) == (
        datetime(2026, 11, 1, 7, 0, tzinfo=UTC),
        datetime(2026, 11, 2, 8, 0, tzinfo=UTC),
    )


def test_the_record_page_leads_there(site: Site, browser: FlaskClient) -> None:
    page = browser.get(f"/console/records/{ACTIVE}").text

    assert f'href="/console/accounting?record={ACTIVE}"' in page
    assert browser.get(f"/console/accounting?record={ACTIVE}").status_code == 200
    assert site.house.asked[-1][2] == Wanted(handoff=ACTIVE)


@pytest.mark.parametrize(
    ("kind", "media_type", "begins"),
    [("csv", "text/csv; charset=utf-8", b"part,at,recipient"), ("pdf", "application/pdf", b"%PDF-")],
)
def test_both_downloads_come_under_a_name_that_tells_of_nobody(
    site: Site, browser: FlaskClient, kind: str, media_type: str, begins: bytes
) -> None:
    assert f"/console/accounting.{kind}?person=person-1" in browser.get(PAGE).text

    answer = browser.get(f"/console/accounting.{kind}?person=person-1")

    assert answer.content_type == media_type
    assert answer.data.startswith(begins)
    assert answer.headers["Content-Disposition"] == f"attachment; filename=accounting-of-disclosures.{kind}"
    assert site.house.asked[-1][0] == "accounting"


@pytest.mark.parametrize(
    ("query", "status"),
    [("person=nobody", 404), ("person=person-1&from=yesterday", 400), ("person=person-1&to=9999-12-31", 400)],
)
def test_nobody_known_and_no_day_are_refused(browser: FlaskClient, query: str, status: int) -> None:
    for page in ("accounting", "accounting.csv", "accounting.pdf"):
        assert browser.get(f"/console/{page}?{query}").status_code == status


@pytest.mark.parametrize("path", ["/console/accounting", PAGE, "/console/accounting.csv?person=person-1"])
@pytest.mark.parametrize("role", ["staff", "clinician", "legal", "a role nobody defined"])
def test_only_who_keeps_privacy_opens_an_accounting(site: Site, path: str, role: str) -> None:
    browser = site.client()
    enter(site, browser, role=role)

    assert browser.get(path).status_code == 403
    assert not any(asked[0] == "accounting" for asked in site.house.asked)


class DeskWithAnIntermediary(QuietDesk):
    """A desk of a gateway whose registry has an intermediary."""

    organizations = (Organization("org:network", "Example Referral Network", roles=frozenset({"intermediary"})),)


def test_the_list_of_an_intermediary_is_a_page_a_table_and_a_letter(site: Site, browser: FlaskClient) -> None:
    """42 CFR 2.24."""
    site.house.release_desk = DeskWithAnIntermediary()
    made = site.house.accountings["person-1"]
    site.house.accountings["person-1"] = replace(made, intermediary="org:network")

    page = browser.get(f"{PAGE}&intermediary=org:network").text
    files = [browser.get(f"/console/accounting.{one}{QUERY}&intermediary=org:network") for one in ("csv", "pdf")]
    stranger = browser.get(f"{PAGE}&intermediary=org:nobody")

    assert "Under a general designation" in page
    assert '<option value="org:network" selected>' in page
    assert [one.status_code for one in files] == [200, 200]
    wanted = [asked[2] for asked in site.house.asked if asked[0] == "accounting"]
    assert wanted == [Wanted(person="person-1", intermediary="org:network")] * 3
    assert stranger.status_code == 400
