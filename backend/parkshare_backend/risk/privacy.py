"""What risk keeps of people: nothing."""

from parkshare_backend.accounts.erasure import Erasure


def register(erasure: Erasure) -> None:
    """Answer for the table of hindrances."""
    erasure.impersonal("hindrances", "that a car was in the way; names a booking, no people, and goes when it is over")
