"""Entity tags: answers that did not change are not sent again, and nobody writes over what they have not seen.

A tag is `"<revision>.<digest>"`. The digest is of the answer's bytes, so `If-None-Match` notices whatever the caller
would see differently. `If-Match` looks at the revision alone: that a car came near must not refuse a change of the
period, and what a change is checked against is the thing, not how it is shown to one of two people.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

from aiohttp import hdrs, web

from parkshare_backend.http.problems import BAD_REQUEST, Problem, define

PRECONDITION_FAILED = define(
    "precondition-failed", 412, "It has changed meanwhile",
    "What `If-Match` names is no longer what the server has. Fetch it again, look what changed, and send your change "
    "with the new `ETag`.",
)  # fmt: skip
PRECONDITION_REQUIRED = define(
    "precondition-required", 428, "Say what you are changing",
    "Send the `ETag` of what you saw as `If-Match`, so that nobody's change is lost.",
)  # fmt: skip

# RFC 9110 section 8.8.3; proxies that compress mark a tag as weak, which changes nothing for a revision.
_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAGS = re.compile(rf"\s*(?:\*|{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*)\s*")
_DIGEST_BYTES = 8

type Revision = int | str


def etag(revision: Revision, body: bytes) -> str:
    """Make the tag of an answer; the revision holds neither quotes nor dots."""
    return f'"{revision}.{blake2b(body, digest_size=_DIGEST_BYTES).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a caller says they saw (`If-Match`); no tags: they said nothing."""

    tags: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: web.Request) -> Precondition:
        """Read the header. Raises Problem when it is not a list of tags."""
        return cls(_tags(request, hdrs.IF_MATCH))

    @property
    def given(self) -> bool:
        """Tell whether the caller said what they saw."""
        return bool(self.tags)

    def check(self, revision: Revision) -> None:
        """Raise Problem PRECONDITION_FAILED when the caller saw another revision; in the transaction of the change."""
        if self.tags and not any(tag == "*" or tag.partition(".")[0] == str(revision) for tag in self.tags):
            raise Problem(PRECONDITION_FAILED)


def unchanged(request: web.Request, tag: str) -> bool:
    """Tell whether the caller has this answer already (`If-None-Match`)."""
    if hdrs.IF_NONE_MATCH not in request.headers:
        return False
    known = _tags(request, hdrs.IF_NONE_MATCH)
    return "*" in known or tag.strip('"') in known


def _tags(request: web.Request, header: str) -> tuple[str, ...]:
    text = ", ".join(request.headers.getall(header, ()))
    if not text:
        return ()
    if not _TAGS.fullmatch(text):
        raise Problem(BAD_REQUEST, f"`{header}` is no list of entity tags. Send an `ETag` as it came, with its quotes.")
    return ("*",) if text.strip() == "*" else tuple(_TAG.findall(text))
