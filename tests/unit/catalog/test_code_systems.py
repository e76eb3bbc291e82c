"""Which code systems are known code by code."""

from gateway.catalog.code_systems import read_code_systems


def test_the_systems_of_r4_and_our_own_are_known_with_all_their_codes() -> None:
    known = read_code_systems()

    assert known["http://hl7.org/fhir/administrative-gender"] == {"female", "male", "other", "unknown"}
    assert known["https://warmhandoff.example/fhir/CodeSystem/safety"] == {"weapon", "threatened-violence"}


def test_no_system_is_known_without_codes() -> None:
    assert all(read_code_systems().values())
