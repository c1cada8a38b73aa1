"""The committed OpenAPI document is current, and breaks no client of the first release."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parkshare_backend.app import api_routes
from parkshare_backend.http.openapi import document
from tests.backend.openapi_changes import breaking_changes

DOCS = Path(__file__).parents[2] / "docs"
CURRENT, FIRST_RELEASE = DOCS / "openapi.json", DOCS / "openapi-first-release.json"
BOOKING = ("components", "schemas", "BookingRequest")
SHOWN = ("components", "schemas", "BookingAnswer", "properties")
BOOK = ("paths", "/api/v1/bookings", "post")
FIXES = ("components", "schemas", "PositionsRequest", "properties", "fixes")


def test_the_committed_document_is_current() -> None:
    command = "python -m parkshare_backend openapi > docs/openapi.json"
    assert json.loads(CURRENT.read_text()) == document(api_routes()), (
        f"docs/openapi.json is not current. Run: {command}"
    )


def test_nothing_that_a_client_of_the_first_release_relies_on_is_gone() -> None:
    assert breaking_changes(json.loads(FIRST_RELEASE.read_text()), document(api_routes())) == []


def change(*way: str, to: Any) -> Callable[[dict[str, Any]], None]:
    """Make a change to a document: put something at a place, or take it away (None)."""

    def changed(document: dict[str, Any]) -> None:
        *parents, last = way
        for step in parents:
            document = document[step]
        if to is None:
            del document[last]
        else:
            document[last] = to

    return changed


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (change("paths", "/api/v1/searches", to=None), "is gone"),
        (change(*BOOKING, "properties", "vehicle", to=None), "is not known any more"),
        (change(*BOOKING, "required", to=["id", "space", "period", "sealed_plate", "vehicle"]), "is needed now"),
        (change(*SHOWN, "near", to=None), "/near is gone"),
        (change(*SHOWN, "near", to={"type": "string"}), "may be string"),
        (change("components", "schemas", "BookingAnswer", "required", to=["id"]), "may be missing now"),
        (change("components", "schemas", "Scope", "enum", to=["search"]), "any more"),
        (change(*FIXES, "maxItems", to=10), "maxItems"),
        (change(*BOOK, "operationId", to="create"), "operationId"),
        (change("paths", "/api/v1/me", "get", "security", to=[{"token": ["search"]}]), "another scope"),
        (change("paths", "/healthz", "get", "security", to=[{"token": []}]), "another scope"),
        (change(*BOOK, "responses", "201", to=None), "201"),
        (change(*BOOK, "parameters", to=[{"in": "header", "name": "X", "required": True, "schema": {}}]), "is needed"),
    ],
)
def test_a_breaking_change_is_named(broken: Callable[[dict[str, Any]], None], named: str) -> None:
    first = json.loads(FIRST_RELEASE.read_text())
    changed = copy.deepcopy(first)
    broken(changed)
    faults = breaking_changes(first, changed)
    assert any(named in fault for fault in faults), faults


def test_what_is_only_added_breaks_nobody() -> None:
    first = json.loads(FIRST_RELEASE.read_text())
    grown = copy.deepcopy(first)
    grown["paths"]["/api/v1/new"] = {"get": {"operationId": "new", "responses": {}}}
    schemas = grown["components"]["schemas"]
    schemas["BookingRequest"]["properties"]["hold"] = {"type": "string"}
    schemas["BookingAnswer"]["properties"]["more"] = {"type": "string"}
    schemas["BookingAnswer"]["required"].append("more")
    schemas["State"]["enum"].append("waiting")
    assert breaking_changes(first, grown) == []
