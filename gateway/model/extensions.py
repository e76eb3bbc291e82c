"""Which FHIR extensions leave: those that are understood here. Every other one stays, with what it would tell."""

import re

_UNDERSTOOD = ("https://warmhandoff.example/fhir/StructureDefinition/", "http://hl7.org/fhir/StructureDefinition/")
"""Beginnings of their addresses: our own, and those of the standard."""

_PART = re.compile(r"[A-Za-z0-9._-]+")
"""The address of a part of a complex extension (FHIR R4 extensibility)."""


def is_understood(address: str, within: str) -> bool:
    """Say whether an extension is understood here, or is a part of a complex one.

    `within` is the address of the extension it stands in, "" where it stands in an element.
    """
    return address.startswith(_UNDERSTOOD) or (bool(within) and _PART.fullmatch(address) is not None)
