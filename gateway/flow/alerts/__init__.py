"""News of visits and appointments, and who is told."""
