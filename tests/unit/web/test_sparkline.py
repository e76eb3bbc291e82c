"""The day's curve."""

from gateway.web.console.sparkline import sparkline


def test_the_curve_ends_with_the_present_hour() -> None:
    curve = sparkline([0, 4, 2, *[9] * 21], until=2)

    assert curve.line == "M0.0,68.0 L10.0,68.0 L30.0,4.0 L50.0,36.0 L60.0,36.0"
    assert curve.area == curve.line + " L60.0,72 L0,72 Z"
    assert curve.summary == "6 today, most from 01:00 (4)"


def test_a_quiet_day_is_a_line_on_the_ground() -> None:
    curve = sparkline([0] * 24, until=0)

    assert curve.line == "M0.0,68.0 L10.0,68.0 L20.0,68.0"
    assert curve.summary == "0 today"
