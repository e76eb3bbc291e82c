"""Restrictions and false consents at the console as a browser without script meets them, on a real store."""

import html
import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import submit
from tests.support.consent_site import Desk, a_desk
from tests.support.released import ED, PROGRAM

pytest_plugins = ("tests.support.sites",)

ASKED = {"kind": "agreed", "organization": PROGRAM, "against": ED, "reason": "asked for at the desk"}
WORDS = "stay sober until winter"


@pytest.fixture
def desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    return a_desk(web_store, clock)


def agree(desk: Desk, browser: FlaskClient, **changes: str) -> TestResponse:
    return submit(
        browser,
        f"/console/consents?record={desk.record}",
        f"/console/restrictions/{desk.record}",
        **{**ASKED, **changes},
    )


def page(desk: Desk, browser: FlaskClient) -> str:
    return html.unescape(browser.get(f"/console/consents?record={desk.record}").text)


def test_a_restriction_is_listed_and_keeps_what_was_consented_to_from_leaving(desk: Desk) -> None:
    browser = desk.enter("robin")
    before = page(desk, browser)

    agreed = agree(desk, browser)
    desk.sign(browser)

    assert agreed.status_code == 303
    assert "None that may be shown here." in before
    assert "asked for at the desk" in page(desk, browser)
    assert WORDS not in desk.sent()


def test_a_restriction_that_the_person_ends_lets_go_what_it_stopped(desk: Desk) -> None:
    browser = desk.enter("robin")
    agree(desk, browser)
    desk.sign(browser)
    before = desk.sent()
    (path,) = re.findall(rf'action="(/console/restrictions/{desk.record}/[^"]+/end)"', page(desk, browser))

    ended = submit(browser, f"/console/consents?record={desk.record}", path, how="written")

    assert ended.status_code == 303
    assert "asked for at the desk" not in page(desk, browser)
    assert WORDS not in before
    assert WORDS in desk.sent()


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"against": "org:nobody"}, 422), ({"organization": "org:nobody"}, 404), ({"reason": ""}, 400)],
)
def test_a_restriction_that_says_too_little_is_refused(desk: Desk, changes: dict[str, str], status: int) -> None:
    browser = desk.enter("robin")

    assert agree(desk, browser, **changes).status_code == status
    assert "None that may be shown here." in page(desk, browser)


def test_the_programs_own_staff_agree_to_one_and_end_it(desk: Desk) -> None:
    browser = desk.enter("pam", organization=PROGRAM)

    agreed = agree(desk, browser)
    (path,) = re.findall(rf'action="(/console/restrictions/{desk.record}/[^"]+/end)"', page(desk, browser))
    ended = submit(browser, f"/console/consents?record={desk.record}", path, how="oral")

    assert (agreed.status_code, ended.status_code) == (303, 303)
    assert "None that may be shown here." in page(desk, browser)


def test_staff_of_another_organization_can_neither_see_nor_make_one(desk: Desk) -> None:
    robin, outsider = desk.enter("robin"), desk.enter("otto", organization="org:demo-shelter")
    agree(desk, robin)
    (path,) = re.findall(rf'action="(/console/restrictions/{desk.record}/[^"]+/end)"', page(desk, robin))

    answers = [
        submit(outsider, "/console/consents", f"/console/restrictions/{desk.record}", **ASKED),
        submit(outsider, "/console/consents", path, how="oral"),
        outsider.get(f"/console/consents?record={desk.record}"),
    ]

    assert [one.status_code for one in answers] == [404] * 3
    assert "asked for at the desk" in page(desk, robin)


def test_a_false_consent_opens_nothing_until_a_second_person_knows_better(desk: Desk) -> None:
    robin, sam = desk.enter("robin"), desk.enter("sam")
    kept = desk.sign(robin)

    reported = submit(robin, kept.location, f"{kept.location}/false", why="another hand signed it")
    shown = robin.get(kept.location).text
    before = desk.sent()
    own = submit(robin, kept.location, f"{kept.location}/not-false", why="it was theirs after all")
    others = submit(sam, kept.location, f"{kept.location}/not-false", why="the person says it is theirs")

    assert [one.status_code for one in (reported, own, others)] == [303, 403, 303]
    assert "reported as false: nothing leaves on it" in shown
    assert WORDS not in before
    assert WORDS in desk.sent()


def test_a_report_without_words_is_not_taken(desk: Desk) -> None:
    browser = desk.enter("robin")
    kept = desk.sign(browser)

    assert submit(browser, kept.location, f"{kept.location}/false", why="").status_code == 400
    assert WORDS in desk.sent()
