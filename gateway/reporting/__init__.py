"""Count outcomes."""
