"""Bearer tokens at the door, and what every answer carries whoever asked."""

import logging
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from structlog.testing import capture_logs

from gateway.storage.database import SqlDatabase
from gateway.testing import FixedClock
from gateway.web.tokens import AUDIENCE, issue
from tests.support.stored import AT
from tests.support.web_house import TOKEN_KEY, Site, a_site

pytest_plugins = ("tests.support.sites",)

NOW = int(AT.timestamp())
CLAIMS = {"iss": AUDIENCE, "aud": AUDIENCE, "sub": "demo-ehr", "iat": NOW, "exp": NOW + 300, "jti": "j"}


def signed(claims: dict[str, object], key: bytes = TOKEN_KEY, alg: str = "HS256") -> str:
    token: str = jwt.encode({"alg": alg}, claims, OctKey.import_key(key), algorithms=[alg])
    return token


def ask(site: Site, authorization: str | None) -> tuple[int, str]:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = site.client().get("/fhir/R4/Task", headers=headers)
    assert answer.json is not None
    return answer.status_code, answer.json.get("issue", [{"code": "fine"}])[0]["code"]


def test_a_fresh_token_opens_the_door(site: Site) -> None:
    assert ask(site, f"Bearer {site.token('demo-ehr')}") == (200, "fine")


def test_a_token_is_good_for_five_minutes(site: Site) -> None:
    token = site.token("demo-ehr")

    site.clock.advance(timedelta(seconds=299))
    assert ask(site, f"Bearer {token}") == (200, "fine")

    site.clock.advance(timedelta(seconds=10))
    assert ask(site, f"Bearer {token}") == (401, "expired")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x", "Basic eDp5", "Bearer " + "x" * 5000])
def test_without_a_token_nobody_gets_in(site: Site, authorization: str | None) -> None:
    assert ask(site, authorization) == (401, "login")


@pytest.mark.parametrize(
    "token",
    [
        signed(CLAIMS, key=b"another-key-of-the-tests-not-secret"),
        signed(CLAIMS, alg="HS384"),
        signed(CLAIMS | {"aud": "another-service"}),
        signed(CLAIMS | {"iss": "another-service"}),
        signed(CLAIMS | {"sub": "nobody-registered"}),
        signed(CLAIMS | {"sub": 7}),
        signed(CLAIMS | {"exp": NOW + 86_400}),
        signed({name: value for name, value in CLAIMS.items() if name != "exp"}),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vLWVociJ9.",
    ],
    ids=["forged", "HS384", "audience", "issuer", "unknown client", "odd sub", "too long", "endless", "none"],
)
def test_a_token_not_made_here_is_not_believed(site: Site, token: str) -> None:
    assert ask(site, f"Bearer {token}") == (401, "login")


def test_a_client_taken_out_of_the_registration_is_out_at_once(web_store: SqlDatabase, clock: FixedClock) -> None:
    site = a_site(web_store, clock, registered=lambda _: None)

    outcome = ask(site, f"Bearer {issue('demo-ehr', TOKEN_KEY, token_id='j', at=AT)}")

    assert outcome == (401, "login")


def test_401_says_how_to_log_in(site: Site) -> None:
    assert site.client().get("/intake/receipts/x").headers["WWW-Authenticate"] == 'Bearer realm="warm-handoff"'


@pytest.mark.parametrize("path", ["/healthz", "/fhir/R4/metadata", "/console/login", "/nowhere", "/intake/receipts/x"])
def test_every_answer_is_hardened_and_can_be_found_again(site: Site, path: str) -> None:
    headers = site.client().get(path).headers

    assert headers["X-Correlation-Id"].startswith("ida")
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


def test_browsers_are_told_to_stay_with_tls_where_there_is_tls(web_store: SqlDatabase, clock: FixedClock) -> None:
    site = a_site(web_store, clock, base_url="https://gateway.example")

    headers = site.client().get("/console/login").headers

    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Secure" in headers["Set-Cookie"]


def test_oversized_headers_and_queries_are_refused(site: Site) -> None:
    assert site.client().get("/healthz", headers={"X-Large": "x" * 17_000}).status_code == 431
    assert site.client().get("/healthz?" + "x" * 5_000).status_code == 414


def test_the_log_holds_ids_and_routes_and_never_an_address_or_a_value(site: Site) -> None:
    with capture_logs() as lines:
        site.client("demo-ehr").get("/fhir/R4/Patient?identifier=Otter-Test")
        site.client("demo-agency").post("/intake/eido", data=b"Otter-Test")
        site.client("demo-ehr").get("/fhir/R4/Patient/Otter-Test", headers={"User-Agent": "Otter-Test"})

    assert "Otter" not in repr(lines)
    assert lines[0] | {"ms": 0} == {
        "event": "request",
        "log_level": "info",
        "correlation": "idaaaaaaaaaaaaaaaaaaaaaaa3",
        "client": "demo-ehr",
        "method": "GET",
        "route": "/fhir/R4/<resource_type>",
        "status": 200,
        "ms": 0,
    }


def test_an_unforeseen_error_is_told_by_kind_and_place_only(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> bytes:
        raise RuntimeError("cannot read Otter-Test")

    site.app.view_functions["fhir_reads.metadata"] = fail

    with capture_logs() as lines, caplog.at_level(logging.DEBUG):
        answer = site.client().get("/fhir/R4/metadata")

    assert answer.status_code == 500
    assert answer.json is not None
    assert answer.json["issue"][0]["code"] == "exception"
    assert lines[0]["error"] == "RuntimeError"
    assert lines[0]["correlation"] == answer.headers["X-Correlation-Id"]
    assert "Otter" not in repr(lines) + caplog.text + answer.text
