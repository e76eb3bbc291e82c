"""The staff console as a browser without script meets it."""

import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from gateway.storage.database import SqlDatabase
from gateway.storage.tables import audit
from gateway.testing import FixedClock
from gateway.web.console.throttle import TRIES_PER_ADDRESS
from tests.support.browsing import PASSWORD, submit
from tests.support.console_day import ACTIVE, HELD, LANE, a_console_record, fill
from tests.support.stored import a_handoff
from tests.support.web_house import Site, a_site

pytest_plugins = ("tests.support.sites",)


@pytest.fixture
def browser(site: Site) -> FlaskClient:
    """A browser that has entered through a one-time link, on a day with records."""
    fill(site)
    browser = site.client()
    assert enter(site, browser).status_code == 303
    return browser


def enter(site: Site, browser: FlaskClient, name: str = "robin", role: str = "staff") -> TestResponse:
    link = site.services.staff.invite(name, role, site.clock())
    return submit(browser, f"/console/welcome/{link}", password=PASSWORD, again=PASSWORD)


def log_in(browser: FlaskClient, password: str = PASSWORD, name: str = "robin") -> TestResponse:
    return submit(browser, "/console/login", name=name, password=password)


@pytest.mark.parametrize("path", ["/console/", "/console/records", f"/console/records/{ACTIVE}", "/console/queues"])
def test_nobody_sees_a_page_without_login(site: Site, path: str) -> None:
    answer = site.client().get(path)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")


def test_a_one_time_link_sets_a_password_once(site: Site) -> None:
    link = site.services.staff.invite("robin", "staff", site.clock())
    page = f"/console/welcome/{link}"

    first = submit(site.client(), page, password=PASSWORD, again=PASSWORD)
    second = site.client().get(page)

    assert (first.status_code, first.headers["Location"]) == (303, "/console/")
    assert second.status_code == 404
    assert log_in(site.client()).headers["Location"] == "/console/"


def test_a_link_ends_after_a_day(site: Site) -> None:
    link = site.services.staff.invite("robin", "staff", site.clock())
    site.clock.advance(timedelta(hours=24))

    assert site.client().get(f"/console/welcome/{link}").status_code == 404


@pytest.mark.parametrize(
    ("password", "again"),
    [
        ("short", "short"),
        (PASSWORD, PASSWORD + "x"),
        ("robin robin robin", "robin robin robin"),
        ("x" * 257, "x" * 257),
    ],
    ids=["short", "differ", "holds the name", "long"],
)
def test_a_password_that_will_not_do_leaves_the_link_good(site: Site, password: str, again: str) -> None:
    link = site.services.staff.invite("robin", "staff", site.clock())

    answer = submit(site.client(), f"/console/welcome/{link}", password=password, again=again)

    assert answer.status_code == 422
    assert site.client().get(f"/console/welcome/{link}").status_code == 200


def test_a_second_link_sets_a_new_password_and_ends_the_sessions_of_the_old_one(site: Site) -> None:
    old = site.client()
    enter(site, old)
    assert old.get("/console/").status_code == 200

    enter(site, site.client())

    assert old.get("/console/").status_code == 303


def test_wrong_name_and_wrong_password_read_the_same(site: Site) -> None:
    enter(site, site.client())

    wrong_password = log_in(site.client(), "another password")
    wrong_name = log_in(site.client(), name="nobody")

    assert (wrong_password.status_code, wrong_name.status_code) == (422, 422)
    assert "Name or password is not right." in wrong_name.text
    strip = re.compile(r'value="[^"]+"')
    assert strip.sub("", wrong_password.text) == strip.sub("", wrong_name.text)


def test_an_account_without_a_password_cannot_log_in(site: Site) -> None:
    site.services.staff.invite("robin", "staff", site.clock())

    assert log_in(site.client(), "").status_code == 422


def test_guessing_is_slowed_down_and_forgotten_after_five_minutes(site: Site) -> None:
    enter(site, site.client())
    for _ in range(5):
        log_in(site.client(), "a wrong password")

    assert log_in(site.client()).status_code == 429

    site.clock.advance(timedelta(minutes=5))
    assert log_in(site.client()).status_code == 303


def test_behind_a_proxy_wrong_passwords_are_counted_by_who_sends_them(
    web_store: SqlDatabase, clock: FixedClock
) -> None:
    site = a_site(web_store, clock, proxies=(ip_network("127.0.0.1"),))
    enter(site, site.client())
    stranger, colleague = site.client(), site.client()
    stranger.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.9"
    colleague.environ_base["HTTP_X_FORWARDED_FOR"] = "203.0.113.9, 198.51.100.7"

    guesses = [log_in(stranger, name=f"name-{n}").status_code for n in range(TRIES_PER_ADDRESS + 1)]

    assert guesses == [422] * TRIES_PER_ADDRESS + [429]
    assert log_in(colleague).status_code == 303


