"""Releases at the console as a browser without script meets them: the whole house behind it, on a real store."""

import re
from dataclasses import dataclass, replace

import pytest
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from gateway.flow.gateway import Gateway
from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import PASSWORD, submit
from tests.support.flow_house import World, a_world
from tests.support.released import ED, PROGRAM, take_case
from tests.support.web_house import Site, a_site

pytest_plugins = ("tests.support.sites",)

FORM = {
    "recipient": ED, "recipient_name": "Dr Voe", "recipient_affiliation": "Emergency department", "way": "copy",
    "time": "2026-11-02T10:00", "nature": "unresponsive <after> a suspected overdose", "consent_obtainable": "yes",
}  # fmt: skip


@dataclass
class Desk:
    """A site over a whole house, with one record of a Part 2 program in it."""

    site: Site
    world: World
    record: str

    def enter(self, name: str, role: str, organization: str | None = None) -> FlaskClient:
        """Return the browser of a member of staff who has just logged in for the first time."""
        link = self.site.services.staff.invite(name, role, self.site.clock(), organization)
        browser = self.site.client()
        assert submit(browser, f"/console/welcome/{link}", password=PASSWORD, again=PASSWORD).status_code == 303
        return browser

    def break_glass(self, browser: FlaskClient, **changes: str) -> TestResponse:
        """Fill in the emergency form and send it."""
        form = {**FORM, "record": self.record, **changes}
        return submit(browser, "/console/releases/new/emergency", **form)


@pytest.fixture
def desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    base = a_world()
    house = replace(base.house, database=web_store, clock=clock)
    world = World(house, Gateway(house), clock, base.database, base.transport)
    site = a_site(web_store, clock, house=world.gateway)
    return Desk(site, world, take_case(world))


def token_of(html: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert found is not None
    return found[1]


def test_a_nurse_breaks_the_glass_and_hands_over_a_letter(desk: Desk) -> None:
    browser = desk.enter("nora", "clinician")

    asked = desk.break_glass(browser)
    page = browser.get(asked.headers["Location"])
    letter = browser.post(f"{asked.headers['Location']}/copy", data={"csrf_token": token_of(page.text), "form": "pdf"})

    assert "OK_EMERGENCY" in page.text
    assert "unresponsive &lt;after&gt; a suspected overdose" in page.text
    assert (letter.status_code, letter.content_type) == (200, "application/pdf")
    assert letter.headers["Content-Disposition"] == "attachment; filename=release.pdf"
    assert letter.data.startswith(b"%PDF")
    assert "copy handed over" in browser.get(asked.headers["Location"]).text


def test_the_page_of_the_record_leads_to_what_was_released_of_it_and_the_release_says_how_much(desk: Desk) -> None:
    nurse = desk.enter("nora", "clinician")
    page = desk.break_glass(nurse, only="Goal").location

    record, release = nurse.get(f"/console/records/{desk.record}").text, nurse.get(page).text

    assert f'<a href="{page}">' in record
    assert "copy may be handed over" in record
    assert re.search(r"<dt>What</dt><dd>\d items of the record</dd>", release)


def test_the_program_reads_of_it_and_is_offered_nothing_to_do(desk: Desk) -> None:
    """42 CFR 2.51(c)."""
    page = desk.break_glass(desk.enter("nora", "clinician")).location

    shown = desk.enter("kim", "staff", PROGRAM).get(page)

    assert shown.status_code == 200
    assert ("Dr Voe" in shown.text, "Hand over the copy" in shown.text) == (True, False)


def test_a_copy_is_handed_over_once(desk: Desk) -> None:
    browser = desk.enter("nora", "clinician")
    asked = desk.break_glass(browser).headers["Location"]
    form = {"csrf_token": token_of(browser.get(asked).text), "form": "fhir"}

    first, second = (browser.post(f"{asked}/copy", data=form).status_code for _ in range(2))

    assert (first, second) == (200, 404)


def test_the_first_page_says_that_somebody_has_to_look_until_somebody_else_has(desk: Desk) -> None:
    nurse, officer = desk.enter("nora", "clinician"), desk.enter("pia", "privacy-officer")
    desk.break_glass(nurse)
    assert "<strong>1</strong> <span>to look at</span>" in officer.get("/console/").text
    action = re.search(r'action="(/console/reviews/[^"]+/close)"', officer.get("/console/reviews").text)
    assert action is not None
    assert "somebody else has to look" in nurse.get("/console/reviews").text

    own = nurse.post(action[1], data={"csrf_token": token_of(nurse.get("/console/reviews").text), "note": "fine"})
    other = submit(officer, "/console/reviews", action[1], note="called the ED")

    assert (own.status_code, other.status_code) == (403, 303)
    assert "<strong>0</strong> <span>to look at</span>" in officer.get("/console/").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipient": "org:demo-pd"}, "EMERGENCY_NOT_MEDICAL_PERSONNEL"),
        ({"nature": " "}, "EMERGENCY_UNDOCUMENTED"),
        ({"time": "at noon"}, "EMERGENCY_UNDOCUMENTED"),
    ],
)
def test_what_is_not_an_emergency_is_refused_with_the_reason(desk: Desk, changes: dict[str, str], said: str) -> None:
    browser = desk.enter("nora", "clinician")

    page = browser.get(desk.break_glass(browser, **changes).headers["Location"]).text

    assert said in page
    assert "Hand over the copy" not in page


