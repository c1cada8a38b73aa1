"""A house whose camera gives what a test wants, for the steps and the action that look through it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from homeassistant.components.camera import Image
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN, SUBENTRY_SPACE
from custom_components.parkshare.recognition import Look, Quality, Reading
from custom_components.parkshare.space import SpaceRuntime
from tests.home.support import EQUIPMENT, PLACE, RAISING

JPEG = b"\xff\xd8\xff"
READ = "AB123CD"
SPACE = "switch.bay_1_sharing"
GOOD = Quality(
    width=1920, height=1080, brightness=0.5, contrast=0.6, sharpness=0.6, glare=0.0, plate_width=160.0, plate_tilt=2.0
)
BOX = ((100.0, 100.0), (260.0, 100.0), (260.0, 135.0), (100.0, 135.0))


def look(text: str = READ, quality: Quality | None = GOOD, *, at: float = 1000.0, source: str = "fake") -> Look:
    """One look at one plate."""
    sure = tuple(0.97 - 0.001 * ((at + number) % 7) for number in range(len(text)))
    return Look((Reading(text, sure, BOX, source=source, taken_at=at),), at, "fake", quality)


class Pictures:
    """What the camera gives: a new picture each time, the same one, nothing, or something else."""

    def __init__(self) -> None:
        self.asked = 0
        self.content: Callable[[int], bytes] = lambda number: JPEG + b"%d" % number
        self.broken = False

    async def give(self, *_: Any, **__: Any) -> Image:
        """Stand in for the camera's image."""
        self.asked += 1
        if self.broken:
            raise HomeAssistantError("Camera is off")
        return Image(content_type="image/jpeg", content=self.content(self.asked))


class Power:
    """The camera's power switch. Made when the house runs: its own switches bring the real actions with them."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.calls: list[str] = []
        hass.states.async_set("switch.camera", "off")
        for service in ("turn_on", "turn_off"):
            hass.services.async_register("switch", service, self._called)

    async def _called(self, call: ServiceCall) -> None:
        self.calls.append(call.service)
        self._hass.states.async_set("switch.camera", call.service.removeprefix("turn_"))

    @property
    def on(self) -> bool:
        """Whether the camera has power."""
        return self._hass.states.get("switch.camera").state == "on"


class SpaceFlow:
    """A space's flow, one step after the other, as the dialog goes through it."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self._hass = hass
        self._flows = hass.config_entries.subentries
        self.entry = entry
        self.shown: dict[str, Any] = {}

    @property
    def step(self) -> str:
        """The step that is shown."""
        return self.shown["step_id"]

    @property
    def said(self) -> dict[str, str]:
        """What fills the gaps of the step's text."""
        return dict(self.shown["description_placeholders"])

    async def new(self, **equipment: Any) -> SpaceFlow:
        """Go to the menu of a new space."""
        self.shown = await self._flows.async_init(
            (self.entry.entry_id, SUBENTRY_SPACE), context={"source": SOURCE_USER}
        )
        await self.give(PLACE)
        await self.give({**EQUIPMENT, "camera_power": "switch.camera", **equipment})
        await self.give(RAISING)
        assert self.step == "reading", self.shown
        return self

    async def change(self, **equipment: Any) -> SpaceFlow:
        """Go to the menu of the space that is there."""
        subentry_id = next(iter(self.entry.subentries))
        self.shown = await self._flows.async_init(
            (self.entry.entry_id, SUBENTRY_SPACE), context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
        )
        await self.give(PLACE)
        await self.give({**EQUIPMENT, "camera_power": "switch.camera", **equipment})
        await self.give(RAISING)
        assert self.step == "reading", self.shown
        return self

    async def give(self, entered: dict[str, Any] | None) -> None:
        """Submit a form."""
        self.shown = await self._flows.async_configure(self.shown["flow_id"], entered)

    async def choose(self, item: str) -> None:
        """Choose an item of a menu, and wait while something is done."""
        await self.give({"next_step_id": item})
        if self.shown["type"] == "progress":
            await self._hass.async_block_till_done()
            await self.look()

    async def look(self) -> None:
        """Ask for the step that is shown, as the dialog does when it hears that the flow went on."""
        self.shown = await self._flows.async_configure(self.shown["flow_id"])

    def close(self) -> None:
        """Close the dialog."""
        self._flows.async_abort(self.shown["flow_id"])


async def try_out(hass: HomeAssistant, target: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """Perform the action on the space."""
    return await hass.services.async_call(
        DOMAIN,
        "test_camera",
        target=target or {"entity_id": SPACE},
        blocking=True,
        return_response=True,
        **options,
    )


def gate_looks(runtime: SpaceRuntime) -> None:
    """A car is expected: the gate has turned the camera on."""
    runtime.gate = replace(runtime.gate, camera=True)
