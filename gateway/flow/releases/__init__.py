"""Releases that a person asks for: their evidence, their decision, their copy, and the second person who looks."""
