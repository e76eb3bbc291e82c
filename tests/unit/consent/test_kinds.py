"""What a form mixes and what it lacks by itself: the borders between the kinds of consent (42 CFR 2.31)."""

from datetime import date
from typing import Any

import pytest

from gateway.consent.compile import compile_consent
from gateway.consent.kinds import is_legacy_form
from gateway.model.consent_directive import Directive
from gateway.model.labels import CONFIDENTIALITY
from tests.support.machines import a_machine_set_to
from tests.support.part2_world import (
    EXTENSION,
    OWN,
    a_consent,
    a_permit,
    a_tpo_consent,
    answer,
    labels,
    purpose,
    world,
)

Json = dict[str, Any]
NOTES = {"system": OWN + "security-label", "code": "SUDNOTES"}
RESTRICTED = {"system": CONFIDENTIALITY, "code": "R"}


def compiled(consent: Json) -> Directive:
    return compile_consent(consent, world())


def for_notes(*permits: Json, **changes: Any) -> Json:
    return a_consent(*(permits or (a_permit(securityLabel=[NOTES]),)), **changes)


def of_kinds(*codes: str, **changes: Any) -> Json:
    own = [{"coding": [{"system": OWN + "consent-category", "code": one}]} for one in codes]
    return a_consent(a_permit(purposes=["HLEGAL"]), category=own, **changes)


@pytest.mark.parametrize(
    ("consent", "mixes"),
    [
        (for_notes(), False),
        (for_notes(kind="sud-counseling-notes"), False),
        (a_consent(kind="sud-counseling-notes"), True),
        (for_notes(a_permit(), a_permit(securityLabel=[NOTES])), True),
        (for_notes(a_permit(securityLabel=[NOTES, *labels("HIV")])), True),
        (for_notes(a_permit(securityLabel=[NOTES], provision=[a_permit(securityLabel=labels("HIV"))])), False),
        (for_notes(a_permit(provision=[a_permit(securityLabel=[NOTES])])), True),
        (a_consent(), False),
        (a_consent(a_permit(securityLabel=[])), False),
        (for_notes(a_permit(securityLabel=[]), kind="sud-counseling-notes"), False),
        (for_notes(a_permit(securityLabel=[]), a_permit(securityLabel=[NOTES])), True),
        (for_notes(a_permit(securityLabel=[], provision=[a_permit(securityLabel=[NOTES])])), True),
        (for_notes(a_permit(securityLabel=[NOTES, RESTRICTED])), True),
        (for_notes(a_permit(securityLabel=[RESTRICTED]), kind="sud-counseling-notes"), True),
        (for_notes(a_permit(securityLabel=[NOTES], provision=[a_permit(securityLabel=[RESTRICTED])])), False),
    ],
)
def test_counseling_notes_stand_alone(consent: Json, mixes: bool) -> None:
    """42 CFR 2.31(b)(2): with another consent for counseling notes and nothing else."""
    consent["category"] = [one for one in consent["category"] if one["coding"][0]["code"] != "42CFRPart2CD"]

    assert compiled(consent).mixes_notes is mixes


def test_a_form_of_another_kind_that_speaks_of_notes_mixes_them() -> None:
    both = for_notes(category=a_consent()["category"])

    assert compiled(both).mixes_notes
    assert not compiled(a_consent()).mixes_notes


@pytest.mark.parametrize(
    ("consent", "mixes"),
    [
        (of_kinds("proceedings"), False),
        (of_kinds("proceedings", "central-registry"), True),
        (of_kinds(), False),
        (of_kinds("central-registry"), False),
        (a_consent(a_permit(purposes=["HLEGAL", "TREAT"])), True),
        (a_consent(a_permit(purposes=["HLEGAL"]), a_permit(purposes=["TREAT"])), True),
        (a_consent(kind="proceedings"), True),
        (a_consent(), False),
    ],
)
def test_proceedings_stand_alone(consent: Json, mixes: bool) -> None:
    """42 CFR 2.31(d)."""
    assert compiled(consent).mixes_proceedings is mixes


@pytest.mark.parametrize(("edition", "is_legacy"), [("2024-04-15", True), ("2024-04-16", False), (None, False)])
def test_a_form_of_before_the_rule_of_2024_is_a_legacy_form(edition: str | None, is_legacy: bool) -> None:
    extensions = [{"url": EXTENSION + "form-edition", "valueDate": edition}] if edition else []

    directive = compiled(a_consent(extensions=extensions))

    assert is_legacy_form(directive) is is_legacy
    assert directive.form_edition == (date.fromisoformat(edition) if edition else None)


def test_the_day_of_its_edition_is_the_same_whatever_the_machine_is_set_to() -> None:
    edition = {"url": EXTENSION + "form-edition", "valueDate": "2024-04-16"}

    with a_machine_set_to("Pacific/Honolulu"):
        directive = compiled(a_consent(extensions=[edition]))

    assert directive.form_edition == date(2024, 4, 16)


