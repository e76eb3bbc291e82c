"""Choose the recipients of a handoff, each with the rule that chose it."""
