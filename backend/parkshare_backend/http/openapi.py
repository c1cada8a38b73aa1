"""The OpenAPI 3.1 document, made from the same table as the router."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from parkshare_backend.http.api import NO_CONTENT, Route
from parkshare_backend.http.auth import SCOPES, Scope
from parkshare_backend.http.conditional import PRECONDITION_FAILED, PRECONDITION_REQUIRED
from parkshare_backend.http.idempotency import HEADER, KEY_IN_USE, KEY_NEEDED, KEY_REUSED, KEY_UNUSABLE
from parkshare_backend.http.problems import (
    BAD_REQUEST,
    CONTENT_TYPE,
    FORBIDDEN,
    INVALID_REQUEST,
    MALFORMED_JSON,
    NOT_FOUND,
    RATE_LIMITED,
    TOO_LARGE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    UNSUPPORTED_MEDIA_TYPE,
    Kind,
)

_TAGS = r'^(\*|(W/)?"[!#-~]*"(, *(W/)?"[!#-~]*")*)$'
_SEEN = {
    "If-None-Match": "an `ETag` that the caller has: the answer is 304 when nothing changed",
    "If-Match": "the `ETag` of what the caller saw: nothing is changed when it is another now",
}

type Schemas = dict[tuple[type[Any], JsonSchemaMode], dict[str, Any]]


class FieldProblemDocument(BaseModel):
    """One field that is wrong."""

    pointer: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457; `type` never changes its meaning and has a page."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblemDocument]


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Give the document of these routes."""
    routes = list(routes)
    models = sorted(set(_models(routes)), key=str)
    references, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    bearer = {
        "type": "http",
        "scheme": "bearer",
        "description": "`pks_...` from `POST /api/v1/tokens`. Scopes: "
        + "; ".join(f"`{scope}`: {meaning}" for scope, meaning in SCOPES.items()),
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "ParkShare", "version": "1", "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {"schemas": definitions.get("$defs", {}), "securitySchemes": {"token": bearer}},
    }


def _models(routes: Iterable[Route]) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    yield ProblemDocument, "serialization"
    for route in routes:
        if route.request:
            yield route.request, "validation"
        if route.response:
            yield route.response, "serialization"


def _operation(route: Route, references: Schemas) -> dict[str, Any]:
    handler = route.handler
    operation: dict[str, Any] = {
        "operationId": getattr(handler, "__name__", "operation"),
        "tags": [handler.__module__.split(".")[1]],
        "summary": route.summary,
        "responses": _responses(route, references),
    }
    if route.scope:
        operation["security"] = [{"token": [route.scope.value] if isinstance(route.scope, Scope) else []}]
    if route.deprecated:
        operation["deprecated"] = True
    if parameters := [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)]:
        operation["parameters"] = parameters
    if route.request:
        schema = references[route.request, "validation"]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _responses(route: Route, references: Schemas) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done"}
    if route.response and route.status != NO_CONTENT:
        success["content"] = {"application/json": {"schema": references[route.response, "serialization"]}}
    if route.media:
        success["content"] = {route.media: {"schema": {"type": "string"}}}
    if _has_tag(route):
        tag = {"description": "names this state of it", "schema": {"type": "string"}}
        success["headers"] = {"ETag": tag}
    responses = {str(status): success for status in (route.status, *route.also)}
    if _has_tag(route) and route.method == "GET":
        responses["304"] = {"description": "Nothing changed"}
    by_status: dict[int, list[Kind]] = {}
    for kind in dict.fromkeys(_kinds(route)):
        by_status.setdefault(kind.status, []).append(kind)
    schema = references[ProblemDocument, "serialization"]
    for status, kinds in sorted(by_status.items()):
        described = "\n".join(f"- `{kind.type}`: {kind.meaning}" for kind in kinds)
        responses[str(status)] = {"description": described, "content": {CONTENT_TYPE: {"schema": schema}}}
    return responses


def _has_tag(route: Route) -> bool:
    return route.tagged or route.if_match


def _kinds(route: Route) -> Iterator[Kind]:
    yield RATE_LIMITED
    yield UNAVAILABLE
    if route.scope:
        yield UNAUTHENTICATED
        yield FORBIDDEN
    if route.request:
        yield BAD_REQUEST
        yield MALFORMED_JSON
        yield UNSUPPORTED_MEDIA_TYPE
        yield TOO_LARGE
    if route.request or route.query:
        yield INVALID_REQUEST
    if route.path_types:
        yield NOT_FOUND
    if route.creates:
        yield from (KEY_UNUSABLE, KEY_IN_USE, KEY_REUSED)
        if not route.key_optional:
            yield KEY_NEEDED
    if _has_tag(route):
        yield BAD_REQUEST
    if _has_tag(route) and route.method != "GET":
        yield PRECONDITION_FAILED
    if route.if_match:
        yield PRECONDITION_REQUIRED
    yield from route.problems


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name, kind in route.path_types.items():
        schema = TypeAdapter(kind).json_schema()
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _header_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.creates:
        schema = {"type": "string", "minLength": 16, "maxLength": 255, "pattern": r"^[!#-\[\]-~]*$"}
        yield {
            "name": HEADER,
            "in": "header",
            "required": not route.key_optional,
            "description": "a random text for this request, the same one when it is repeated: it is done once",
            "schema": schema,
        }
    if _has_tag(route):
        name = "If-None-Match" if route.method == "GET" else "If-Match"
        # An unusable If-None-Match is no harm: the whole answer comes. An unusable If-Match is refused.
        schema = {"type": "string"} if route.method == "GET" else {"type": "string", "pattern": _TAGS}
        yield {"name": name, "in": "header", "required": route.if_match, "description": _SEEN[name], "schema": schema}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    if route.query is None:
        return
    schema = route.query.model_json_schema()
    for name, kind in schema.get("properties", {}).items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": kind}
