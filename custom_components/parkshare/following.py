"""What follows from a step of the gate, in this order: the record, the report, the gate on disk; then the deeds."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback

from .deeds import Deeds
from .gate import words as w
from .ledger import Ledger, report_of
from .record import Record

if TYPE_CHECKING:
    from .hub import ParkShareHub


class Following:
    """Carries out, one step after the other. gate tells what is known by now; phone is whom a renter may call.

    What is asked for is on disk before it is done, so that a crash repeats a report at worst. done is called after
    the deeds of each step.
    """

    def __init__(
        self,
        hub: ParkShareHub,
        space_id: str,
        *,
        gate: Callable[[], w.Gate],
        record: Record,
        ledger: Ledger,
        deeds: Deeds,
        phone: str,
        done: Callable[[], None],
    ) -> None:
        self._hub = hub
        self._space_id = space_id
        self._gate = gate
        self._record = record
        self._ledger = ledger
        self._deeds = deeds
        self._phone = phone
        self._done = done
        self._in_order = asyncio.Lock()

    @callback
    def follow(self, intents: Sequence[w.Intent] = ()) -> None:
        """Begin what follows, if anything does."""
        if intents or self._record.is_behind or self._ledger.is_behind(self._gate()):
            work, name = self._async_follow(intents), f"parkshare {self._space_id} gate"
            self._hub.entry.async_create_task(self._hub.hass, work, name, eager_start=True)

    @callback
    def report(self, t: str, d: dict[str, Any]) -> None:
        """Tell the backend something that is no deed of the gate."""
        self._ledger.report(t, d)
        self.follow()

    @callback
    def report_state(self) -> None:
        """Note how the space is, for the backend, if that changed."""
        self._ledger.report_state(self._gate(), sharing=self._hub.sharing(self._space_id))

    async def async_done(self) -> None:
        """Wait until what was asked for so far is stored and begun."""
        async with self._in_order:
            pass

    async def _async_follow(self, intents: Sequence[w.Intent]) -> None:
        async with self._in_order:
            await self._record.async_write()
            for intent in intents:
                if report := report_of(intent, head=self._record.head, phone=self._phone):
                    self._ledger.report(*report)
            stored = await self._ledger.async_save(self._gate())
            self._deeds.do(intents, self._gate(), stored=stored)
            self._done()
            await self._ledger.async_hand_over(self._hub.async_report)
            await self._ledger.async_save(self._gate())
