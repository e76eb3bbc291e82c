"""Organizations: dated legal class, inherited things, intermediaries that are none."""

from datetime import UTC, date, datetime

from gateway.model.partner import Agreement, LegalClass, Organization, Registry

NOON = datetime(2026, 11, 2, 20, tzinfo=UTC)


def classified(*classes: LegalClass, **more: object) -> Organization:
    return Organization("org:x", "X", legal_classes=classes, **more)  # type: ignore[arg-type]


def test_the_last_class_that_began_counts() -> None:
    organization = classified(
        LegalClass(date(2020, 1, 1), "no"), LegalClass(date(2026, 11, 2), "yes"), timezone="America/Los_Angeles"
    )

    assert not organization.is_program(datetime(2026, 11, 2, 7, 59, tzinfo=UTC))
    assert organization.is_program(datetime(2026, 11, 2, 8, 0, tzinfo=UTC))


def test_before_any_class_it_is_treated_as_a_program() -> None:
    assert classified(LegalClass(date(2027, 1, 1), "no")).is_program(NOON)
    assert classified().is_program(NOON)
    assert classified(LegalClass(date(2020, 1, 1), "unknown")).is_program(NOON)


def test_an_associate_is_never_an_intermediary() -> None:
    roles = frozenset({"intermediary"})
    plain = LegalClass(date(2020, 1, 1), "no")
    associate = LegalClass(date(2020, 1, 1), "no", business_associate_of=frozenset({"org:y"}))
    covered = LegalClass(date(2020, 1, 1), "no", covered_entity=True)

    assert classified(plain, roles=roles).is_intermediary(NOON)
    assert not classified(associate, roles=roles).is_intermediary(NOON)
    assert not classified(covered, roles=roles).is_intermediary(NOON)
    assert not classified(plain).is_intermediary(NOON)


def test_law_enforcement_beats_every_other_role() -> None:
    deputy = classified(roles=frozenset({"police", "ems", "provider"}))

    assert deputy.is_law_enforcement
    assert not deputy.is_treating


def test_agreements_hold_from_their_first_day_to_their_last() -> None:
    agreement = Agreement("a", "qsoa", "org:y", date(2026, 1, 1), date(2026, 11, 2))
    organization = classified(agreements=(agreement,), timezone="America/Los_Angeles")

    assert organization.agreements_with("org:y", "qsoa", datetime(2026, 11, 3, 7, 59, tzinfo=UTC)) == (agreement,)
    assert organization.agreements_with("org:y", "qsoa", datetime(2026, 11, 3, 8, 0, tzinfo=UTC)) == ()
    assert organization.agreements_with("org:z", "qsoa", NOON) == ()
    assert organization.agreements_with("org:y", "audit", NOON) == ()


def test_organizations_are_found_by_identifier_never_by_name() -> None:
    harbor = Organization("org:h", "Harbor", identifiers=(("urn:s", "1"),))
    registry = Registry([harbor])

    assert registry.find("urn:s", "1") is harbor
    assert registry.find("urn:t", "1") is None
    assert registry.find_by_reference({"identifier": {"system": "urn:s", "value": "1"}}) is harbor
    assert registry.find_by_reference({"display": "Harbor"}) is None
    assert registry.find_by_reference(None) is None
    assert ("org:h" in registry, "org:i" in registry, len(registry)) == (True, False, 1)
