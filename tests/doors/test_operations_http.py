"""Liveness, readiness, metrics and the description of the API."""

import re

import pytest

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from tests.support.web_house import Site, a_site

pytest_plugins = ("tests.support.sites",)


def test_alive_is_said_without_looking_at_anything(site: Site) -> None:
    assert site.client().get("/healthz").json == {"status": "ok"}


def test_ready_names_the_part_that_is_not(site: Site) -> None:
    assert site.client().get("/readyz").status_code == 200

    site.house.parts["workers"] = False
    answer = site.client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {"status": "not ready", "parts": {"database": True, "workers": False}}


def test_requests_are_counted_by_route_not_by_address(site: Site) -> None:
    site.client("demo-ehr").get("/fhir/R4/Patient/Otter-Test")

    text = site.client().get("/metrics").text

    route = "/fhir/R4/<resource_type>/<resource_id>"
    assert f'gateway_http_requests_total{{method="GET",route="{route}",status="404"}} 1.0' in text
    assert "Otter" not in text


def test_a_made_up_method_makes_no_new_series(site: Site) -> None:
    site.client().open("/healthz", method="OTTER")

    assert "OTTER" not in site.client().get("/metrics").text


METRICS_KEY = b"metrics-key-of-the-tests-no-secret"


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("::ffff:127.0.0.1", {}, 200),
        ("203.0.113.9", {}, 401),
        ("::ffff:203.0.113.9", {}, 401),
        ("127.0.0.1", {"Host": "127.0.0.1:8080"}, 200),
        ("127.0.0.1", {"Host": "[::1]:8080"}, 200),
        ("127.0.0.1", {"Host": "rebound.example:8080"}, 401),
        ("127.0.0.1", {"Host": "[::1"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.9"}, 401),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.9"}, 401),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 401),
    ],
)
def test_without_a_key_the_metrics_are_for_who_asks_on_this_machine(
    site: Site, address: str, headers: dict[str, str], status: int
) -> None:
    answer = site.client().get("/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": address})

    assert answer.status_code == status
    assert ("gateway_work" in answer.text) == (status == 200)


def test_of_a_gateway_that_others_reach_the_metrics_are_not_for_this_machine_either(
    web_store: SqlDatabase, clock: FixedClock
) -> None:
    behind_a_proxy = a_site(web_store, clock, base_url="https://gateway.example")

    assert behind_a_proxy.client().get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {METRICS_KEY.hex()}", 200),
        (f"bearer  {METRICS_KEY.hex()}", 200),
        (f"Bearer {METRICS_KEY.hex()[:-1]}", 401),
        (f"Basic {METRICS_KEY.hex()}", 401),
        ("Bearer \xe9", 401),
        (None, 401),
    ],
)
def test_with_a_key_the_metrics_are_for_who_shows_it(
    web_store: SqlDatabase, clock: FixedClock, authorization: str | None, status: int
) -> None:
    site = a_site(web_store, clock, base_url="https://gateway.example", metrics_key=METRICS_KEY)

    answer = site.client().get("/metrics", headers={"Authorization": authorization} if authorization else {})

    assert answer.status_code == status


def test_a_token_of_a_client_opens_no_metrics(web_store: SqlDatabase, clock: FixedClock) -> None:
    site = a_site(web_store, clock, metrics_key=METRICS_KEY)

    assert site.client("demo-ehr").get("/metrics").status_code == 401


def test_the_description_names_every_route_but_fhir_and_the_pages_of_the_console(site: Site) -> None:
    description = site.client().get("/openapi.json").json

    assert description is not None
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in site.app.url_map.iter_rules()}
    described = {rule for rule in rules if not rule.startswith(("/fhir/", "/static/", "/console/"))}
    assert set(description["paths"]) == described | {"/console/"}
