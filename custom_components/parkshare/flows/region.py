"""The part of the camera's picture in which plates are looked for: drawn on a page of ours, or entered as figures."""

from datetime import datetime
from typing import Any, Final, override

import voluptuous as vol
from homeassistant.config_entries import SubentryFlowResult
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.data_entry_flow import UnknownFlow
from homeassistant.helpers.config_entry_oauth2_flow import HEADER_FRONTEND_BASE
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.http import current_request
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.helpers.selector import NumberSelector, NumberSelectorConfig, NumberSelectorMode

from custom_components.parkshare.const import CONF_REGION
from custom_components.parkshare.recognition import WHOLE, Picture, Region
from custom_components.parkshare.seeing.camera_test import CameraTestError, async_draw, async_take
from custom_components.parkshare.words import Words, language_of_browser

from .camera import CameraSteps
from .region_page import PAGE_URL, BadRegionError, region_of
from .tickets import NotAPictureError, Question, tickets_of

# The first picture after waking is often too dark or too bright.
PICTURES: Final = 2
# Where no page can be opened (a popup blocker, an app), the figures come in its place.
OPENS_WITHIN: Final = 60  # s

EDGES: Final = ("left", "right", "top", "bottom")
REGION_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(edge): NumberSelector(
            NumberSelectorConfig(min=0, max=100, step=1, unit_of_measurement="%", mode=NumberSelectorMode.SLIDER)
        )
        for edge in EDGES
    }
)


class RegionSteps(CameraSteps):
    """A picture is taken, shown with the region in it, and drawn upon."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = Picture(b"", 0.0)
        self._page = ""  # the secret of the page that is open
        self._page_url = ""
        self._after_page = ""  # the step that follows, once the page was answered or given up
        self._waiting: CALLBACK_TYPE | None = None

    @callback
    @override
    def async_remove(self) -> None:
        """The flow is over: its page too."""
        super().async_remove()
        self._end_page()

    async def async_step_region(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take a picture."""
        if self._work is None:
            work = async_take(self.hass, self._camera(), self._region, most=PICTURES, busy=self._busy)
            self._work = self.hass.async_create_task(work, "parkshare picture for the region", eager_start=False)
        if not self._work.done():
            return self.async_show_progress(step_id="region", progress_action="take_picture", progress_task=self._work)
        if (pictures := self._result_of(self._work)) is None:
            return self.async_show_progress_done(next_step_id="region_failed")
        self._picture = pictures[-1]
        return self.async_show_progress_done(next_step_id="region_choice")

    async def async_step_region_failed(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say why there is no picture."""
        return await self._failed("region_failed", "region")

    async def async_step_region_choice(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Show the picture with the region, and offer to change it."""
        words = await self._words()
        if not (picture := self._show(await self._drawn(), words)):
            self._trouble = CameraTestError("camera_bad_picture")
            return await self.async_step_region_failed()
        whole = ("region_whole",) if self._region != WHOLE else ()
        return self.async_show_menu(
            step_id="region_choice",
            menu_options=["region_draw", "region_numbers", *whole, "reading"],
            description_placeholders={
                "picture": picture,
                "state": words("region_is_whole" if self._region == WHOLE else "region_is_framed"),
            },
        )

    async def async_step_region_whole(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Look for plates in the whole picture."""
        self._take(WHOLE)
        return await self.async_step_region_choice()

    async def async_step_region_numbers(self, user_input: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Ask for the edges."""
        errors: dict[str, str] = {}
        if user_input is not None:
            try:
                self._take(region_of(user_input[edge] / 100 for edge in ("left", "top", "right", "bottom")))
            except BadRegionError:
                errors["base"] = "region_empty"
            else:
                return await self.async_step_region_choice()
        suggested = user_input or {edge: round(getattr(self._region, edge) * 100) for edge in EDGES}
        return self.async_show_form(
            step_id="region_numbers",
            data_schema=self.add_suggested_values_to_schema(REGION_SCHEMA, suggested),
            errors=errors,
            description_placeholders={"picture": self._show(await self._drawn(), await self._words())},
            last_step=False,
        )

    # The page

    async def async_step_region_draw(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Wait for what is drawn on the page. What the page says comes by its own way, never as input of the flow."""
        if self._after_page:
            following, self._after_page = self._after_page, ""
            return self.async_external_step_done(next_step_id=following)
        if not self._page:
            try:
                base = _base_url(self.hass)
                self._ask(await self._words())
            except NoURLAvailableError, NotAPictureError:
                return await self.async_step_region_numbers()
            self._page_url = base + PAGE_URL.format(secret=self._page)
        return self.async_external_step(
            step_id="region_draw", url=self._page_url, description_placeholders={"url": self._page_url}
        )

    def _ask(self, words: Words) -> None:
        question = Question(
            texts=words.all_of("region_page_"),
            language=language_of_browser(self.hass),
            region=self._region,
            opened=self._page_opened,
            answered=self._page_answered,
        )
        self._page = tickets_of(self.hass).issue(
            self._picture.content, question=question, expired=lambda: self._go_on("region_choice")
        )

        @callback
        def nobody_came(_now: datetime) -> None:
            self._waiting = None
            self._go_on("region_numbers")

        self._waiting = async_call_later(self.hass, OPENS_WITHIN, nobody_came)

    @callback
    def _page_opened(self) -> None:
        if self._waiting is not None:
            self._waiting()
            self._waiting = None

    @callback
    def _page_answered(self, region: Region | None) -> None:
        if region is not None:
            self._take(region)
        self._go_on("region_choice")

    @callback
    def _go_on(self, following: str) -> None:
        """End the page; the flow goes on in the dialog that waits."""
        self._end_page()
        self._after_page = following

        async def go_on() -> None:
            try:
                await self.hass.config_entries.subentries.async_configure(self.flow_id)
            except UnknownFlow:
                # Closed in the same moment.
                return

        self.hass.async_create_task(go_on(), "parkshare region page answered")

    @callback
    def _end_page(self) -> None:
        self._page_opened()
        tickets_of(self.hass).revoke(self._page)
        self._page = ""

    def _take(self, region: Region) -> None:
        if region == WHOLE:
            self._space.pop(CONF_REGION, None)
        else:
            self._space[CONF_REGION] = [region.left, region.top, region.right, region.bottom]

    async def _drawn(self) -> bytes:
        """The picture with the region drawn into it, if there is somebody to draw."""
        if (hub := self._hub) is None:
            return self._picture.content
        framed = Picture(self._picture.content, self._picture.taken_at, self._region)
        return await async_draw(hub.embedded, framed)


def _base_url(hass: HomeAssistant) -> str:
    """Return the address by which the person's browser reaches this house; raises NoURLAvailableError.

    The browser says so itself: it may come by another one than the house knows of.
    """
    request = current_request.get()
    said = request.headers.get(HEADER_FRONTEND_BASE, "") if request is not None else ""
    return said if said.startswith(("http://", "https://")) else get_url(hass)
