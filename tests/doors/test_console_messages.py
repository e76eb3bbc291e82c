"""The pages of HL7v2 messages as a browser without script meets them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.flow.consents.segments import Waiting
from gateway.flow.messages.desk import Question
from gateway.flow.messages.page import MessagePage
from gateway.formats.hl7v2 import Message, read_message
from gateway.formats.hl7v2.acknowledgement import read_header
from gateway.formats.hl7v2.reading import read_fields
from gateway.model.handoff import InputRecord, Work
from gateway.model.hl7_consent import ConsentStatement
from gateway.model.partner import Organization
from tests.doors.test_console_http import enter
from tests.support.browsing import submit
from tests.support.stored import a_person, an_input
from tests.support.web_house import Site

pytest_plugins = ("tests.support.sites",)

CONTENT = (
    b"MSH|^~\\&|EHR|HOSPITAL|WARMHANDOFF|GATEWAY|20261102120000-0800||ADT^A40|E1|P|2.5.1\r"
    b"EVN|A40|20261102120000\rPID|1||M-1^^^HOSPITAL^MR~M-3||Otter-Test^<b>Pat||19800203|F|||||||||||000-00-0000\r"
    b"MRG|M-2^^^HOSPITAL^MR\rZPI|1|site\r"
)
ID = "mmmmmmmmmmmmmmmmmmmmmmmmmm"
NOW = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)


def a_page(**changes: Any) -> MessagePage:
    message = read_message(CONTENT)
    assert isinstance(message, Message)
    values: dict[str, Any] = {
        "id": ID, "stored": an_input(ID, channel="mllp", payload=CONTENT), "header": read_header(message),
        "fields": tuple(read_fields(message)), "withheld": None, "raw": CONTENT.decode().replace("\r", "\n"),
        "answer": "MSH|^~\\&|WARMHANDOFF\rMSA|AA|E1\r", "reply": None, "owes_reply": False,
        "record": InputRecord(ID, 1, "quarantined", "A40: confirm or refuse the merge"), "merges": (),
    }  # fmt: skip
    return MessagePage(**{**values, **changes})


@pytest.fixture
def browser(site: Site) -> FlaskClient:
    site.house.database.write(
        lambda tx: tx.inputs.add(an_input(ID, channel="mllp", client=None, payload=CONTENT, state="pending"))
    )
    site.house.console_messages[ID] = a_page()
    browser = site.client()
    assert enter(site, browser).status_code == 303
    return browser


@pytest.mark.parametrize("path", ["/console/messages", f"/console/messages/{ID}"])
def test_nobody_sees_messages_without_login(site: Site, path: str) -> None:
    assert site.client().get(path).headers["Location"] == "/console/login"


def test_the_list_shows_headers_and_nobodys_name(browser: FlaskClient) -> None:
    html = browser.get("/console/messages").text

    assert "ADT^A40" in html
    assert "HOSPITAL" in html
    assert "Otter-Test" not in html


def test_the_list_keeps_what_was_asked(browser: FlaskClient) -> None:
    html = browser.get("/console/messages?type=RRI&sender=%22%3E%3Cscript%3E").text

    assert "No message matches." in html
    assert "<script" not in html


def test_a_message_is_shown_field_by_field_with_names_and_fate(browser: FlaskClient) -> None:
    html = browser.get(f"/console/messages/{ID}").text

    assert "Patient name" in html
    assert "Otter-Test^&lt;b&gt;Pat" in html
    assert "PID-3[2]" in html
    assert "social security numbers are never taken" in html
    assert "a segment of the sender&#39;s own" in html
    assert "MSA|AA|E1" in html


def test_the_story_is_told_who_looks(site: Site, browser: FlaskClient) -> None:
    browser.get(f"/console/messages/{ID}")

    kind, (staff_id, role), asked = site.house.asked[-1]
    assert (kind, role, asked) == ("console_message", "staff", ID)
    assert staff_id


def test_a_withheld_message_says_why(site: Site, browser: FlaskClient) -> None:
    site.house.console_messages[ID] = a_page(withheld="no agreement in force", raw=None, fields=())

    html = browser.get(f"/console/messages/{ID}").text

    assert "Only the structure is shown: no agreement in force." in html
    assert "Otter-Test" not in html


def a_relay(work_id: int) -> Work:
    return Work(
        work_id, "org:sample-practice/hl7v2", "relay", ID, "create", f"m{work_id}", "refused", 0, "UNSEGMENTABLE", 1,
        NOW, NOW,
    )  # fmt: skip


def test_to_whom_a_message_goes_on_is_told_and_why_not_where_its_content_is(site: Site, browser: FlaskClient) -> None:
    site.house.console_messages[ID] = a_page(relays=(a_relay(1),))
    shown = browser.get(f"/console/messages/{ID}").text
    site.house.console_messages[ID] = a_page(relays=(a_relay(1),), withheld="no agreement in force", raw=None)
    withheld = browser.get(f"/console/messages/{ID}").text

    assert "org:sample-practice/hl7v2" in shown
    assert "org:sample-practice/hl7v2" in withheld
    assert ("UNSEGMENTABLE" in shown, "UNSEGMENTABLE" in withheld) == (True, False)


def test_what_could_not_go_on_leads_to_its_message(site: Site, browser: FlaskClient) -> None:
    site.house.database.write(
        lambda tx: tx.outbox.add(
            lane="org:sample-practice/hl7v2", kind="relay", subject=ID, action="create", message_id="m1", version=1,
            at=NOW, state="held", reason="it is about nobody we know",
        )
    )  # fmt: skip

    assert f'href="/console/messages/{ID}">message</a>' in browser.get("/console/queues").text


def test_a_message_that_waits_for_a_person_is_one_click_away(site: Site, browser: FlaskClient) -> None:
    waiting = an_input("quarantined-message", channel="mllp", source="hl7v2", client=None, state="quarantined")
    site.house.database.write(lambda tx: tx.inputs.add(waiting))

    assert 'href="/console/messages/quarantined-message"' in browser.get("/console/queues").text


def test_a_missing_message_is_not_found(browser: FlaskClient) -> None:
    assert browser.get("/console/messages/nothing").status_code == 404


@pytest.mark.parametrize(("word", "same"), [("yes", True), ("no", False), ("", False)])
def test_a_merge_is_decided_with_a_word(site: Site, browser: FlaskClient, word: str, same: bool) -> None:
    from gateway.flow.messages.merges import Merge

    site.house.console_messages[ID] = a_page(merges=(Merge("org:h", a_person("person-1"), a_person("person-2"), ()),))

    answer = submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/merge", same=word)

    assert answer.status_code == 303
    assert site.house.asked[-1][0::2] == ("decide_merge", ID)
    assert site.house.asked[-1][3] is same


@pytest.mark.parametrize(("word", "person"), [("person-1", "person-1"), ("", None)])
def test_what_a_con_forbids_is_confirmed_for_a_person_or_set_aside(
    site: Site, browser: FlaskClient, word: str, person: str | None
) -> None:
    con = ConsentStatement(1, "limits", "001", "", "", "written", "<b>not to my brother</b>", None, None, "", None)
    site.house.console_messages[ID] = a_page(waiting=(Waiting(con, a_person("person-1")),))

    html = browser.get(f"/console/messages/{ID}").text
    answer = submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/consent", person=word)

    assert "&lt;b&gt;not to my brother" in html
    assert answer.status_code == 303
    assert site.house.asked[-1][0::2] == ("settle_consents", ID)
    assert site.house.asked[-1][3] == person


def test_whose_word_it_is_is_chosen_from_the_partners(site: Site, browser: FlaskClient) -> None:
    partners = (Organization("org:a", "Sample <i>Clinic"), Organization("org:b", "Sample Ward"))
    site.house.console_messages[ID] = a_page(question=Question(senders=partners, may_be_left=True))

    html = browser.get(f"/console/messages/{ID}").text
    answer = submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/sender", organization="org:b")

    assert "Sample &lt;i&gt;Clinic" in html
    assert answer.status_code == 303
    assert site.house.asked[-1][0::2] == ("take_message_as", ID)
    assert site.house.asked[-1][3] == "org:b"


@pytest.mark.parametrize(("word", "person"), [("person-1", "person-1"), ("", None)])
def test_whom_a_message_is_about_is_one_of_those_it_resembles_or_somebody_new(
    site: Site, browser: FlaskClient, word: str, person: str | None
) -> None:
    site.house.console_messages[ID] = a_page(question=Question(people=(a_person("person-1"),)))

    answer = submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/person", person=word)

    assert answer.status_code == 303
    assert site.house.asked[-1][0::2] == ("tell_whom", ID)
    assert site.house.asked[-1][3] == person


def test_a_message_that_waits_can_be_left(site: Site, browser: FlaskClient) -> None:
    site.house.console_messages[ID] = a_page(question=Question(may_be_left=True))

    answer = submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/leave")

    assert answer.status_code == 303
    assert site.house.asked[-1][0::2] == ("leave_message", ID)


def test_nothing_is_asked_of_a_message_that_waits_for_nothing(browser: FlaskClient) -> None:
    html = browser.get(f"/console/messages/{ID}").text

    assert not [action for action in ("/sender", "/person", "/leave") if f'{ID}{action}"' in html]


@pytest.mark.parametrize(
    ("action", "form"), [("sender", {"organization": "org:nobody"}), ("person", {"person": "nobody-here"})]
)
def test_an_answer_that_nobody_asked_for_is_not_found(
    site: Site, browser: FlaskClient, action: str, form: dict[str, str]
) -> None:
    assert submit(browser, f"/console/messages/{ID}", f"/console/messages/{ID}/{action}", **form).status_code == 404


def test_a_merge_without_the_form_token_is_refused(site: Site, browser: FlaskClient) -> None:
    assert browser.post(f"/console/messages/{ID}/merge", data={"same": "yes"}).status_code == 400
    assert not any(asked[0] == "decide_merge" for asked in site.house.asked)
