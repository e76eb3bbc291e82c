"""Carry a permit out: build what may leave from what is allowed, with labels and notice."""

from gateway.redaction.redact import redact

__all__ = ["redact"]
