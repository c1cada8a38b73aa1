"""Options of all tests."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgresql"],
        default=os.environ.get("PARKSHARE_TEST_ENGINE", "sqlite"),
        help="the database that the backend's tests run on (also PARKSHARE_TEST_ENGINE)",
    )
