"""What reached a person: repair issues and notifications in Home Assistant, messages on the owner's phone."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

import aiohttp

from tests.simulators.home import Home
from tests.simulators.home_api import HomeError

POLL_S = 0.5
CLOCK_WRONG = "clock_wrong"


@dataclass(frozen=True, slots=True)
class Told:
    """One message; at is UTC epoch seconds on the clock of this process, key is what it is about."""

    at: float
    channel: str
    key: str
    identifier: str
    text: str


class People:
    """Looks at what Home Assistant shows, again and again, and remembers each new message once."""

    def __init__(self, home: Home) -> None:
        """Belong to a home; nothing is looked at before watch()."""
        self.told: list[Told] = []
        self._home = home
        self._issues: set[str] = set()
        self._notifications: set[tuple[str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def forget_what_stands(self) -> None:
        """Home Assistant restarts: what it shows after that, it shows anew."""
        self._issues.clear()
        self._notifications.clear()

    def about(self, space: str, *, since: float) -> list[Told]:
        """Return what was told of a space, and of the house: its clock."""
        heard = (told for told in self.told if told.at >= since)
        return [told for told in heard if space in told.identifier or told.key == CLOCK_WRONG]

    async def _watch(self) -> None:
        while True:
            # It is killed and started again while we look.
            with contextlib.suppress(HomeError, TimeoutError, aiohttp.ClientError, ConnectionError):
                await self._look()
            await asyncio.sleep(POLL_S)

    async def _look(self) -> None:
        api, now = self._home.api, time.time()
        issues = (await api.ask("repairs/list_issues"))["issues"]
        ours = {issue["issue_id"]: issue for issue in issues if issue["domain"] == "parkshare"}
        for identifier in ours.keys() - self._issues:
            key = str(ours[identifier]["translation_key"])
            self.told.append(Told(now, "repair issue", key, identifier, key))
        self._issues = set(ours)
        shown = await api.ask("persistent_notification/get")
        ids = {(str(one["notification_id"]), str(one["created_at"])): str(one["message"]) for one in shown}
        for identifier, created in ids.keys() - self._notifications:
            key = identifier.removeprefix("parkshare_").partition("_")[2] or identifier
            self.told.append(Told(now, "notification", key, identifier, ids[identifier, created]))
        self._notifications = set(ids)
