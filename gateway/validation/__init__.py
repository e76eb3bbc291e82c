"""Check resources against R4 and our profiles; nothing else knows what is valid."""
