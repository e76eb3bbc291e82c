"""Say who a person is: matched, possible or none, each with its reason."""
