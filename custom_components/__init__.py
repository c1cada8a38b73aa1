"""Home Assistant finds the integration below this folder."""
