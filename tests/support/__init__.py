"""Builders and paths shared by tests."""
