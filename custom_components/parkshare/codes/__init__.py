"""Codes for a renter whose plate cannot be read: one that is shown at the space, and one that the renter shows."""
