"""Check resources against R4 and our profiles; nothing else knows what is valid."""

from gateway.validation.arrival import read_json
from gateway.validation.checker import Checker, check
from gateway.validation.definitions import DefinitionError, Definitions
from gateway.validation.elements import Elements
from gateway.validation.outcome import to_operation_outcome

__all__ = ["Checker", "DefinitionError", "Definitions", "Elements", "check", "read_json", "to_operation_outcome"]
