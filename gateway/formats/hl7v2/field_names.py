"""What the standard calls a field, for people who read messages."""

from gateway.formats.hl7v2.standard import VERSIONS, fields_of


def field_name(segment_id: str, field: int, version: str) -> str:
    """Return the name of a field such as "Patient name"; "" for one that the version does not know.

    A version that has no table is read like the nearest one below it.
    """
    rule = fields_of(segment_id, version).get(field)
    return rule.name.replace("_", " ").capitalize() if rule is not None else ""


def is_field(segment_id: str, field: int) -> bool:
    """Tell whether any version has the field; the newest, which have most, are asked first."""
    return any(field in fields_of(segment_id, version) for version in reversed(VERSIONS))
