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


class TestProgramsAtAnInstant:
    CLINIC = Organization(
        "org:clinic", "Clinic", timezone="America/Los_Angeles",
        legal_classes=(LegalClass(date(2020, 1, 1), "no"), LegalClass(date(2026, 11, 2), "yes", sud_only=True)),
    )  # fmt: skip
    ATOLL = Organization(
        "org:atoll", "Atoll", timezone="Pacific/Kiritimati",
        legal_classes=(LegalClass(date(2020, 1, 1), "no"), LegalClass(date(2026, 11, 4), "unknown")),
    )  # fmt: skip
    STRANGER = Organization("org:stranger", "Stranger")
    HOSPITAL = Organization("org:hospital", "Hospital", legal_classes=(LegalClass(date(2020, 1, 1), "no"),))

    def found(self, registry: Registry, at: datetime) -> tuple[list[str], list[str]]:
        programs, telling = registry.programs_at(at)
        return [one.id for one in programs], [one.id for one in telling]

    def test_are_those_of_their_own_local_day_in_whatever_order_they_are_asked_about(self) -> None:
        registry = Registry([self.CLINIC, self.ATOLL, self.STRANGER, self.HOSPITAL])
        expected = [
            (datetime(2026, 11, 1, 23, tzinfo=UTC), ["org:stranger"], ["org:stranger"]),
            (datetime(2026, 11, 2, 7, 59, tzinfo=UTC), ["org:stranger"], ["org:stranger"]),
            (datetime(2026, 11, 2, 8, 0, tzinfo=UTC), ["org:clinic", "org:stranger"], ["org:clinic", "org:stranger"]),
            (datetime(2026, 11, 3, 9, 59, tzinfo=UTC), ["org:clinic", "org:stranger"], ["org:clinic", "org:stranger"]),
            (
                datetime(2026, 11, 3, 10, 0, tzinfo=UTC),
                ["org:clinic", "org:atoll", "org:stranger"],
                ["org:clinic", "org:stranger"],
            ),
        ]

        for at, programs, telling in [*expected, *reversed(expected)]:
            assert self.found(registry, at) == (programs, telling)

    def test_are_looked_up_once_a_day_where_no_class_begins(self) -> None:
        registry = Registry([self.CLINIC, self.HOSPITAL])

        morning = registry.programs_at(datetime(2026, 11, 5, 1, tzinfo=UTC))

        assert registry.programs_at(datetime(2026, 11, 5, 23, tzinfo=UTC)) is morning
        assert registry.programs_at(datetime(2026, 11, 6, 1, tzinfo=UTC)) is not morning

    def test_whose_name_tells_is_told_in_lower_case_but_for_who_is_not_classified(self) -> None:
        registry = Registry([self.CLINIC, self.STRANGER, self.HOSPITAL])

        assert registry.revealing_names(datetime(2026, 11, 2, 7, 59, tzinfo=UTC)) == ()
        assert registry.revealing_names(datetime(2026, 11, 2, 8, 0, tzinfo=UTC)) == ("clinic",)
