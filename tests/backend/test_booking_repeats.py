"""A booking that is sent again: what tells the same request from another one with its id."""

from typing import Any

import pytest

from parkshare_backend.bookings.facts import content_hash
from parkshare_backend.bookings.models import BookingRequest


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, "2f4879bf26cf74f6c6ef33ef830094b2c59c6e8aa3ab03bafeb5947aff1a6ef4"),
        (
            {"vehicle": {"length_m": 4.5}, "hold": "0198c0de-0000-7000-8000-000000000003"},
            "7d883d63f01c07012d3b9ccf4983f5f454dbe1f7095540cacac33a2db210fe22",
        ),
    ],
)
def test_a_request_is_hashed_as_ever_so_that_a_repeat_after_an_upgrade_is_known(
    more: dict[str, Any], known: str
) -> None:
    request = {
        "id": "0198c0de-0000-7000-8000-000000000001",
        "space": "0198c0de-0000-7000-8000-000000000002",
        "period": {"start": 1_764_000_000.0, "end": 1_764_003_600.5},
        "sealed_plate": bytes(176),
    }
    assert content_hash(BookingRequest(**request, **more)).hex() == known
