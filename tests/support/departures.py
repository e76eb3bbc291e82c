"""Whether a message that we send is as the standard of its version has it."""

from gateway.formats.hl7v2 import Message
from gateway.formats.hl7v2.conformance import conformance_of


def departures(message: Message) -> list[str]:
    """Return where a message departs from the standard in what is an error, one line each."""
    found = (one for one in conformance_of(message) if one.severity == "error")
    return [f"{one.location} {one.rule}: {one.message}" for one in found]
