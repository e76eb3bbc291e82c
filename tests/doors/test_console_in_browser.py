"""The console in Chromium, without script: screenshots, no violation of our own policy, reachable by keyboard.

Set GATEWAY_SCREENSHOTS to a folder to keep the pictures.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.console_day import ACTIVE, HELD, fill
from tests.support.served import served
from tests.support.web_house import Site

pytest_plugins = ("tests.support.browsers", "tests.support.sites")

PASSWORD = "four plain words here"


@pytest.fixture
def day(site: Site) -> Site:
    fill(site)
    return site


@pytest.fixture
def address(day: Site) -> Iterator[str]:
    with served(day.app) as at:
        yield at


def pictures(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("GATEWAY_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def enter(page: Page, site: Site, address: str) -> None:
    link = site.services.staff.invite("robin", "staff", site.clock())
    page.goto(f"{address}/console/welcome/{link}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and enter").click()
    page.wait_for_url("**/console/")


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)], ids=["light", "dark", "phone"]
)
def test_every_page_shows_without_script_and_breaks_no_rule_of_ours(
    chromium: Browser, site: Site, address: str, tmp_path: Path, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        java_script_enabled=False,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 900},
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    # An icon that was still on its way when the next page was asked for is no complaint.
    page.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or complaints.append(request.url))
    enter(page, site, address)

    for name, path, heading in (
        ("today", "/console/", "Today"),
        ("records", "/console/records", "Records"),
        ("record", f"/console/records/{ACTIVE}", "Record"),
        ("held", f"/console/records/{HELD}", "Record"),
        ("queues", "/console/queues", "Waiting for a person"),
    ):
        page.goto(address + path)
        picture = pictures(tmp_path) / f"{name}-{scheme}-{width}.png"
        page.screenshot(path=picture, full_page=True)
        assert page.get_by_role("heading", level=1).inner_text().startswith(heading)
        assert picture.stat().st_size > 10_000
    context.close()

    assert complaints == []


def test_a_record_is_reached_by_keyboard_alone(chromium: Browser, site: Site, address: str) -> None:
    page = chromium.new_page()
    enter(page, site, address)

    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to content"
    page.keyboard.press("Enter")
    page.goto(f"{address}/console/records")
    page.get_by_label("State").select_option("held")
    page.get_by_role("button", name="Show").press("Enter")
    page.get_by_role("link", name=HELD[:12]).press("Enter")

    assert page.get_by_role("heading", name="Is this a person already known?").is_visible()
    page.get_by_role("button", name="Same person").press("Enter")
    assert page.get_by_role("status").inner_text() == "Decided: the same person."
    page.close()


def test_a_page_is_never_wider_than_the_screen(chromium: Browser, site: Site, address: str) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 700})
    enter(page, site, address)

    for path in ("/console/", "/console/records", f"/console/records/{ACTIVE}", "/console/queues", "/console/messages"):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.close()


def test_on_a_phone_each_cell_stands_under_its_heading_and_nothing_is_out_of_sight(
    chromium: Browser, site: Site, address: str, tmp_path: Path
) -> None:
    page = chromium.new_page(viewport={"width": 360, "height": 740})
    enter(page, site, address)

    for name, path in (("records", "/console/records"), ("queues", "/console/queues")):
        page.goto(address + path)
        page.screenshot(path=pictures(tmp_path) / f"{name}-rows-360.png", full_page=True)
        hidden = "tables => tables.filter(one => one.scrollWidth > one.clientWidth).length"
        assert page.locator(".scroll").evaluate_all(hidden) == 0, path
    label = "cell => getComputedStyle(cell, '::before').content"
    assert page.get_by_role("button", name="Replay").locator("xpath=ancestor::tr/td[1]").evaluate(label) == '"To"'
    assert page.get_by_role("button", name="Replay").is_visible()
    page.close()


def test_a_page_below_another_shows_where_it_stands(chromium: Browser, site: Site, address: str) -> None:
    page = chromium.new_page()
    enter(page, site, address)

    page.goto(f"{address}/console/records/{ACTIVE}")

    assert page.locator("nav[aria-label=Console] a[aria-current=true]").inner_text() == "Records"
    assert "Times are those of America/Los_Angeles." in page.locator("footer").inner_text()
    page.close()


def test_every_field_has_a_name_and_no_page_two_things_of_one_id(chromium: Browser, site: Site, address: str) -> None:
    page = chromium.new_page()
    enter(page, site, address)

    nameless = "all => all.filter(one => !one.labels?.length && !one.getAttribute('aria-label')).map(one => one.name)"
    twice = "all => all.map(one => one.id).filter((id, n, ids) => ids.indexOf(id) !== n)"
    for path in ("/", "/records", f"/records/{HELD}", "/queues", "/messages", "/releases", "/reviews", "/nowhere"):
        page.goto(f"{address}/console{path}")
        assert page.locator("input:not([type=hidden]), select, textarea").evaluate_all(nameless) == [], path
        assert page.locator("[id]").evaluate_all(twice) == [], path
        assert page.get_by_role("heading", level=1).count() == 1, path
    page.close()