@pytest.mark.parametrize("stated", [{}, {"declaration": "WA-2026-11"}, {"program_closed": "yes"}])
def test_a_box_that_was_forgotten_is_asked_for_again_with_all_that_was_written(
    desk: Desk, stated: dict[str, str]
) -> None:
    browser = desk.enter("nora", "clinician")

    answer = desk.break_glass(browser, consent_obtainable="", **stated)

    assert answer.status_code == 422
    assert "Nothing was released yet. Tick that" in answer.text
    assert 'value="Dr Voe"' in answer.text
    assert "Nothing was released yet." in browser.get("/console/releases").text


def test_a_declared_disaster_that_closed_the_program_takes_the_place_of_consent(desk: Desk) -> None:
    browser = desk.enter("nora", "clinician")
    changes = {"consent_obtainable": "", "declaration": "WA-2026-11-01", "program_closed": "yes"}

    page = browser.get(desk.break_glass(browser, **changes).headers["Location"]).text

    assert "OK_EMERGENCY" in page


def test_a_record_that_is_not_there_is_said_so_on_the_form(desk: Desk) -> None:
    browser = desk.enter("nora", "clinician")

    answer = desk.break_glass(browser, record="nothing-here")

    assert answer.status_code == 404
    assert "There is no record of this id that you may release." in answer.text
    assert 'value="Dr Voe"' in answer.text


def test_staff_of_a_partner_have_their_own_pages_and_no_others(desk: Desk) -> None:
    browser = desk.enter("kim", "staff", PROGRAM)

    assert browser.get("/console/").headers["Location"] == "/console/releases"
    for path in ("/console/records", f"/console/records/{desk.record}", "/console/queues", "/console/accounting"):
        assert browser.get(path).status_code == 404
    assert browser.get(desk.break_glass(browser).headers["Location"]).status_code == 200


def test_every_page_leads_only_to_where_who_is_logged_in_may_go(desk: Desk) -> None:
    officer, clerk, partner = (
        desk.enter("pia", "privacy-officer"), desk.enter("cleo", "staff"), desk.enter("kim", "staff", PROGRAM)
    )  # fmt: skip

    def led_to(browser: FlaskClient) -> list[str]:
        head = browser.get("/console/releases").text.partition("</nav>")[0]
        return [label for _, label in re.findall(r'<a href="(/console/[a-z]*)"[^>]*>([^<]+)</a>', head)]

    every = ["Today", "Records", "Waiting", "Messages", "Consents", "Releases", "To look at", "Accounting"]
    assert led_to(officer) == every
    assert led_to(clerk) == every[:-1]
    assert led_to(partner) == ["Consents", "Releases", "To look at"]


def test_staff_of_a_stranger_cannot_release_or_see_a_record_of_others(desk: Desk) -> None:
    nurse, stranger = desk.enter("nora", "clinician"), desk.enter("otto", "admin", "org:demo-shelter")
    made = desk.break_glass(nurse).headers["Location"]

    assert desk.break_glass(stranger).status_code == 404
    assert stranger.get(made).status_code == 404
    assert "Nothing was released yet." in stranger.get("/console/releases").text


