"""Warm Handoff: carry a person from a police or crisis encounter into care.

The flow, one room a step: receive (`intake`), parse (`formats`), map (`mapping`), validate (`validation`),
label (`labeling`), store (`storage`), route (`routing`), decide (`consent`), segment (`redaction`),
deliver (`delivery`), track (`tracking`), report (`reporting`). `flow` tells the story in that order.
"""

__version__ = "0.1.0"
