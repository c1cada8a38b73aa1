"""What moves the barrier of one space at the gate's bidding: one task, one command at a time."""

import asyncio
from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from .barrier import Barrier, BarrierError
from .const import LOGGER
from .gate.words import BarrierSeen, Command, CommandFailed
from .stopwatch import Stopwatch


class Hands:
    """The barrier of one space. `told` is how the gate hears what came of a command."""

    def __init__(
        self, hass: HomeAssistant, entry: ConfigEntry[Any], title: str, *, barrier: Barrier, watch: Stopwatch
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._title = title
        self._barrier = barrier
        self._watch = watch
        self._task: asyncio.Task[None] | None = None
        self._command: Command | None = None

    def move(self, command: Command, why: str, told: Callable[[CommandFailed | BarrierSeen], None]) -> None:
        """Begin a command; the one before is forgotten."""
        self.halt()
        self._command = command
        LOGGER.info("%s: barrier %s, because: %s", self._title, command.target, why)
        self._watch.mark("command")

        async def do() -> None:
            try:
                await self._barrier.async_move(command)
            except BarrierError as err:
                told(CommandFailed(command.number, err.kind))
                return
            # An entity that only assumes its state may have had nothing to report.
            told(BarrierSeen(self._barrier.position, done=command.number))

        name = f"parkshare {self._title} barrier {command.target}"
        self._task = self._entry.async_create_background_task(self._hass, do(), name)

    def keep_to(self, command: Command | None) -> None:
        """Stop at once when this is no longer what the gate wants: a car may have come while we try again.

        The gate's own Halt comes only after what it decided is on disk.
        """
        wanted = None if command is None else command.number
        if self._command is not None and wanted != self._command.number:
            self.halt()

    def halt(self) -> None:
        """No further try of the command that is under way."""
        self._command = None
        if self._task and not self._task.done():
            self._task.cancel()

    async def async_stop(self) -> None:
        """End what is under way; the barrier stays as it is."""
        self.halt()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
