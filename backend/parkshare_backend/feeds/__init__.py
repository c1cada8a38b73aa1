"""Calendar feeds: one's bookings where one's other appointments are (RFC 5545)."""
