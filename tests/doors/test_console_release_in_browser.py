"""Breaking the glass in Chromium, without script, by keyboard: from the form to the second person's note.

Set GATEWAY_SCREENSHOTS to a folder to keep the pictures.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.doors.test_console_in_browser import PASSWORD, pictures
from tests.doors.test_console_release import Desk, desk
from tests.support.served import served

pytest_plugins = ("tests.support.browsers", "tests.support.sites")

__all__ = ["desk"]


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    with served(desk.site.app) as at:
        yield at


def enter(chromium: Browser, desk: Desk, address: str, name: str, role: str, width: int = 1280) -> Page:
    page = chromium.new_context(java_script_enabled=False, viewport={"width": width, "height": 900}).new_page()
    page.goto(f"{address}/console/welcome/{desk.site.services.staff.invite(name, role, desk.site.clock())}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and enter").click()
    page.wait_for_url("**/console/")
    return page


def break_glass(page: Page, desk: Desk, address: str) -> None:
    """Fill in the form by its labels and send it from the keyboard."""
    page.goto(f"{address}/console/releases")
    page.get_by_role("link", name="Break the glass: medical emergency").press("Enter")
    page.get_by_label("Record (its id)").fill(desk.record)
    page.get_by_label("Recipient", exact=True).select_option("org:demo-hospital")
    page.get_by_label("Who receives it").fill("Dr Voe")
    page.get_by_label("Where they work").fill("Exampleville General, emergency department")
    page.get_by_label("Nature of the emergency").fill("unresponsive after a suspected overdose")
    page.get_by_label("The person's written consent cannot be obtained").press("Space")
    page.get_by_label("Hand over a copy").press("Space")


def test_the_glass_is_broken_by_keyboard_and_looked_at_by_another(
    chromium: Browser, desk: Desk, address: str, tmp_path: Path
) -> None:
    nurse = enter(chromium, desk, address, "nora", "clinician")
    officer = enter(chromium, desk, address, "pia", "privacy-officer")
    break_glass(nurse, desk, address)
    nurse.screenshot(path=pictures(tmp_path) / "break-glass-form.png", full_page=True)
    nurse.get_by_role("button", name="Break the glass").press("Enter")

    nurse.screenshot(path=pictures(tmp_path) / "break-glass-done.png", full_page=True)
    assert nurse.get_by_text("OK_EMERGENCY").first.is_visible()
    officer.goto(f"{address}/console/reviews")
    officer.screenshot(path=pictures(tmp_path) / "reviews.png", full_page=True)
    officer.get_by_label("What you found").fill("called the emergency department")
    officer.get_by_role("button", name="I have looked").press("Enter")
    assert officer.get_by_role("status").inner_text() == "Looked at, with your note."
    with nurse.expect_download() as download:
        nurse.get_by_role("button", name="Letter (PDF)").press("Enter")
    assert download.value.suggested_filename == "release.pdf"
    download.value.save_as(pictures(tmp_path) / "release.pdf")


@pytest.mark.parametrize("width", [1280, 320])
def test_no_page_of_releases_is_wider_than_the_screen(
    chromium: Browser, desk: Desk, address: str, tmp_path: Path, width: int
) -> None:
    page = enter(chromium, desk, address, "ada", "admin", width)
    break_glass(page, desk, address)
    page.get_by_role("button", name="Break the glass").press("Enter")
    release = page.url.removeprefix(address)

    for path in ("/console/releases", release, "/console/reviews", "/console/releases/new/court_order",
                 f"/console/withheld/{desk.record}"):  # fmt: skip
        page.goto(address + path)
        picture = path.strip("/").replace("/", "-")[:40]
        page.screenshot(path=pictures(tmp_path) / f"{picture}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
