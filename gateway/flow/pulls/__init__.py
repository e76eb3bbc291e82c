"""What others ask for: reads, searches, consults and look-ups, each decided like a push."""
