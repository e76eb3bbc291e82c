"""The console over a whole house, with a record of a Part 2 program in it that nobody has consented to share."""

import base64
import re
from dataclasses import dataclass, replace
from io import BytesIO

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.flow.gateway import Gateway
from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.browsing import PASSWORD, submit
from tests.support.flow_house import World, a_world
from tests.support.released import ED, PROGRAM, take_case
from tests.support.web_house import Site, a_site

PIXEL = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CHOICES = {
    "kind": "disclosure", "outcome": "agreed", "language": "en", "disclosers": PROGRAM, "information": "everything",
    "to": ED, "purposes": "treatment", "end": "date", "end_on": "2027-06-30",
}  # fmt: skip
ON_PAPER = {
    **CHOICES, "first_name": "Ari Sample", "first_capacity": "patient", "first_signed": "2026-10-30",
}  # fmt: skip
STATEMENTS = ["revocation-right", "ce-redisclosure-statement", "tpo-redisclosure-warning", "refusal-consequences"]


@dataclass
class Desk:
    """A site over a whole house, with one record of a Part 2 program in it that nobody has consented to share."""

    site: Site
    world: World
    record: str

    def enter(self, name: str, role: str = "staff", organization: str | None = None) -> FlaskClient:
        """Return the browser of a member of staff who has just logged in for the first time."""
        link = self.site.services.staff.invite(name, role, self.site.clock(), organization)
        browser = self.site.client()
        assert submit(browser, f"/console/welcome/{link}", password=PASSWORD, again=PASSWORD).status_code == 303
        return browser

    def sign(self, browser: FlaskClient, **changes: str) -> TestResponse:
        """Choose, read the text, and sign it by typing the name."""
        chosen = {**CHOICES, **changes}
        shown = submit(browser, "/console/consents", f"/console/consents/new/{self.record}/text", **chosen)
        digest = re.search(r'name="shown" value="([0-9a-f]{64})"', shown.text)
        assert digest is not None, shown.text
        signed = {"shown": digest[1], "first_name": "Ari Sample", "first_method": "typed", "first_capacity": "patient"}
        return submit(browser, "/console/consents", f"/console/consents/new/{self.record}/sign", **{**chosen, **signed})

    def file_paper(self, browser: FlaskClient, content: bytes = PIXEL, **changes: object) -> TestResponse:
        """File a scan with what stands on the paper."""
        token = re.search(
            r'name="csrf_token" value="([^"]+)"', browser.get(f"/console/consents/scan/{self.record}").text
        )
        assert token is not None
        data = {
            **ON_PAPER, "statements": STATEMENTS, **changes, "csrf_token": token[1],
            "scan": (BytesIO(content), "paper.png", "image/png"),
        }  # fmt: skip
        return browser.post(f"/console/consents/scan/{self.record}", data=data, content_type="multipart/form-data")

    def sent(self) -> str:
        """Return what has reached the hospital so far."""
        self.world.work()
        return b"".join(one.body for one, _, _ in self.world.transport.sent).decode()


def a_desk(web_store: SqlDatabase, clock: FixedClock) -> Desk:
    """Build it on a store."""
    base = a_world()
    house = replace(base.house, database=web_store, clock=clock)
    world = World(house, Gateway(house), clock, base.database, base.transport)
    site = a_site(web_store, clock, house=world.gateway)
    return Desk(site, world, take_case(world))
