"""Staff passwords."""

import pytest

from gateway.web.passwords import Passwords, fault_of


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords(rounds=1, memory_kib=64)


def test_a_password_matches_its_hash_and_nothing_else(passwords: Passwords) -> None:
    kept = passwords.hashed("four plain words here")

    assert kept.startswith("$argon2id$")
    assert passwords.match(kept, "four plain words here")
    assert not passwords.match(kept, "four plain words there")


def test_without_a_hash_or_with_a_broken_one_nothing_matches(passwords: Passwords) -> None:
    assert not passwords.match(None, "four plain words here")
    assert not passwords.match("broken", "four plain words here")


def test_the_defaults_are_those_of_rfc_9106_for_little_memory() -> None:
    assert "m=65536,t=3,p=4" in Passwords().hashed("four plain words here")


@pytest.mark.parametrize(
    ("password", "good"),
    [("x" * 11, False), ("x" * 12, True), ("x" * 256, True), ("x" * 257, False), ("I am ROBIN now", False)],
)
def test_a_new_password_is_long_and_not_the_name(password: str, good: bool) -> None:
    assert (fault_of(password, "robin") is None) is good
