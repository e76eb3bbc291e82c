"""What the console tells staff of an operator without agreements: numbers and states, and of no decision why."""

from tests.support.browsing import PASSWORD, submit
from tests.support.console_day import fill
from tests.support.web_house import QuietDesk, Site

pytest_plugins = ("tests.support.sites",)


class DeskWithoutAgreements(QuietDesk):
    """A desk of an operator who serves no program."""

    serves_every_program = False


def test_the_queues_do_not_tell_why_a_delivery_was_stopped_by_the_rules(site: Site) -> None:
    """A program's record may say what the person took back (42 CFR 2.13(c))."""
    fill(site)
    site.house.release_desk = DeskWithoutAgreements()
    browser = site.client()
    link = site.services.staff.invite("robin", "staff", site.clock())
    submit(browser, f"/console/welcome/{link}", password=PASSWORD, again=PASSWORD)

    html = browser.get("/console/queues").text

    assert "DENY NO_CONSENT" not in html
    assert "422 from the receiver" in html
