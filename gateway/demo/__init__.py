"""The demonstration story and its stand-in receiving EHR."""
