"""What those steps of a parking space's flow share that look through its camera."""

import asyncio
from typing import Any, override

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult
from homeassistant.core import callback

from custom_components.parkshare.const import CONF_CAMERA, CONF_CAMERA_POWER, CONF_REGION, DOMAIN
from custom_components.parkshare.recognition import WHOLE, Region
from custom_components.parkshare.seeing.camera_test import CameraTestError
from custom_components.parkshare.seeing.pictures import SpaceCamera
from custom_components.parkshare.space import SpaceRuntime
from custom_components.parkshare.words import Words

from .region_page import PICTURE_URL
from .steps import SpaceSteps
from .tickets import NotAPictureError, tickets_of


class CameraSteps(SpaceSteps):
    """The camera as it is entered so far, work that takes a while, and pictures in the texts of a step."""

    def __init__(self) -> None:
        super().__init__()
        self._work: asyncio.Task[Any] | None = None
        self._trouble = CameraTestError("camera_no_picture")
        self._shown: tuple[bytes, str] = (b"", "")

    @callback
    @override
    def async_remove(self) -> None:
        """The flow is over: nothing that it showed can be seen any longer."""
        super().async_remove()
        tickets_of(self.hass).revoke(self._shown[1])

    @property
    def _runtime(self) -> SpaceRuntime | None:
        """The running space that is changed; None for a new one."""
        if self.source != SOURCE_RECONFIGURE or (hub := self._hub) is None:
            return None
        return hub.spaces.get(self._get_reconfigure_subentry().subentry_id)

    @property
    def _region(self) -> Region:
        return Region(*self._space[CONF_REGION]) if self._space.get(CONF_REGION) else WHOLE

    def _camera(self) -> SpaceCamera:
        """The camera; one and the same object as that of a gate, so that it goes off after the last who looks."""
        power_id = self._space.get(CONF_CAMERA_POWER)
        for runtime in self._spaces_with_the_camera():
            if runtime.camera is not None and runtime.subentry.data.get(CONF_CAMERA_POWER) == power_id:
                return runtime.camera
        return SpaceCamera(self.hass, self._space[CONF_CAMERA], power_id)

    def _busy(self) -> bool:
        """Tell whether a gate looks through the camera right now."""
        return any(runtime.gate.camera for runtime in self._spaces_with_the_camera())

    def _spaces_with_the_camera(self) -> list[SpaceRuntime]:
        return [
            runtime
            for entry in self.hass.config_entries.async_loaded_entries(DOMAIN)
            for runtime in entry.runtime_data.spaces.values()
            if runtime.subentry.data.get(CONF_CAMERA) == self._space[CONF_CAMERA]
        ]

    def _result_of(self, work: asyncio.Task[Any]) -> Any:
        """Return what ended work gave, None if it failed for a reason that the owner can act on."""
        self._work = None
        try:
            return work.result()
        except CameraTestError as err:
            self._trouble = err
            return None

    def _show(self, content: bytes, words: Words) -> str:
        """Return the words that show a picture in a text; none where it is no picture."""
        tickets = tickets_of(self.hass)
        if content != self._shown[0] or tickets.get(self._shown[1]) is None:
            tickets.revoke(self._shown[1])
            try:
                self._shown = (content, tickets.issue(content))
            except NotAPictureError:
                self._shown = (b"", "")
        secret = self._shown[1]
        return f"![{words('region_picture')}]({PICTURE_URL.format(secret=secret)})" if secret else ""

    async def _failed(self, step_id: str, again: str) -> SubentryFlowResult:
        """Say why there is no picture or no result, and offer to try again."""
        words = await self._words("exceptions")
        reason = words(f"{self._trouble.key}.message", **(self._trouble.translation_placeholders or {}))
        return self.async_show_menu(
            step_id=step_id, menu_options=[again, "reading"], description_placeholders={"reason": reason}
        )
