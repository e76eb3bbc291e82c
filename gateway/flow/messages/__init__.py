"""HL7v2 messages that come in: kept, read, answered, passed on, and put before a person where in doubt."""
