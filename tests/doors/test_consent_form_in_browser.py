"""A consent form in Chromium: filled in and signed by hand, looked at in both languages and on a phone.

Set GATEWAY_SCREENSHOTS to a folder to keep the pictures.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import PASSWORD
from tests.support.consent_site import Desk, a_desk
from tests.support.served import served

pytest_plugins = ("tests.support.browsers", "tests.support.sites")


@pytest.fixture
def desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    return a_desk(web_store, clock)


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with served(desk.site.app) as at:
        yield at


@pytest.fixture
def page(chromium: Browser, desk: Desk, address: str) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1180, "height": 820})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    link = desk.site.services.staff.invite("robin", "staff", desk.site.clock())
    opened.goto(f"{address}/console/welcome/{link}")
    opened.get_by_label("Password", exact=True).fill(PASSWORD)
    opened.get_by_label("The same again").fill(PASSWORD)
    opened.get_by_role("button", name="Set password and enter").click()
    opened.wait_for_url("**/console/")
    yield opened
    opened.close()
    assert complaints == []


def keep(page: Page, tmp_path: Path, name: str) -> None:
    folder = Path(os.environ.get("GATEWAY_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def choose(page: Page, address: str, record: str, language: str) -> None:
    """Fill in the form for the hospital, for treatment, until a date."""
    page.goto(f"{address}/console/consents/new/{record}")
    page.get_by_label(language, exact=True).check()
    page.get_by_role("group", name="Who may share").get_by_role("checkbox").first.check()
    page.get_by_label("All my substance use disorder records").check()
    page.get_by_label("Exampleville General Hospital", exact=True).check()
    page.get_by_label("My treatment", exact=True).check()
    page.get_by_label("Last day it is good for").fill("2027-06-30")


def test_a_person_reads_the_text_in_spanish_and_signs_it_by_hand(
    page: Page, desk: Desk, address: str, tmp_path: Path
) -> None:
    choose(page, address, desk.record, "Español")
    keep(page, tmp_path, "consent-choices")
    page.get_by_role("button", name="Show the text to sign").click()
    page.get_by_label("Nombre de quien firma", exact=True).fill("Ari Sample")
    page.locator("canvas").scroll_into_view_if_needed()
    box = page.locator("canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 90)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(box["x"] + 40 + 30 * step, box["y"] + 90 + (30 if step % 2 else -30))
    page.mouse.up()
    assert page.get_by_label("A mano, en este recuadro").is_checked()
    keep(page, tmp_path, "consent-signing")
    page.get_by_role("button", name="Firmar y guardar").click()
    page.wait_for_url("**/console/consents/*")
    keep(page, tmp_path, "consent-kept")

    assert "active until 2027-06-30" in page.locator("h1 + p").inner_text()
    with page.expect_download() as paper:
        page.get_by_role("link", name="Signed paper").click()
    assert Path(paper.value.path()).read_bytes().startswith(b"%PDF-")


def test_whoever_signs_in_spanish_is_asked_nothing_in_english(page: Page, desk: Desk, address: str) -> None:
    choose(page, address, desk.record, "Español")
    page.get_by_role("button", name="Show the text to sign").click()
    page.get_by_text("Si firma por la persona").first.click()
    page.get_by_text("Una segunda firma").click()

    told = page.locator("[lang=es] label, [lang=es] legend, [lang=es] summary, [lang=es] button").all_inner_texts()

    assert {one for one in told if one} == {
        "Nombre de quien firma", "Con qué derecho firma", "Si firma por la persona", "Qué acredita el derecho a firmar",
        "Válido desde", "Válido hasta", "Cómo se firma", "Escribiendo el nombre de arriba", "A mano, en este recuadro",
        "Borrar el recuadro", "Una segunda firma", "Nombre de quien firma también", "Firmar y guardar",
        "Cambiar lo elegido",
    }  # fmt: skip
    assert (
        page.locator("#sign label, #sign button").count() == page.locator("#sign [lang=es] :is(label, button)").count()
    )


def test_a_signature_under_another_name_is_not_taken_and_may_be_given_again(
    page: Page, desk: Desk, address: str
) -> None:
    choose(page, address, desk.record, "English")
    page.get_by_role("button", name="Show the text to sign").click()
    page.get_by_label("Name of who signs", exact=True).fill("Nobody Else-Test")
    page.get_by_role("button", name="Sign and keep").click()

    assert "The person signs with the name that stands on the form" in page.get_by_role("alert").inner_text()

    page.get_by_label("Name of who signs", exact=True).fill("Ari Sample")
    page.get_by_role("button", name="Sign and keep").click()

    assert page.get_by_role("status").inner_text() == "Signed and kept. Give the person a copy of the paper."


def test_what_is_missing_is_said_and_what_was_chosen_stays(page: Page, desk: Desk, address: str) -> None:
    choose(page, address, desk.record, "English")
    page.get_by_label("My treatment", exact=True).uncheck()

    page.get_by_role("button", name="Show the text to sign").press("Enter")

    assert "choose at least one purpose" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Exampleville General Hospital", exact=True).is_checked()


def test_the_pages_are_never_wider_than_a_phone(page: Page, desk: Desk, address: str, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 700})

    for path in ("", f"?record={desk.record}", f"/new/{desk.record}", f"/scan/{desk.record}"):
        page.goto(f"{address}/console/consents{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    keep(page, tmp_path, "consent-phone")
