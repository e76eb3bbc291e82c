"""Doors through which records and answers come in."""
