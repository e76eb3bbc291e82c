"""An instant as an option of a command."""

from datetime import UTC, datetime

import click


class Instant(click.ParamType[datetime]):
    """A FHIR instant: date, time and offset."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the instant; a time without offset is refused, not guessed."""
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"expected a time like 2026-11-02T18:00:00Z, found {value!r}", param, ctx)
        if instant.tzinfo is None:
            self.fail("expected a time with an offset, e.g. 2026-11-02T18:00:00Z", param, ctx)
        return instant.astimezone(UTC)
