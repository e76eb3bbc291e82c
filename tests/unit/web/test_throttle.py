"""How often a password may be guessed."""

from datetime import UTC, datetime, timedelta

from gateway.web.console.throttle import TRIES_PER_ADDRESS, TRIES_PER_NAME, LoginThrottle

AT = datetime(2026, 11, 2, 18, tzinfo=UTC)


def fail(throttle: LoginThrottle, times: int, address: str = "10.0.0.1", name: str = "robin") -> None:
    for _ in range(times):
        assert throttle.begins(address, name, AT)


def test_five_wrong_tries_are_enough_for_five_minutes() -> None:
    throttle = LoginThrottle()

    fail(throttle, TRIES_PER_NAME)

    assert not throttle.begins("10.0.0.1", "robin", AT + timedelta(seconds=299))
    assert throttle.begins("10.0.0.1", "robin", AT + timedelta(seconds=300))


def test_tries_that_are_still_looked_at_count_too() -> None:
    throttle = LoginThrottle()

    begun = [throttle.begins("10.0.0.1", "robin", AT) for _ in range(32)]

    assert begun.count(True) == TRIES_PER_NAME


def test_logins_of_many_colleagues_behind_one_address_use_nothing_up() -> None:
    throttle = LoginThrottle()

    for n in range(2 * TRIES_PER_ADDRESS):
        assert throttle.begins("10.0.0.1", f"name-{n}", AT)
        throttle.succeeded("10.0.0.1", f"name-{n}", AT)


def test_a_stranger_elsewhere_cannot_lock_somebody_out() -> None:
    throttle = LoginThrottle()

    fail(throttle, TRIES_PER_NAME, address="10.0.0.2")

    assert throttle.begins("10.0.0.1", "robin", AT)


def test_an_address_that_tries_many_names_is_slowed_down_too() -> None:
    throttle = LoginThrottle()

    for n in range(TRIES_PER_ADDRESS):
        fail(throttle, 1, name=f"name-{n}")

    assert not throttle.begins("10.0.0.1", "another", AT)


def test_a_login_forgets_the_failures_before_it() -> None:
    throttle = LoginThrottle()
    fail(throttle, TRIES_PER_NAME - 1)

    throttle.succeeded("10.0.0.1", "robin", AT)
    fail(throttle, 1)

    assert throttle.begins("10.0.0.1", "robin", AT)


def test_memory_is_bounded_by_forgetting_the_oldest() -> None:
    throttle = LoginThrottle(capacity=10)

    for n in range(100):
        fail(throttle, TRIES_PER_NAME, address=f"10.0.1.{n}")

    assert throttle.begins("10.0.1.0", "robin", AT)
    assert not throttle.begins("10.0.1.99", "robin", AT)
