"""Consents at the console as a browser without script meets them: the whole house behind it, on a real store."""

import html
import re
from datetime import timedelta

import pytest

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import submit
from tests.support.consent_site import CHOICES, PIXEL, Desk, a_desk
from tests.support.flow_house import csv_of
from tests.support.released import ED, PROGRAM
from tests.support.two_worlds import case

pytest_plugins = ("tests.support.sites",)


@pytest.fixture
def desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    return a_desk(web_store, clock)


def without_token(page: str) -> str:
    """A page but for the token of its forms, which is another every second."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


def test_a_form_signed_on_the_screen_lets_the_records_go_and_gives_the_person_a_copy(desk: Desk) -> None:
    browser = desk.enter("robin")
    before = desk.sent()

    kept = desk.sign(browser)
    page = browser.get(kept.location)
    paper = browser.get(f"{kept.location}/paper")

    assert kept.status_code == 303
    assert "active until 2027-06-30" in page.text
    assert paper.data.startswith(b"%PDF-")
    assert "Sample" not in paper.headers["Content-Disposition"]
    assert "stay sober until winter" not in before
    assert "stay sober until winter" in desk.sent()


def test_what_rests_on_a_consent_leads_the_operator_to_its_record_and_nobody_else(desk: Desk) -> None:
    browser, partner = desk.enter("robin"), desk.enter("pat", organization=CHOICES["disclosers"])
    kept = desk.sign(browser)
    desk.sent()

    page, theirs = browser.get(kept.location), partner.get(kept.location)

    assert f'href="/console/records/{desk.record}"' in page.text
    assert "What rests on it" in theirs.text
    assert "/console/records/" not in theirs.text


def test_the_text_is_shown_in_the_language_of_the_person(desk: Desk) -> None:
    browser = desk.enter("robin")

    shown = submit(
        browser, "/console/consents", f"/console/consents/new/{desk.record}/text", **{**CHOICES, "language": "es"}
    )

    assert '<article class="card paper" lang="es">' in shown.text
    assert "script-src 'self'" in shown.headers["Content-Security-Policy"]


def test_everything_that_is_missing_is_said_at_once_before_anybody_signs(desk: Desk) -> None:
    browser = desk.enter("robin")

    page = submit(
        browser, "/console/consents", f"/console/consents/new/{desk.record}/text", kind="disclosure", end="date"
    )

    said = html.unescape(page.text)
    assert [
        rule for rule in ("(a)(2)", "(a)(3)", "(a)(4)", "(a)(5)", "(a)(7)") if f"42 CFR 2.31{rule}" not in said
    ] == []
    assert "Show the text to sign" in said


def test_a_signature_under_another_text_than_the_one_shown_is_not_taken(desk: Desk) -> None:
    browser = desk.enter("robin")
    signed = {"shown": "0" * 64, "first_name": "Ari Sample", "first_method": "typed", "first_capacity": "patient"}

    page = submit(browser, "/console/consents", f"/console/consents/new/{desk.record}/sign", **CHOICES, **signed)

    assert page.status_code == 200
    assert "show it again and let it be signed again" in page.text
    assert "stay sober until winter" not in desk.sent()


def test_a_button_pressed_twice_makes_one_consent(desk: Desk) -> None:
    browser = desk.enter("robin")

    first, second = desk.sign(browser), desk.sign(browser)

    assert first.location == second.location


def test_a_no_is_kept_as_a_no(desk: Desk) -> None:
    browser = desk.enter("robin")

    kept = desk.sign(browser, outcome="refused")

    assert "a no: nothing leaves" in browser.get(kept.location).text
    assert "stay sober until winter" not in desk.sent()


def test_a_paper_counts_once_a_second_person_has_compared_it(desk: Desk) -> None:
    robin, sam = desk.enter("robin"), desk.enter("sam")
    filed = desk.file_paper(robin)
    waiting = robin.get("/console/consents")
    by_the_same = submit(robin, "/console/consents", f"{filed.location}/verify", how="looked at it again")
    before = desk.sent()

    verified = submit(sam, "/console/consents", f"{filed.location}/verify", how="compared with the paper in the file")

    assert (filed.status_code, by_the_same.status_code, verified.status_code) == (303, 403, 303)
    assert "waits for its verification" in waiting.text
    assert sam.get(f"{filed.location}/paper").data == PIXEL
    assert "stay sober until winter" not in before
    assert "stay sober until winter" in desk.sent()


def test_the_second_person_sees_what_was_written_down_and_the_first_is_offered_no_button(desk: Desk) -> None:
    robin, sam = desk.enter("robin"), desk.enter("sam")
    filed = desk.file_paper(robin, information="medications")

    theirs, own = sam.get(filed.location).text, robin.get(filed.location).text

    assert "Ari Sample, born 1990-01-02" in theirs
    assert "My medications" in theirs
    assert "what follows from not signing" in theirs
    assert "It is right" in theirs
    assert "It is right" not in own
    assert "somebody else has to compare it" in own


def test_a_consent_leads_to_a_new_form_in_its_place_and_a_no_is_said_above_the_list(desk: Desk) -> None:
    browser = desk.enter("robin")
    kept = desk.sign(browser)
    consent_id = kept.location.rpartition("/")[2]

    page = browser.get(kept.location).text
    form = browser.get(f"/console/consents/new/{desk.record}?like={consent_id}").text
    before = browser.get(f"/console/consents?record={desk.record}").text
    desk.sign(browser, outcome="refused")

    assert f"/console/consents/new/{desk.record}?like={consent_id}" in page
    assert re.findall(r'name="(\w+)" value="([^"]*)" checked', form) == [
        ("kind", "disclosure"), ("outcome", "agreed"), ("language", "en"), ("disclosers", PROGRAM),
        ("information", "everything"), ("to", ED), ("purposes", "treatment"), ("end", "date"),
        ("fundraising", ""), ("condition_of", ""), ("supersedes", consent_id),
    ]  # fmt: skip
    assert 'name="end_on" type="date" value=""' in form
    assert "The person has said no." not in before
    assert "The person has said no." in browser.get(f"/console/consents?record={desk.record}").text


def test_a_program_finds_its_person_by_name_and_birth_date_and_begins_a_form(desk: Desk) -> None:
    partner = desk.enter("pat", organization=CHOICES["disclosers"])
    asked = {"family": "Sample", "given": "Ari", "birth_date": "1990-01-02"}

    found = submit(partner, "/console/consents", "/console/consents/find", **asked)
    nobody = submit(partner, "/console/consents", "/console/consents/find", **{**asked, "given": "Ariel"})
    half = submit(partner, "/console/consents", "/console/consents/find", **{**asked, "birth_date": ""})

    assert f'href="/console/consents/new/{desk.record}"' in found.text
    assert desk.record not in nobody.text
    assert "No record here names somebody so" in nobody.text
    assert half.status_code == 400


def test_a_scan_that_is_far_too_large_is_said_to_be_and_what_to_do(desk: Desk) -> None:
    page = desk.enter("robin").post(
        f"/console/consents/scan/{desk.record}", data=bytes(12 * 1024 * 1024), content_type="multipart/form-data"
    )

    assert page.status_code == 413
    assert "A scan may have 10 MiB: scan it in gray, at 200 dpi." in page.text
    assert "Nothing was changed." in page.text


def test_a_form_that_was_sent_after_the_session_ended_is_said_not_to_be_kept(desk: Desk) -> None:
    browser = desk.enter("robin")
    desk.site.clock.advance(timedelta(minutes=31))

    sent = browser.post(f"/console/consents/new/{desk.record}/sign", data={**CHOICES, "device": "x" * 20_000})

    assert sent.location == "/console/login"
    assert "Your session has ended: log in again. What you sent was not kept." in browser.get(sent.location).text


def test_who_lets_a_form_be_signed_reads_what_stands_beside_it(desk: Desk) -> None:
    browser = desk.enter("robin")
    consent_id = desk.sign(browser).location.rpartition("/")[2]
    text = f"/console/consents/new/{desk.record}/text"
    other = {**CHOICES, "end_on": "2027-09-30"}

    beside = submit(browser, "/console/consents", text, **other).text
    replacing = submit(browser, "/console/consents", text, **other, supersedes=consent_id).text

    assert "These go on beside it" in beside
    assert "active until 2027-06-30" in beside
    assert "These go on beside it" not in replacing


def test_a_paper_that_is_no_paper_is_said_to_be_none(desk: Desk) -> None:
    page = desk.file_paper(desk.enter("robin"), content=b"MZ not a picture")

    assert page.status_code == 200
    assert 'id="problems"' in page.text


def test_a_consent_taken_back_stops_what_has_not_left(desk: Desk) -> None:
    browser = desk.enter("robin")
    kept = desk.sign(browser)

    taken_back = submit(browser, "/console/consents", f"{kept.location}/revoke", method="written")

    assert taken_back.status_code == 303
    page = browser.get(kept.location).text
    assert "revoked on" in page
    assert "in writing, for everybody" in page
    assert "stay sober until winter" not in desk.sent()


def test_staff_of_another_organization_find_nothing_of_it(desk: Desk) -> None:
    kept = desk.sign(desk.enter("robin"))
    outsider = desk.enter("otto", organization="org:demo-shelter")

    pages = [
        outsider.get(kept.location),
        outsider.get(f"{kept.location}/paper"),
        outsider.get(f"/console/consents?record={desk.record}"),
        outsider.get(f"/console/consents/new/{desk.record}"),
    ]
    nowhere = outsider.get("/console/consents/nothing-of-this-id")

    assert [page.status_code for page in pages] == [404] * 4
    assert without_token(pages[0].text) == without_token(nowhere.text)


def test_a_blank_form_is_printed_to_be_signed_on_paper(desk: Desk) -> None:
    printed = submit(desk.enter("robin"), "/console/consents", f"/console/consents/new/{desk.record}/blank", **CHOICES)

    assert printed.data.startswith(b"%PDF-")


@pytest.mark.parametrize(("come", "words"), [("yes", "ended"), ("no", "active until the end of the treatment")])
def test_staff_say_whether_the_treatment_that_a_consent_ends_with_is_over(desk: Desk, come: str, words: str) -> None:
    browser, stranger = desk.enter("robin"), desk.enter("pat", organization="org:demo-shelter")
    kept = desk.sign(browser, end="end-of-treatment")
    row = {**case(1, 0, "demo-lead", "medical", "stay sober until winter", {}).full, "status": "exited"}
    desk.world.gateway.accept("http", "lead-referral", "demo-agency", "text/csv", csv_of(row), None)
    desk.world.work()

    asked, listed = browser.get(kept.location).text, browser.get("/console/consents").text
    by_stranger = submit(stranger, "/console/consents", f"{kept.location}/end", why="a call", come=come)
    settled = submit(browser, "/console/consents", f"{kept.location}/end", why="a call to the program", come=come)

    assert "Has it ended?" in asked
    assert "it may have ended" in listed
    assert (by_stranger.status_code, settled.status_code) == (404, 303)
    after = browser.get(kept.location).text
    assert "Has it ended?" not in after
    assert words in after
