"""A browser without script at the console: how it sends a form."""

import re

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "four plain words here"


def submit(browser: FlaskClient, page: str, action: str | None = None, **fields: str) -> TestResponse:
    """Fetch a page, take the token of its first form, and send that form."""
    html = browser.get(page).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', html)
    assert token is not None, html
    return browser.post(action or page, data={"csrf_token": token[1], **fields})