def test_forms_before_a_login_find_no_place_where_all_are_taken(web_store: SqlDatabase, clock: FixedClock) -> None:
    full = a_site(web_store, clock, places=0)

    answer = full.client().post("/console/login", data={"name": "robin"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
    assert full.client().get("/console/login").status_code == 200


def test_a_form_of_nobody_is_not_read(site: Site) -> None:
    answer = site.client().post("/console/logout", data=b"x" * 20_000)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")


def test_the_session_cookie_is_for_the_server_alone(site: Site) -> None:
    browser = site.client()
    enter(site, browser)

    cookie = browser.get_cookie("wh_session", path="/console")

    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/console")


def test_a_session_ends_when_nobody_uses_it(site: Site) -> None:
    browser = site.client()
    enter(site, browser)

    site.clock.advance(timedelta(minutes=29))
    assert browser.get("/console/").status_code == 200
    site.clock.advance(timedelta(minutes=29))
    assert browser.get("/console/").status_code == 200
    site.clock.advance(timedelta(minutes=31))
    assert browser.get("/console/").status_code == 303


def test_a_session_ends_after_twelve_hours_of_use(site: Site) -> None:
    browser = site.client()
    enter(site, browser)

    for _ in range(25):
        site.clock.advance(timedelta(minutes=29))
        browser.get("/console/")

    assert browser.get("/console/").status_code == 303


def test_logging_out_ends_the_session_on_the_server(site: Site) -> None:
    browser = site.client()
    enter(site, browser)
    kept = browser.get_cookie("wh_session", path="/console")
    assert kept is not None

    assert submit(browser, "/console/", "/console/logout").headers["Location"] == "/console/login"

    thief = site.client()
    thief.set_cookie("wh_session", kept.value, path="/console")
    assert thief.get("/console/").status_code == 303


@pytest.mark.parametrize("path", ["/console/logout", "/console/lane", "/console/work/1/replay", "/console/login"])
def test_a_form_without_its_token_is_refused(browser: FlaskClient, path: str) -> None:
    assert browser.post(path, data={"lane": LANE}).status_code == 400


def test_today_counts_records_and_shows_what_waits(browser: FlaskClient) -> None:
    html = browser.get("/console/").text

    numbers = re.findall(r"<strong>(\d+)</strong>\s*<span>(\w+)</span>", html)
    assert {word: int(count) for count, word in numbers} == {
        "received": 6,
        "converted": 2,
        "delivered": 1,
        "answered": 1,
        "quarantined": 2,
        "held": 1,
        "refused": 1,
        "dead": 1,
    }
    assert 'aria-label="Received: 6 today, most from 05:00 (3)"' in html


def test_a_day_without_anything_is_a_page_too(site: Site) -> None:
    browser = site.client()
    enter(site, browser)

    assert "Received: 0 today" in browser.get("/console/").text
    assert "No record matches." in browser.get("/console/records").text
    assert browser.get("/console/queues").status_code == 200


def test_the_list_names_nobody(browser: FlaskClient) -> None:
    html = browser.get("/console/records").text

    assert ACTIVE[:12] in html
    assert "accepted" in html
    assert "Otter" not in html


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {ACTIVE, HELD}),
        ("id=aaaa", {ACTIVE}),
        ("id=%25", set()),
        ("program=cit", {HELD}),
        ("agency=org:police", {ACTIVE, HELD}),
        ("state=held", {HELD}),
        ("recipient=org:cedar", {HELD}),
        ("recipient=org:cedar&program=seattle-rms-crisis", set()),
        ("before=garbage", {ACTIVE, HELD}),
    ],
)
def test_the_list_is_narrowed_by_what_is_asked(browser: FlaskClient, query: str, found: set[str]) -> None:
    html = browser.get(f"/console/records?{query}").text

    assert set(re.findall(r'href="/console/records/(\w+)"', html)) == found


def test_opening_a_record_is_a_disclosure_to_the_member_of_staff(site: Site, browser: FlaskClient) -> None:
    robin = site.services.staff.by_name("robin")
    assert robin is not None

    html = browser.get(f"/console/records/{ACTIVE}").text

    assert site.house.asked == [("console_record", (robin.id, "staff"), ACTIVE)]
    for shown in ("Pat Otter-Test", "PERMIT_REDACTED", "42 CFR 2.13(a)", "HB-17", "mapping.yaml:14"):
        assert shown in html


def test_what_came_in_is_shown_and_never_run(browser: FlaskClient) -> None:
    html = browser.get(f"/console/records/{ACTIVE}").text

    assert "&lt;b&gt;Otter-Test&lt;/b&gt;" in html
    assert "<script" not in html


def test_a_source_that_holds_other_records_too_is_not_shown(site: Site, browser: FlaskClient) -> None:
    record = site.house.console_records[ACTIVE]
    record["records"] = record["records"] * 2

    html = browser.get(f"/console/records/{ACTIVE}").text

    assert "&lt;b&gt;Otter-Test" not in html
    assert "records of other people" in html


def test_a_record_that_is_not_there_and_one_not_for_this_person_look_the_same(browser: FlaskClient) -> None:
    assert browser.get("/console/records/nothing").status_code == 404


