"""Advance a referral by what its recipient answered."""
