"""What a client of an older OpenAPI document would notice in a newer one: the breaking changes, and only those.

An answer may gain fields, a request may gain optional ones, a word may be added where the document says that clients
must expect new ones (all enums in answers). Everything else that a client could rely on must stay.
"""

from collections.abc import Callable, Iterator
from typing import Any

type Document = dict[str, Any]


def breaking_changes(old: Document, new: Document) -> list[str]:
    """Name each change for which a client of the old document would have to be changed."""
    found: list[str] = []
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            now = new["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if now is None:
                found.append(f"{name}: is gone")
            else:
                found += [f"{name}: {fault}" for fault in _operation(old, operation, new, now)]
    return found


def _operation(old: Document, was: Document, new: Document, now: Document) -> Iterator[str]:
    if was["operationId"] != now["operationId"]:
        yield "the operationId is another one: generated clients lose their method"
    if _scopes(now) - _scopes(was) or ("security" in now and "security" not in was):
        yield "asks for another scope"
    yield from _parameters(old, was, new, now)
    body_was, body_now = _body(was), _body(now)
    if body_now is not None and body_was is None and now["requestBody"].get("required"):
        yield "needs a body"
    if body_was is not None and body_now is not None:
        yield from _Request(old, new).compare(body_was, body_now, "the body")
    for status, answer in was["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in now["responses"]:
            yield f"answers {status} no more"
            continue
        for kind, content in answer.get("content", {}).items():
            content_now = now["responses"][status].get("content", {}).get(kind)
            if content_now is None:
                yield f"{status} is no longer {kind}"
            else:
                yield from _Answer(old, new).compare(content["schema"], content_now["schema"], f"{status}")


def _scopes(operation: Document) -> set[str]:
    return {scope for ways in operation.get("security", []) for scopes in ways.values() for scope in scopes}


def _parameters(old: Document, was: Document, new: Document, now: Document) -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in was.get("parameters", [])}
    after = {(one["in"], one["name"]): one for one in now.get("parameters", [])}
    for key, parameter in before.items():
        if key not in after:
            yield f"the parameter {key[1]} is gone"
            continue
        if after[key]["required"] and not parameter["required"]:
            yield f"the parameter {key[1]} is needed now"
        yield from _Request(old, new).compare(parameter["schema"], after[key]["schema"], f"the parameter {key[1]}")
    for key, parameter in after.items():
        if key not in before and parameter["required"]:
            yield f"the new parameter {key[1]} is needed"


def _body(operation: Document) -> Document | None:
    content: Document | None = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return content["schema"] if content else None


class _Comparison:
    """Walks two schemas side by side."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def compare(self, was: Document, now: Document, where: str) -> Iterator[str]:
        """Name what changed from one schema to the other."""
        pair = (was.get("$ref", ""), now.get("$ref", ""))
        if all(pair) and pair in self._seen:
            return
        self._seen.add(pair)
        was, now = _resolved(self._old, was), _resolved(self._new, now)
        yield from self.kinds(_kinds(self._old, was), _kinds(self._new, now), where)
        yield from self.words(_words(self._old, was), _words(self._new, now), where)
        yield from self.limits(was, now, where)
        object_was, object_now = _object(self._old, was), _object(self._new, now)
        if object_was and object_now:
            yield from self.fields(object_was, object_now, where)
        items_was, items_now = _part(self._old, was, "items"), _part(self._new, now, "items")
        if items_was and items_now:
            yield from self.compare(items_was, items_now, f"{where}/*")

    def kinds(self, was: set[str], now: set[str], where: str) -> Iterator[str]:
        raise NotImplementedError

    def words(self, was: set[Any] | None, now: set[Any] | None, where: str) -> Iterator[str]:
        raise NotImplementedError

    def limits(self, was: Document, now: Document, where: str) -> Iterator[str]:
        raise NotImplementedError

    def fields(self, was: Document, now: Document, where: str) -> Iterator[str]:
        raise NotImplementedError


class _Request(_Comparison):
    """What a client sends: what was taken before must be taken still."""

    def kinds(self, was: set[str], now: set[str], where: str) -> Iterator[str]:
        if lost := was - now - ({"integer"} if "number" in now else set()):
            yield f"{where} may not be {', '.join(sorted(lost))} any more"

    def words(self, was: set[Any] | None, now: set[Any] | None, where: str) -> Iterator[str]:
        if now is not None and was is None:
            yield f"{where} takes only some words now"
        elif now is not None and was is not None and was - now:
            yield f"{where} does not take {', '.join(sorted(map(str, was - now)))} any more"

    def limits(self, was: Document, now: Document, where: str) -> Iterator[str]:
        for name, stricter in _STRICTER.items():
            for before, after in _limits(self._old, was, self._new, now, name):
                if after is not None and (before is None or stricter(before, after)):
                    yield f"{where}: {name} is {after} now, was {before}"

    def fields(self, was: Document, now: Document, where: str) -> Iterator[str]:
        for name, schema in was.get("properties", {}).items():
            if name not in now.get("properties", {}):
                yield f"{where}/{name} is not known any more"
            else:
                yield from self.compare(schema, now["properties"][name], f"{where}/{name}")
        for name in set(now.get("required", [])) - set(was.get("required", [])):
            yield f"{where}/{name} is needed now"


class _Answer(_Comparison):
    """What a client reads: what was there must be there still, and be what it was."""

    def kinds(self, was: set[str], now: set[str], where: str) -> Iterator[str]:
        if gained := now - was - ({"integer"} if "number" in was else set()):
            yield f"{where} may be {', '.join(sorted(gained))} now"

    def words(self, was: set[Any] | None, now: set[Any] | None, where: str) -> Iterator[str]:
        """Allow new words: clients are told to expect some."""
        yield from ()

    def limits(self, was: Document, now: Document, where: str) -> Iterator[str]:
        """Allow other limits: what a client reads it does not check."""
        yield from ()

    def fields(self, was: Document, now: Document, where: str) -> Iterator[str]:
        for name, schema in was.get("properties", {}).items():
            if name not in now.get("properties", {}):
                yield f"{where}/{name} is gone"
                continue
            if name in was.get("required", []) and name not in now.get("required", []):
                yield f"{where}/{name} may be missing now"
            yield from self.compare(schema, now["properties"][name], f"{where}/{name}")


_STRICTER: dict[str, Callable[[float, float], bool]] = {
    "minimum": lambda was, now: now > was,
    "exclusiveMinimum": lambda was, now: now > was,
    "minLength": lambda was, now: now > was,
    "minItems": lambda was, now: now > was,
    "maximum": lambda was, now: now < was,
    "exclusiveMaximum": lambda was, now: now < was,
    "maxLength": lambda was, now: now < was,
    "maxItems": lambda was, now: now < was,
}


def _resolved(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _choices(document: Document, schema: Document) -> Iterator[Document]:
    """Give the alternatives of a schema: itself when it has none."""
    schema = _resolved(document, schema)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            for one in schema[key]:
                yield from _choices(document, one)
            return
    yield schema


def _kinds(document: Document, schema: Document) -> set[str]:
    kinds: set[str] = set()
    for one in _choices(document, schema):
        kind = one.get("type")
        if kind is None and ("const" in one or "enum" in one):
            kind = [_JSON[type(word)] for word in one.get("enum", [one.get("const")])]
        kinds.update([kind] if isinstance(kind, str) else kind or ["anything"])
    return kinds


_JSON = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def _words(document: Document, schema: Document) -> set[Any] | None:
    """Give the words that a schema takes; None when it takes any."""
    words: set[Any] = set()
    for one in _choices(document, schema):
        if "const" in one:
            words.add(one["const"])
        elif "enum" in one:
            words.update(one["enum"])
        elif one.get("type") != "null":
            return None
    return words


def _object(document: Document, schema: Document) -> Document | None:
    return next((one for one in _choices(document, schema) if one.get("type") == "object"), None)


def _part(document: Document, schema: Document, name: str) -> Document | None:
    return next((one[name] for one in _choices(document, schema) if name in one), None)


def _limits(old: Document, was: Document, new: Document, now: Document, name: str) -> Iterator[tuple[Any, Any]]:
    """Give a limit before and after, for each kind of value that both take."""
    after = {one.get("type"): one for one in _choices(new, now) if isinstance(one.get("type"), str)}
    for one in _choices(old, was):
        kind = one.get("type")
        if isinstance(kind, str) and kind in after:
            yield one.get(name), after[kind].get(name)
