"""Send disclosures to their endpoints, and try again."""
