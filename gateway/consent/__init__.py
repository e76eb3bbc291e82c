"""Decide whether a disclosure is allowed: all the law lives here, in pure functions."""
