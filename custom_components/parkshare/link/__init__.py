"""The house's side of the link to the backend. Nothing here imports Home Assistant."""
