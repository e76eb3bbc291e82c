"""What a site may switch, how each is read, and what is said of one that cannot be."""

from datetime import date
from typing import Any

import pytest

from gateway.consent import read_switches
from gateway.consent.switches import Switches, VerifiedSource, switch_problems
from gateway.model.fhir_time import instant

Json = dict[str, Any]
SOURCE: Json = {"address": "https://exchange.example/fhir", "verified": "2026-06-01"}


def test_what_is_not_stated_is_the_safe_side() -> None:
    safe = Switches(
        legacy_consent="hold",
        require_verification_external=True,
        external_consent_max_age=24,
        emergency_hours=24,
        verified_sources=(),
        hipaa_treatment="allow",
        oral_revocation="hold",
        notice="statement1 in FHIR, statement2 in v2",
        small_cell=11,
        minor_consent=13,
        own_addresses=("https://warmhandoff.example/",),
    )

    assert read_switches(None) == read_switches({}) == safe


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("legacy_consent", "accept"),
        ("require_verification_external", False),
        ("external_consent_max_age", 0),
        ("hipaa_treatment", "deny"),
        ("oral_revocation", "deny"),
        ("small_cell", 20),
        ("minor_consent", "parental"),
        ("minor_consent", 14),
        ("notice", "another"),
    ],
)
def test_what_is_stated_is_read(name: str, value: Any) -> None:
    assert getattr(read_switches({name: value}), name) == value


@pytest.mark.parametrize(
    "stated",
    [{"expiry_boundary": "inclusive"}, {"subsidiary_inherits": False}, {"unknown_origin": "part2"}, {"state": "WA"},
     {"accounting_tpo": True}],
)  # fmt: skip
def test_what_this_engine_does_one_way_only_may_be_stated_that_way(stated: Json) -> None:
    assert read_switches(stated) == Switches()


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"expiry_boundary": "exclusive"}, "switch expiry_boundary: only 'inclusive' is offered"),
        ({"unknown_origin": "none"}, "switch unknown_origin: only 'part2' is offered"),
        ({"legacy_consent": "maybe"}, "switch legacy_consent: expected one of hold, accept"),
        ({"hipaa_treatment": "maybe"}, "switch hipaa_treatment: expected one of allow, deny"),
        ({"oral_revocation": "maybe"}, "switch oral_revocation: expected one of hold, deny"),
        ({"require_verification_external": "yes"}, "switch require_verification_external: expected one of True, False"),
        ({"minor_consent": "sometimes"}, "switch minor_consent: expected a whole number"),
        ({"small_cell": "parental"}, "switch small_cell: expected a whole number"),
        ({"small_cell": -1}, "switch small_cell: expected a whole number"),
        ({"small_cell": True}, "switch small_cell: expected a whole number"),
        ({"external_consent_max_age": 1.5}, "switch external_consent_max_age: expected a whole number"),
        ({"unheard_of": 1}, "unknown switch"),
        ({"verified_sources": [{"address": "https://x.example"}]},
         "switch verified_sources: expected address and verified (a date) of each"),
        ({"verified_sources": [{**SOURCE, "verified": "yesterday"}]},
         "switch verified_sources: expected address and verified (a date) of each"),
        ({"verified_sources": ["https://x.example"]},
         "switch verified_sources: expected address and verified (a date) of each"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(stated: Json, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        read_switches(stated)

    assert str(caught.value) == told
    assert switch_problems(stated) == [told]


def test_a_notice_of_another_wording_keeps_a_gateway_from_starting() -> None:
    told = ["switch notice: expected the wording in force (42 CFR 2.32(a)), found another one"]

    assert switch_problems({"notice": "another"}) == told
    assert switch_problems({"notice": "statement1"}) == switch_problems(None) == []


def test_a_verified_source_is_read_with_its_day() -> None:
    expected = (VerifiedSource("https://exchange.example/fhir", date(2026, 6, 1)),)

    assert read_switches({"verified_sources": [SOURCE]}).verified_sources == expected
    assert read_switches({"verified_sources": [{**SOURCE, "verified": date(2026, 6, 1)}]}).verified_sources == expected


@pytest.mark.parametrize(
    ("source", "at", "vouches"),
    [
        ("https://exchange.example/fhir", "2026-06-01T00:00:00Z", True),
        ("https://exchange.example/fhir/Consent/1", "2026-06-02T00:00:00Z", True),
        ("https://exchange.example/fhir", "2026-05-31T23:59:59Z", False),
        ("https://exchange.example/fhirside", "2026-06-02T00:00:00Z", False),
        ("https://exchange.example", "2026-06-02T00:00:00Z", False),
    ],
)
def test_a_source_vouches_from_its_day_for_what_lies_below_it(source: str, at: str, vouches: bool) -> None:
    for address in (SOURCE["address"], SOURCE["address"] + "/"):
        switches = read_switches({"verified_sources": [{**SOURCE, "address": address}]})

        assert switches.vouches_for(source, instant(at)) is vouches
    assert not read_switches(None).vouches_for(source, instant(at))
