"""Tracking: from the fixes of a phone to the fact that somebody is near."""