def test_a_held_record_is_decided_by_choosing_a_person(site: Site, browser: FlaskClient) -> None:
    robin = site.services.staff.by_name("robin")
    assert robin is not None
    page = f"/console/records/{HELD}"

    same = submit(browser, page, f"{page}/person", person="person-1")
    other = submit(browser, page, f"{page}/person", person="")
    stranger = submit(browser, page, f"{page}/person", person="nobody-here")

    decided = [asked for asked in site.house.asked if asked[0] == "resolve_match"]
    assert decided[:2] == [("resolve_match", robin.id, HELD, "person-1"), ("resolve_match", robin.id, HELD, None)]
    assert [answer.status_code for answer in (same, other, stranger)] == [303, 303, 404]


def test_a_record_of_several_persons_is_given_back_by_a_click(site: Site, browser: FlaskClient) -> None:
    several = a_handoff(ACTIVE, input_id="in1", state="held", person_id=None)
    site.house.database.write(lambda tx: tx.handoffs.save(several, []))
    site.house.console_records[ACTIVE]["handoff"] = several
    page = f"/console/records/{ACTIVE}"

    html = browser.get(page).text
    answer = submit(browser, page, f"{page}/back")
    other = submit(browser, f"/console/records/{HELD}", f"/console/records/{HELD}/back")

    assert "It names several persons" in html
    assert "Another person" not in html
    assert (answer.headers["Location"], other.status_code) == ("/console/queues#held", 404)
    assert [asked[2] for asked in site.house.asked if asked[0] == "give_back"] == [ACTIVE, HELD]


def test_the_queues_show_reasons_and_take_a_replay(site: Site, browser: FlaskClient) -> None:
    html = browser.get("/console/queues").text
    for shown in ("not UTF-8 at byte 17", "key-missing", "DENY NO_CONSENT", "422 from the receiver", "possible match"):
        assert shown in html

    answer = submit(browser, "/console/queues", "/console/work/4/replay")

    assert answer.headers["Location"] == "/console/queues#dead"
    assert site.house.asked[-1][0::2] == ("replay", 4)
    assert "will be tried again" in browser.get("/console/queues").text


def test_what_no_route_covered_is_routed_again_by_a_click(site: Site, browser: FlaskClient) -> None:
    at = site.clock()
    reason = "no route covers 1 of its referrals: add one to routes.yaml"
    site.house.database.write(lambda tx: tx.handoffs.set_state(ACTIVE, "unrouted", reason, at))

    html = browser.get("/console/queues").text
    answer = submit(browser, "/console/queues", f"/console/records/{ACTIVE}/route")
    told = browser.get("/console/queues").text
    other = submit(browser, "/console/queues", f"/console/records/{HELD}/route")

    assert html.count("Route again</button>") == 1
    assert "Where none covers it, it waits on here." in told
    assert (answer.headers["Location"], other.status_code) == ("/console/queues#held", 404)
    assert [asked[2] for asked in site.house.asked if asked[0] == "route_again"] == [ACTIVE, HELD]


def test_a_record_without_a_route_is_routed_again_from_its_own_page_too(site: Site, browser: FlaskClient) -> None:
    site.house.console_records[HELD] = a_console_record(HELD, state="unrouted", hold_reason="no route covers it")

    assert f'action="/console/records/{HELD}/route"' in browser.get(f"/console/records/{HELD}").text
    assert f'action="/console/records/{ACTIVE}/route"' not in browser.get(f"/console/records/{ACTIVE}").text


def test_a_lane_that_failed_says_how_long_it_rests_and_why(site: Site, browser: FlaskClient) -> None:
    due = site.clock() + timedelta(minutes=5)
    site.house.database.write(lambda tx: tx.outbox.back_off(LANE, due, failures=5))

    html = " ".join(browser.get("/console/queues").text.split())
    told = site.client().get("/metrics").text

    assert "resting" in html
    assert "after 5 failures" in html
    assert f'gateway_lane_failures{{lane="{LANE}"}} 5.0' in told
    assert f'gateway_lane_resting_seconds{{lane="{LANE}"}} 300.0' in told


def test_a_lane_is_paused_by_name(site: Site, browser: FlaskClient) -> None:
    submit(browser, "/console/queues", "/console/lane", lane=LANE, paused="yes")
    unknown = submit(browser, "/console/queues", "/console/lane", lane="org:nobody/fhir", paused="yes")

    assert site.house.asked[-1][0::2] == ("pause", LANE)
    assert site.house.asked[-1][3] is True
    assert unknown.status_code == 404


def test_logins_are_in_the_audit_trail_and_passwords_in_no_log(site: Site) -> None:
    with capture_logs() as lines:
        enter(site, site.client())
        log_in(site.client(), "a wrong password")

    kinds = site.house.database.query(lambda connection: list(connection.scalars(select(audit.c.kind))))
    assert kinds == ["staff.password_set", "staff.login_failed"]
    assert "password" not in repr(lines)
    assert "four plain" not in repr(lines)


def test_pages_hold_no_inline_script_or_style(browser: FlaskClient) -> None:
    for path in ("/console/", "/console/records", f"/console/records/{ACTIVE}", "/console/queues", "/console/login"):
        html = browser.get(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", html), path
        assert '<html lang="en">' in html or path == "/console/login"
