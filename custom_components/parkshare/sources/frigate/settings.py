"""What is stored of a Frigate source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from yarl import URL

CONF_KIND: Final = "kind"
CONF_SOURCE_NAME: Final = "source_name"
CONF_URL: Final = "url"
CONF_USERNAME: Final = "username"
CONF_PASSWORD: Final = "password"  # noqa: S105 - its key
CONF_VERIFY_SSL: Final = "verify_ssl"
CONF_PREFIX: Final = "topic_prefix"
CONF_FRIGATE_CAMERA: Final = "frigate_camera"
CONF_ZONES: Final = "zones"
CONF_SWITCH_CAMERA: Final = "switch_camera"
CONF_PICTURES: Final = "pictures"

USUAL_PREFIX: Final = "frigate"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrigateSettings:
    """One camera of one Frigate. Without a url only MQTT is used."""

    name: str
    camera: str
    prefix: str = USUAL_PREFIX
    zones: frozenset[str] = frozenset()
    switch_camera: bool = False
    pictures: bool = False
    url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    verify_ssl: bool = True

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> FrigateSettings:
        """Read what the flow stored; raises KeyError, TypeError or ValueError."""
        if url := str(stored.get(CONF_URL) or ""):
            check_url(url)
        return cls(
            name=str(stored[CONF_SOURCE_NAME]),
            camera=str(stored[CONF_FRIGATE_CAMERA]),
            prefix=str(stored.get(CONF_PREFIX) or USUAL_PREFIX).strip("/"),
            zones=frozenset(str(zone) for zone in stored.get(CONF_ZONES) or ()),
            switch_camera=bool(stored.get(CONF_SWITCH_CAMERA)),
            pictures=bool(stored.get(CONF_PICTURES)),
            url=url,
            username=str(stored.get(CONF_USERNAME) or ""),
            password=str(stored.get(CONF_PASSWORD) or ""),
            verify_ssl=bool(stored.get(CONF_VERIFY_SSL, True)),
        )

    def topic(self, *parts: str) -> str:
        """Return a topic of this Frigate."""
        return "/".join((self.prefix, *parts))


def check_url(text: str) -> None:
    """Raise ValueError for what is no address of a Frigate."""
    url = URL(text)
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.query_string or url.fragment:
        raise ValueError("an address begins with http or https and has no name, question mark or hash in it")
