"""Spaces: what owners offer, where it lies, and when it is shared."""
