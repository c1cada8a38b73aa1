"""Standby: a space nearby for an owner whose own space is taken by a renter."""
