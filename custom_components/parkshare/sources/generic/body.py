"""The body of a webhook's request as a message: JSON, a form, XML, or several of them in one (multipart).

Pure: bytes in, what JSON can hold out. Cameras send pictures along with multipart; those are skipped.
"""

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

LARGEST_BODY: Final = 8 * 1024 * 1024  # bytes; a camera sends up to three pictures along
LARGEST_TEXT: Final = 256 * 1024  # of the part that is read
MOST_PARTS: Final = 20
MOST_FIELDS: Final = 200
DEEPEST: Final = 50

_BOUNDARY: Final = re.compile(r'boundary="?([^";,\s]{1,100})"?', re.IGNORECASE)


class BodyError(ValueError):
    """A body that is no message; the text says why, and nothing of what is in it."""


def message_of(content_type: str, body: bytes) -> Any:
    """Read a body; raises BodyError."""
    kind = content_type.partition(";")[0].strip().casefold()
    if kind.startswith("multipart/"):
        return _multipart(content_type, body)
    if len(body) > LARGEST_TEXT:
        raise BodyError("is too long")
    text = _text(body)
    if kind == "application/x-www-form-urlencoded":
        return _form(text)
    if kind.endswith("xml") or text.lstrip("\ufeff \r\n\t").startswith("<"):
        return _xml(text)
    return _json(text)


def _multipart(content_type: str, body: bytes) -> Any:
    """Return the fields and files by name; a single XML or JSON file, as ANPR cameras send it, is the message."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise BodyError("is multipart without a boundary")
    # A header that is not UTF-8 was read with surrogates.
    parts = body.split(b"--" + boundary[1].encode(errors="surrogateescape"))[1 : MOST_PARTS + 1]
    fields: dict[str, Any] = {}
    documents: list[Any] = []
    for part in parts:
        head, _, content = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        headers = head.decode("latin-1").casefold()
        name = re.search(r'name="([^"]{1,100})"', head.decode("latin-1"))
        if "content-type: image/" in headers or not content or len(content) > LARGEST_TEXT:
            continue
        value, is_document = _part(content)
        if is_document:
            documents.append(value)
        if name:
            fields[name[1]] = value
    if len(documents) == 1 and not any(isinstance(value, str) for value in fields.values()):
        return documents[0]
    if not fields:
        raise BodyError("has no part that can be read")
    return fields


def _part(content: bytes) -> tuple[Any, bool]:
    """Read one part: a document (JSON object, XML), else the text that it is."""
    text = _text(content).strip("\ufeff \r\n\t")
    try:
        if text.startswith("<"):
            return _xml(text), True
        if text.startswith(("{", "[")):
            return _json(text), True
    except BodyError:
        pass  # a field that only looks like one
    return text, False


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as err:
        raise BodyError("is neither JSON, a form nor XML") from err


def _form(text: str) -> dict[str, Any]:
    try:
        return dict(parse_qsl(text, max_num_fields=MOST_FIELDS, keep_blank_values=True))
    except ValueError as err:
        raise BodyError("has too many fields") from err


def _xml(text: str) -> Any:
    """Turn XML into names and values, without namespaces. Several of one name become a list.

    Documents that define entities are refused before they are parsed: none that a camera sends does.
    """
    if "<!" in text:
        raise BodyError("is XML with definitions")
    # A declared encoding would contradict what is decoded already.
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entities, and LARGEST_TEXT at most
    except (ET.ParseError, ValueError) as err:
        raise BodyError("is not XML") from err
    return {_name(root): _element(root, 0)}


def _element(element: ET.Element, depth: int) -> Any:
    if depth > DEEPEST:
        raise BodyError("is XML with too many levels")
    if not len(element):
        return (element.text or "").strip()
    inner: dict[str, Any] = {}
    for child in element:
        name, value = _name(child), _element(child, depth + 1)
        if name not in inner:
            inner[name] = value
        elif isinstance(inner[name], list):
            inner[name].append(value)
        else:
            inner[name] = [inner[name], value]
    return inner


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        raise BodyError("is not text") from err
