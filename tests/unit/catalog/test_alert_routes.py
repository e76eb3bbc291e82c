"""Entries of routes.yaml that alert: told apart from those of referrals, and refused where they mix."""

from pathlib import Path

import pytest

from gateway.catalog.routes import read_alert_routes, read_routes
from gateway.model.errors import ConfigurationError
from gateway.model.route import AlertRoute

ROUTES = """
- when: {service: [detox]}
  to: org:clinic
  transport: hl7v2
  purpose: TREAT
- alerts: [admitted, discharged]
  when: {program: lead-referral}
  to: org:office
  transport: fhir
  purpose: [COC, CAREMGT]
"""
KNOWN = {"org:clinic": None, "org:office": None}


def test_alerts_and_referrals_are_read_apart(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES)

    assert [route.to for route in read_routes(file, KNOWN)] == ["org:clinic"]
    assert read_alert_routes(file, KNOWN) == (
        AlertRoute(
            "routes.yaml:6", frozenset({"admitted", "discharged"}), frozenset({"lead-referral"}), frozenset(),
            "org:office", "fhir", ("COC", "CAREMGT"),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("[admitted, discharged]", "[moved]"),
        ("[admitted, discharged]", "[]"),
        ("{program: lead-referral}", "{service: [detox]}"),
        ("transport: fhir", "transport: fhir\n  via: org:clinic"),
        ("transport: fhir", "transport: link"),
        ("to: org:office", "to: org:unknown"),
    ],
)
def test_an_alert_that_cannot_be_meant_so_is_refused(tmp_path: Path, written: str, instead: str) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(ROUTES.replace(written, instead))

    with pytest.raises(ConfigurationError, match=r"routes\.yaml"):
        read_alert_routes(file, KNOWN)


def test_no_file_alerts_nobody(tmp_path: Path) -> None:
    assert read_alert_routes(tmp_path / "routes.yaml", {}) == ()