class TestWhatAFormLacks:
    def lacks(self, consent: Json) -> set[str]:
        (grant,) = compiled(consent).grants
        return set(grant.lacks)

    @pytest.mark.parametrize(
        ("consent", "lacks"),
        [
            (a_consent(), set()),
            (a_tpo_consent(), set()),
            (a_consent(patient=None), {"EL_PATIENT"}),
            (a_consent(organization=None), {"EL_DISCLOSER"}),
            (a_consent(without=["revocation-right"]), {"EL_REVOCATION"}),
            (a_consent(without=["revocation-right", "ce-redisclosure-statement"]), {"EL_REVOCATION"}),
            (a_consent(without=["tpo-redisclosure-warning"]), {"EL_TPO_STATEMENTS"}),
            (a_consent(without=["refusal-consequences"]), {"EL_TPO_STATEMENTS"}),
            (a_consent(a_permit(purposes=["PATRQT"]), without=["refusal-consequences"]), set()),
            (a_consent(a_permit(purposes=["own:monitoring"]), kind="criminal-justice-referral"), {"EL_REVOCATION"}),
            (a_consent(a_permit(), kind="criminal-justice-referral", without=["refusal-consequences"]),
             {"EL_REVOCATION"}),
        ],
    )  # fmt: skip
    def test_is_named_whoever_asks(self, consent: Json, lacks: set[str]) -> None:
        assert self.lacks(consent) == lacks

    @pytest.mark.parametrize(
        ("expiry", "purposes", "is_enough"),
        [
            ("none", ["TREAT"], True),
            ("none", ["TREAT", "HPAYMT"], True),
            ("none", ["PATRQT"], False),
            ("none", ["TREAT", "PATRQT"], False),
            ("end-of-treatment", ["TREAT"], True),
            ("end-of-treatment", ["HRESCH"], False),
            ("end-of-research-study", ["HRESCH"], True),
            ("end-of-research-study", ["TREAT"], False),
            ("some-day", ["TREAT"], False),
        ],
    )
    def test_an_end_by_event_is_one_for_the_purposes_it_fits(
        self, expiry: str, purposes: list[str], is_enough: bool
    ) -> None:
        """42 CFR 2.31(a)(7)."""
        consent = a_consent(
            provision={"type": "deny", "provision": [a_permit(purposes=purposes)]},
            extensions=[{"url": EXTENSION + "expiry", "valueCode": expiry}],
        )

        assert ("EL_EXPIRY" not in self.lacks(consent)) is is_enough

    @pytest.mark.parametrize(
        ("around", "inside", "purposes"),
        [
            (["HRESCH", "TREAT"], ["TREAT"], ["TREAT"]),
            (["TREAT"], ["HRESCH", "TREAT"], ["TREAT"]),
            (["ETREAT"], ["TREAT"], ["ETREAT"]),
            (["TREAT"], ["HRESCH"], []),
        ],
    )
    def test_a_permit_is_for_the_purposes_that_it_and_all_around_it_include(
        self, around: list[str], inside: list[str], purposes: list[str]
    ) -> None:
        root = {"type": "deny", "purpose": list(map(purpose, around)), "provision": [a_permit(purposes=inside)]}
        endless = [{"url": EXTENSION + "expiry", "valueCode": "none"}]

        consent = a_consent(provision=root, extensions=endless)

        assert [code for _, code in compiled(consent).grants[0].purposes] == purposes
        assert self.lacks(consent) == (set() if purposes else {"EL_PURPOSE", "EL_EXPIRY"})

    def test_a_referral_by_criminal_justice_names_its_period(self) -> None:
        """42 CFR 2.35(b)."""
        endless = a_consent(
            kind="criminal-justice-referral",
            provision={"type": "deny", "provision": [a_permit()]},
            extensions=[
                {"url": EXTENSION + "expiry", "valueCode": "none"},
                {"url": EXTENSION + "revocable-from", "valueDateTime": "2026-12-01"},
            ],
        )

        assert self.lacks(endless) == {"EL_EXPIRY"}


def test_a_legacy_form_is_held_or_accepted_as_the_site_says() -> None:
    old = a_consent(
        without=["ce-redisclosure-statement", "tpo-redisclosure-warning"],
        extensions=[{"url": EXTENSION + "form-edition", "valueDate": "2024-04-15"}],
    )
    lacking = {**old, "organization": []}

    assert answer(old) == ("HOLD", "CONSENT_DEFICIENT")
    assert answer(old, switches={"legacy_consent": "accept"}) == ("PERMIT", "OK_CONSENT")
    assert answer(lacking, switches={"legacy_consent": "accept"}) == ("DENY", "CONSENT_DEFICIENT:EL_DISCLOSER")
