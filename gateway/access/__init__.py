"""Doors through which others pull; each pull is a disclosure."""
