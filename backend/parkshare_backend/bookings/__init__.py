"""Bookings: the right of a renter to a space for a period."""
