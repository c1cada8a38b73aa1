"""A webhook as a plate source: a camera or program posts what it read to an address that nobody can guess.

It is there only while somebody listens. Before and after, Home Assistant answers every caller alike.
"""

from http import HTTPStatus
from typing import Any, override

from aiohttp.web import Request, Response
from homeassistant.components import webhook
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from custom_components.parkshare.const import DOMAIN, LOGGER

from .body import LARGEST_BODY, BodyError, message_of
from .recipe import Recipe
from .source import GenericSource


class WebhookSource(GenericSource):
    """Takes what is posted: JSON, a form, XML, or multipart with one of them."""

    def __init__(
        self, hass: HomeAssistant, name: str, recipe: Recipe, webhook_id: str, *, title: str, local_only: bool
    ) -> None:
        super().__init__(hass, name, recipe)
        self._webhook_id = webhook_id
        self._label = f"ParkShare {title}: {name}"
        self._local_only = local_only

    @override
    async def _async_listen(self) -> None:
        if not await async_setup_component(self._hass, webhook.DOMAIN, {}):
            self._troubles.tell("webhook_missing")
            return
        webhook.async_unregister(self._hass, self._webhook_id)
        webhook.async_register(
            self._hass, DOMAIN, self._label, self._webhook_id, self._posted, local_only=self._local_only
        )
        self._ends.append(lambda: webhook.async_unregister(self._hass, self._webhook_id))

    async def _posted(self, _hass: HomeAssistant, _webhook_id: str, request: Request) -> Response:
        """Take a request. What is wrong with it is the owner's to know, and nothing for who sent it."""
        body = await _read(request)
        if body is None:
            self._troubles.tell("garbled")
            return Response(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            self._take(message_of(request.headers.get("Content-Type", ""), body))
        except BodyError as err:
            LOGGER.debug("%s: a body %s", self.name, err)
            self._troubles.tell("garbled")
        return Response(status=HTTPStatus.OK)


async def _read(request: Request) -> bytes | None:
    """Return the body, None if it is too long. It is counted while it comes: a length that is told proves nothing."""
    stream: Any = request.content
    body = bytearray()
    while part := await stream.read(64 * 1024):
        body += part
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
