"""Test my camera: pictures are taken and read, and the owner sees what was read and hears what to improve."""

from typing import Any

from homeassistant.config_entries import SubentryFlowResult

from custom_components.parkshare.seeing.album import Kept
from custom_components.parkshare.seeing.camera_test import PICTURES, CameraTestError, Outcome, async_take, async_test
from custom_components.parkshare.seeing.outcome_words import advice_texts, as_list, own_decision, seen_texts

from .camera import CameraSteps


class TrialSteps(CameraSteps):
    """A test with the settings as they are entered so far, before they are stored."""

    def __init__(self) -> None:
        super().__init__()
        self._outcome: Outcome | None = None

    async def async_step_test(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Take pictures and read them."""
        if self._work is None:
            self._work = self.hass.async_create_task(self._async_test(), "parkshare camera test", eager_start=False)
        if not self._work.done():
            return self.async_show_progress(step_id="test", progress_action="test_camera", progress_task=self._work)
        self._outcome = self._result_of(self._work)
        return self.async_show_progress_done(next_step_id="test_result" if self._outcome else "test_failed")

    async def async_step_test_failed(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say why there is no result."""
        return await self._failed("test_failed", "test")

    async def async_step_test_result(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Say what was read and what to improve."""
        if (outcome := self._outcome) is None:
            return await self.async_step_test_failed()
        words = await self._words()
        own = own_decision(outcome.looks, self._space)
        return self.async_show_menu(
            step_id="test_result",
            menu_options=["test", "region", "reading"],
            description_placeholders={
                "picture": self._show(outcome.content, words),
                "seen": as_list(seen_texts(outcome, words)) or words("test_nothing"),
                "advice": as_list(advice_texts(outcome, words)),
                "own": "" if own is None else words(f"test_own_{own}"),
            },
        )

    async def _async_test(self) -> Outcome:
        if (hub := self._hub) is None:
            raise CameraTestError("camera_not_running")
        pictures = await async_take(self.hass, self._camera(), self._region, most=PICTURES, busy=self._busy)
        outcome = await async_test(pictures, hub.reader, hub.embedded, busy=self._busy)
        if (runtime := self._runtime) is not None:
            await runtime.album.async_keep(Kept.TEST, outcome.content, outcome.at)
        return outcome
