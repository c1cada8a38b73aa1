"""The OpenAPI document is true: valid, complete, and nobody who follows or breaks it meets a defect."""

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_socket
import requests
import schemathesis
from aiohttp import web
from aiohttp.test_utils import TestClient
from hypothesis import HealthCheck, settings as examples
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from parkshare_backend.app import api_routes
from parkshare_backend.http.openapi import document
from tests.backend.process import BackendProcess
from tests.backend.support import PASSWORD

DOCUMENT = document(api_routes())
# Not operations: the document itself, a WebSocket, and pages for people.
OUTSIDE = {
    "/api/v1/openapi.json",
    "/api/v1/link",
    "/api/v1/changes/stream",
    "/feeds/{secret}.ics",
    "/problems",
    "/paid",
    "/problems/{code}",
    "/link",
    "/link/sign-in",
    "/link/decide",
    "/assets/pages.css",
}


async def test_the_document_is_served(client: TestClient) -> None:
    assert await (await client.get("/api/v1/openapi.json")).json() == DOCUMENT


async def test_every_route_is_an_operation_of_the_document(app: web.Application) -> None:
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert {path for _, path in served - described} == OUTSIDE
    assert described <= served


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    names = set()
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            assert operation["summary"].endswith(".")
            assert "429" in operation["responses"]
            assert ("security" in operation) == ("401" in operation["responses"] and "403" in operation["responses"])
            names.add(operation["operationId"])
    assert len(names) == sum(len(methods) for methods in DOCUMENT["paths"].values())


def test_the_document_is_openapi_3_1_and_every_reference_leads_somewhere() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(DOCUMENT["info"])
    references = set(find(DOCUMENT, "$ref"))
    assert references
    for reference in references:
        assert reference.removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert "additionalProperties" not in schema or not name.endswith("Answer")


def find(value: Any, name: str) -> list[str]:
    if isinstance(value, dict):
        return [inner for key, child in value.items() for inner in ([child] if key == name else find(child, name))]
    if isinstance(value, list):
        return [inner for child in value for inner in find(child, name)]
    return []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackendProcess]:
    pytest_socket.enable_socket()
    process = BackendProcess(tmp_path_factory.mktemp("server")).start()
    yield process
    process.stop()


@pytest.fixture
def token(server: BackendProcess, socket_enabled: None) -> str:
    """A token for one operation: some of them end the tokens of their account."""
    account = {"email": "fuzz@example.org", "password": PASSWORD, "name": "Fuzz"}
    requests.post(f"{server.url}/api/v1/accounts", json=account, timeout=10)
    del account["name"]
    made = requests.post(f"{server.url}/api/v1/tokens", json=account, timeout=10)
    return str(made.json()["token"])


SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def test_schemathesis_finds_the_document_valid() -> None:
    SCHEMA.validate()


@SCHEMA.parametrize()
@examples(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_gets_a_documented_answer(
    case: schemathesis.Case, server: BackendProcess, token: str, socket_enabled: None
) -> None:
    case.call_and_validate(
        base_url=server.url,
        headers={"Authorization": f"Bearer {token}"},
        checks=[
            schemathesis.checks.not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
            negative_data_rejection,
            unsupported_method,
        ],
    )
