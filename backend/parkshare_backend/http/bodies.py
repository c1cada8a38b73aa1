"""Reading what a caller sent: JSON, query and path, each failure a problem that names the field."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import hdrs, web
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

JSON = "application/json"
MAX_BODY = 256 * 1024  # bytes; the same as a frame of the link
MAX_DEPTH = 32  # deeper than any message of ours, shallow enough for every parser

_REMEDIES = {
    "extra_forbidden": "This field is not known. Remove it or check its spelling.",
    "missing": "This field is needed.",
    "nul": "A text here holds a NUL character or half a surrogate pair. Take it out.",
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


def has_nul(value: Any) -> tuple[str | int, ...] | None:
    """Find a text that holds a NUL, in parsed JSON that is not too deep; give its place.

    No database that we know but SQLite can store one, and no name, note or code of a person has one.
    """
    match value:
        case str():
            return () if "\0" in value else None
        case dict():
            if any("\0" in name for name in value):
                return ()
            steps: Iterable[tuple[str | int, Any]] = value.items()
        case list():
            steps = enumerate(value)
        case _:
            return None
    for step, child in steps:
        if (place := has_nul(child)) is not None:
            return (step, *place)
    return None


def parse_json(raw: bytes) -> Any:
    """Parse untrusted JSON: RFC 8259 only (no NaN, no half of a surrogate pair), at most MAX_DEPTH deep, no NUL."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        detail = f"The body is not JSON: {error.msg} at character {error.pos}. Send one UTF-8 JSON object."
        raise Problem(MALFORMED_JSON, detail, pointer="") from None
    if too_deep(value):
        raise Problem(MALFORMED_JSON, f"The body nests deeper than {MAX_DEPTH} levels. Flatten it.", pointer="")
    if b"\\u0000" in raw and (place := has_nul(value)) is not None:
        raise Problem(INVALID_REQUEST, errors=(FieldProblem(pointer_to(place), _REMEDIES["nul"]),))
    return value


def validate[Model: BaseModel](model: type[Model], value: Any, *, root: str = "") -> Model:
    """Check parsed JSON against a model; the pointers in the problem start at root."""
    try:
        return model.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        raise Problem(INVALID_REQUEST, errors=field_problems(error, root=root)) from None


def validate_bytes[Model: BaseModel](model: type[Model], raw: bytes, *, lenient: bool = False) -> Model:
    """Check untrusted JSON against a model, with the answers of parse_json and validate, most of the time in one go.

    The parser of the models is quicker, and laxer, than ours: it reads NaN, and nests up to 200 deep. So only a body
    that can have nothing of that goes to it directly. lenient drops unknown fields instead of refusing them.
    """
    if not _may_be_odd(raw):
        with contextlib.suppress(ValidationError):
            return model.model_validate_json(raw)
    value = parse_json(raw)
    return _without_unknown(model, value) if lenient else validate(model, value)


def _may_be_odd(raw: bytes) -> bool:
    return raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or b"\\u" in raw or b"NaN" in raw or b"Infinity" in raw


def _without_unknown[Model: BaseModel](model: type[Model], value: Any) -> Model:
    """Check a body after taking out the fields that the model does not know."""
    try:
        return model.model_validate_json(orjson.dumps(value))
    except ValidationError as error:
        unknown = [entry["loc"] for entry in error.errors(include_url=False) if entry["type"] == "extra_forbidden"]
    for *way, name in unknown:
        holder = _follow(value, way)
        if isinstance(holder, dict):
            holder.pop(name, None)
    return validate(model, value)


def _follow(value: Any, way: Iterable[str | int]) -> Any:
    """Give what stands at a place of parsed JSON, None when the place is not one of the document's own."""
    for step in way:
        match value, step:
            case dict(), str():
                value = value.get(step)
            case list(), int() if 0 <= step < len(value):
                value = value[step]
            case _:
                return None
    return value


async def read_body[Model: BaseModel](request: web.Request, model: type[Model], raw: bytes | None = None) -> Model:
    """Read and check the JSON body of a request; `raw` is one that was taken already.

    Unknown fields are refused, unless the client says `Prefer: handling=lenient` (RFC 7240): one that is newer than
    the server, and knows that this server will do without.
    """
    # Most say just this, and what aiohttp reads out of the header costs a tenth of the whole check.
    if request.headers.get(hdrs.CONTENT_TYPE) != JSON and request.content_type != JSON:
        raise Problem(UNSUPPORTED_MEDIA_TYPE, headers={"Accept-Post": "application/json"})
    if raw is None:
        try:
            raw = await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise Problem(TOO_LARGE, pointer="") from None
    return validate_bytes(model, raw, lenient="Prefer" in request.headers and is_lenient(request))


def at_hand(request: web.Request) -> bytes | None:
    """Give a small body that has come already, as it does with the head; it can't be read a second time.

    `request.read` gathers it in a buffer of its own and waits for its end, which takes 3 µs more.
    """
    content = request.content
    if not content.is_eof() or content.total_bytes > MAX_BODY:
        return None
    return content.read_nowait()


def is_lenient(request: web.Request) -> bool:
    """Tell whether the client prefers that fields which the server does not know are passed over."""
    preferred = ",".join(request.headers.getall("Prefer", ())).replace('"', "").replace(" ", "").lower()
    return "handling=lenient" in preferred.replace(";", ",").split(",")


def read_query[Model: BaseModel](request: web.Request, model: type[Model]) -> Model:
    """Read and check the query; the pointer of a problem is `/query/<name>`."""
    values: dict[str, str] = {}
    for name, text in request.query.items():
        if name in values:
            problem = FieldProblem(f"/query/{name}", "This parameter is given twice. Give it once.")
            raise Problem(INVALID_REQUEST, errors=(problem,))
        if "\0" in name or not is_text(text):
            problem = FieldProblem(pointer_to(("query", name.replace("\0", ""))), _REMEDIES["nul"])
            raise Problem(INVALID_REQUEST, errors=(problem,))
        values[name] = text
    try:
        return model.model_validate_strings(values, strict=False)
    except ValidationError as error:
        raise Problem(INVALID_REQUEST, errors=field_problems(error, root="/query")) from None


def is_text(value: str) -> bool:
    """Tell whether a text can be stored and sent: no NUL, no half of a surrogate pair."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def read_path(request: web.Request, types: Mapping[str, TypeAdapter[str]]) -> dict[str, str]:
    """Read the path's parameters; an id that cannot be one names nothing, so it is not found."""
    values: dict[str, str] = {}
    for name, adapter in types.items():
        with contextlib.suppress(ValidationError):
            if is_text(request.match_info[name]):
                values[name] = adapter.validate_python(request.match_info[name])
    if len(values) < len(types):
        raise Problem(NOT_FOUND)
    return values
