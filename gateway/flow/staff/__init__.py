"""What the people of an office see: records and people, what was withheld and why, and the proof of it."""
