"""Places: from an address to a point and back, with a service or without one, and the places that people saved."""
