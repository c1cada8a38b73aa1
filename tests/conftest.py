"""Options of all tests."""

import os

import pytest
from hypothesis import settings

# A busy machine is no defect: no example has to be quick.
settings.register_profile("no hurry", deadline=None)
settings.load_profile("no hurry")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engine",
        choices=["sqlite", "postgresql"],
        default=os.environ.get("PARKSHARE_TEST_ENGINE", "sqlite"),
        help="the database that the backend's tests run on (also PARKSHARE_TEST_ENGINE)",
    )
