"""Holds: a space kept for a few minutes while somebody decides."""
