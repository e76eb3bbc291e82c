"""Send disclosures to their endpoints; whether to try again is decided in `flow`."""
