"""Reading what a caller sent: JSON, query and path, each failure a problem that names the field."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from parkshare_backend.http.problems import (
    INVALID_REQUEST,
    MALFORMED_JSON,
    NOT_FOUND,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    FieldProblem,
    Problem,
)

MAX_BODY = 256 * 1024  # bytes; the same as a frame of the link
MAX_DEPTH = 32  # deeper than any message of ours, shallow enough for every parser

_REMEDIES = {
    "extra_forbidden": "This field is not known. Remove it or check its spelling.",
    "missing": "This field is needed.",
}


def pointer_to(location: Sequence[str | int]) -> str:
    """Write a JSON pointer (RFC 6901); the empty one is the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in location)


def field_problems(error: ValidationError, *, root: str = "") -> tuple[FieldProblem, ...]:
    """Tell each wrong field and its remedy; the values stay out, they may be secret."""
    problems = []
    for entry in error.errors(include_url=False, include_input=False, include_context=False):
        detail = _REMEDIES.get(entry["type"]) or entry["msg"].removeprefix("Value error, ")
        problems.append(FieldProblem(root + pointer_to(entry["loc"]), detail))
    return tuple(problems)


def too_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Tell whether lists and objects nest deeper than the limit, without recursion."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return False
    return any(isinstance(node, (dict, list)) for node in level)


def parse_json(raw: bytes) -> Any:
    """Parse untrusted JSON: RFC 8259 only (no NaN), at most MAX_DEPTH deep."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} at character {error.pos}. Send one UTF-8 JSON object."
        raise Problem(MALFORMED_JSON, detail, pointer="") from None
    if too_deep(value):
        raise Problem(MALFORMED_JSON, f"The body nests deeper than {MAX_DEPTH} levels. Flatten it.", pointer="")
    return value


def validate[Model: BaseModel](model: type[Model], value: Any, *, root: str = "") -> Model:
    """Check parsed JSON against a model; the pointers in the problem start at root."""
    try:
        return model.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        raise Problem(INVALID_REQUEST, errors=field_problems(error, root=root)) from None


async def read_body[Model: BaseModel](request: web.Request, model: type[Model]) -> Model:
    """Read and check the JSON body of a request."""
    if request.content_type != "application/json":
        raise Problem(UNSUPPORTED_MEDIA_TYPE, headers={"Accept-Post": "application/json"})
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Problem(TOO_LARGE, pointer="") from None
    return validate(model, parse_json(raw))


def read_query[Model: BaseModel](request: web.Request, model: type[Model]) -> Model:
    """Read and check the query; the pointer of a problem is `/query/<name>`."""
    values: dict[str, str] = {}
    for name, text in request.query.items():
        if name in values:
            problem = FieldProblem(f"/query/{name}", "This parameter is given twice. Give it once.")
            raise Problem(INVALID_REQUEST, errors=(problem,))
        values[name] = text
    try:
        return model.model_validate_strings(values, strict=False)
    except ValidationError as error:
        raise Problem(INVALID_REQUEST, errors=field_problems(error, root="/query")) from None


def read_path(request: web.Request, types: Mapping[str, TypeAdapter[str]]) -> dict[str, str]:
    """Read the path's parameters; an id that cannot be one names nothing, so it is not found."""
    values: dict[str, str] = {}
    for name, adapter in types.items():
        with contextlib.suppress(ValidationError):
            values[name] = adapter.validate_python(request.match_info[name])
    if len(values) < len(types):
        raise Problem(NOT_FOUND)
    return values