def an_order(**changes: str | list[str]) -> MultiDict[str, str]:
    stated: dict[str, str | list[str]] = {
        "court": "Example Superior Court 26-2-00001-1", "kind": "2.64", "issued": "2026-10-01", "expires": "2026-12-31",
        "status": "in_force", "holder": PROGRAM, "findings": ["no-other-way", "interest-outweighs"],
        "scope": ["CarePlan", "Goal"], "process": "subpoena", "process_issued": "2026-10-02", "note": "read it",
        **changes,
    }  # fmt: skip
    return MultiDict(stated)


def test_a_court_order_is_registered_by_somebody_else_and_opens_what_it_lists(desk: Desk) -> None:
    clerk, lawyer = desk.enter("kim", "staff"), desk.enter("lex", "legal")
    form = {"record": desk.record, "recipient": ED, "way": "send", "asked_by": "the court", "asked_for": "the file"}
    made = submit(clerk, "/console/releases/new/court_order", **form).headers["Location"]
    assert "waits for legal review" in clerk.get(made).text
    assert "SUBPOENA_ALONE" in clerk.get(made).text

    token = token_of(lawyer.get(made).text)
    lawyer.post(f"{made}/approve", data=MultiDict([("csrf_token", token), *an_order().items(multi=True)]))
    desk.world.work()

    page = lawyer.get(made).text
    assert "sent" in page
    ((disclosure, _, _),) = desk.world.transport.sent
    kinds = {entry["resource"]["resourceType"] for entry in disclosure.content["entry"]}
    assert kinds - {"Provenance", "Organization"} == {"CarePlan", "Goal"}


def test_the_program_reads_why_its_items_were_withheld_and_others_find_no_page(desk: Desk) -> None:
    program, stranger = desk.enter("kim", "staff", PROGRAM), desk.enter("otto", "admin", "org:demo-shelter")

    told = program.get(f"/console/withheld/{desk.record}")
    refused, missing = (stranger.get(f"/console/withheld/{one}") for one in (desk.record, "nothing-here"))

    assert "There is no consent of the person that covers this recipient." in told.text
    assert "Ask the person for a consent." in told.text
    assert refused.status_code == missing.status_code == 404
    token = re.compile(r'value="[^"]+"')
    assert token.sub("", refused.text) == token.sub("", missing.text)


def test_a_report_offers_the_items_of_the_record_once_it_is_stated(desk: Desk) -> None:
    browser = desk.enter("kim", "staff", PROGRAM)
    form = "/console/releases/new/child_abuse_report"

    empty, stated = browser.get(form).text, browser.get(f"{form}?record={desk.record}").text
    strangers = desk.enter("otto", "admin", "org:demo-shelter").get(f"{form}?record={desk.record}").text

    assert "State the record above first." in empty
    assert 'name="content" value="Goal/' in stated
    assert "State the record above first." in strangers


def test_the_form_for_a_patients_own_copy_knows_whose_record_it_is(desk: Desk) -> None:
    browser = desk.enter("ada", "admin")

    of_record = browser.get(f"/console/releases/new/patient_access?record={desk.record}").text
    of_none = browser.get("/console/releases/new/patient_access?record=no-such-record").text

    assert re.search(r'id="recipient" name="recipient" value="Patient/[a-z0-9-]+"', of_record)
    assert 'id="recipient" name="recipient" value="Patient/"' in of_none


def test_whoever_may_not_release_is_offered_no_form(desk: Desk) -> None:
    legal, admin = desk.enter("lee", "legal"), desk.enter("ada", "admin")

    assert "/console/releases/new/" not in legal.get("/console/releases").text
    assert legal.get("/console/releases/new/emergency").status_code == 403
    assert admin.get("/console/releases").text.count("/console/releases/new/") == 12


def test_a_refusal_says_that_nothing_changed_and_where_the_form_is(desk: Desk) -> None:
    admin, legal = desk.enter("ada", "admin"), desk.enter("lee", "legal")
    form = {"record": desk.record, "recipient": ED, "way": "send", "asked_by": "the court", "asked_for": "the file"}
    page = submit(admin, "/console/releases/new/court_order", **form).headers["Location"]

    answer = submit(legal, page, f"{page}/refuse", note="")

    assert answer.status_code == 400
    assert "Nothing was changed." in answer.text
    assert "waits for legal review" in legal.get(page).text
