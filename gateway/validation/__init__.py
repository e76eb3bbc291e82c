"""Check resources against R4 and our profiles; nothing else knows what is valid."""

from gateway.validation.arrival import read_json
from gateway.validation.checker import Checker
from gateway.validation.definitions import DefinitionError, Definitions
from gateway.validation.elements import Elements

__all__ = ["Checker", "DefinitionError", "Definitions", "Elements", "read_json"]
