"""Liveness, readiness, metrics and the description of the API."""

import re

from tests.support.web_house import Site

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


def test_the_description_names_every_route_but_fhir_and_the_pages_of_the_console(site: Site) -> None:
    description = site.client().get("/openapi.json").json

    assert description is not None
    rules = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in site.app.url_map.iter_rules()}
    described = {rule for rule in rules if not rule.startswith(("/fhir/", "/static/", "/console/"))}
    assert set(description["paths"]) == described | {"/console/"}
