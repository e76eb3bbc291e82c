"""Carry a permit out: build what may leave from what is allowed, with labels and notice."""
