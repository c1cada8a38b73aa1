"""Risk: bookings whose space may not be free in time, and what their renters can do."""
