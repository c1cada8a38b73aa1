"""Home Assistant's HTTP and websocket API, as a browser uses it: forms, states, actions."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

FLOW = "/api/config/config_entries/flow"
SUBENTRY_FLOW = "/api/config/config_entries/subentries/flow"
STEPS_LIMIT = 50  # steps of one flow; more is a circle
PROGRESS_LIMIT = 60.0  # s; a step with progress that takes longer is stuck


class HomeError(RuntimeError):
    """Home Assistant refused something, or a form could not be filled. Says what and where."""


class TooManyError(HomeError):
    """A form was not accepted because too much was asked of the backend; later it would be."""


@dataclass(frozen=True, slots=True)
class Change:
    """One state that an entity took; at is UTC epoch seconds on our clock."""

    at: float
    entity: str
    state: str
    attributes: Mapping[str, Any]


class HomeApi:
    """One signed-in browser. history keeps every state that was seen since watch() began."""

    def __init__(self, url: str) -> None:
        """Talk to the Home Assistant at url."""
        self.url = url
        self.token: str | None = None
        self.history: list[Change] = []
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._changed = asyncio.Event()
        self._flows_progressed: set[str] = set()
        self._flow_progressed = asyncio.Event()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The HTTP session; made when first used."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    async def close(self) -> None:
        """Close the websocket and the session."""
        await self.unwatch()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(self, method: str, path: str, body: Any = None, *, form: Mapping[str, str] | None = None) -> Any:
        """Call the HTTP API and return the JSON. Raises HomeError on a status of 400 or above."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.request(method, self.url + path, json=body, data=form, headers=headers) as answer:
            if answer.status >= 400:
                raise HomeError(f"{method} {path}: {answer.status} {(await answer.text())[:600]}")
            return await answer.json()

    async def act(self, action: str, data: Mapping[str, Any]) -> None:
        """Perform an action (domain.name), as an automation or a button of the UI does."""
        await self.call("POST", f"/api/services/{action.replace('.', '/')}", dict(data))

    async def answer(self, action: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Perform an action that answers; return its answer."""
        path = f"/api/services/{action.replace('.', '/')}?return_response"
        answer: dict[str, Any] = (await self.call("POST", path, dict(data)))["service_response"]
        return answer

    async def picture(self, entity: str) -> bytes:
        """Fetch what an image or camera entity shows now. Raises HomeError when it can't be had."""
        address = f"{self.url}/api/{entity.partition('.')[0]}_proxy/{entity}"
        async with self.session.get(address, headers={"Authorization": f"Bearer {self.token}"}) as answer:
            if answer.status >= 400:
                raise HomeError(f"The picture of {entity}: {answer.status}")
            return await answer.read()

    async def state(self, entity: str) -> str | None:
        """Return an entity's state, None when there is no such entity."""
        found = await self.entity(entity)
        return None if found is None else str(found["state"])

    async def entity(self, entity: str) -> dict[str, Any] | None:
        """Return an entity's state object, None when there is no such entity."""
        return next((state for state in await self.states() if state["entity_id"] == entity), None)

    async def states(self) -> list[dict[str, Any]]:
        """Return all states."""
        states: list[dict[str, Any]] = await self.call("GET", "/api/states")
        return states

    # --- forms ---

    async def fill(
        self,
        flow: dict[str, Any],
        answers: Mapping[str, Any],
        *,
        base: str = FLOW,
        on_progress: Callable[[dict[str, Any]], Awaitable[None]] | None = None,
    ) -> dict[str, Any]:
        """Walk through the forms of a flow, giving each field of ours that a form asks for; return the last answer.

        A menu takes the answer named "menu:<step>": an option, or several in the order in which they are taken, those
        that are not offered left out. A step with progress is shown to on_progress once, then waited for.
        """
        shown: set[object] = set()
        taken: set[str] = set()
        for _ in range(STEPS_LIMIT):
            path = f"{base}/{flow['flow_id']}"
            match flow["type"]:
                case "create_entry" | "abort":
                    return flow
                case "form":
                    step = (flow["step_id"], str(flow.get("errors")))
                    if "many requests" in str(flow.get("description_placeholders")):
                        raise TooManyError(f"The form {flow['step_id']} was not accepted yet")
                    if flow.get("errors") or step in shown:
                        raise HomeError(f"The form {flow['step_id']} was not accepted: {flow.get('errors')}")
                    shown.add(step)
                    flow = await self.call("POST", path, _pick(flow["data_schema"], answers))
                case "menu":
                    taken.add(option := _option(flow, answers, taken))
                    flow = await self.call("POST", path, {"next_step_id": option})
                case "progress":
                    if flow["step_id"] not in shown and on_progress is not None:
                        await on_progress(flow)
                    shown.add(flow["step_id"])
                    await self._progressed(flow["flow_id"])
                    flow = await self.call("GET", path)
                case _:
                    flow = await self.call("GET", path)
        raise HomeError(f"The flow stays at {flow}")

    async def add_integration(self, handler: str, answers: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Add an integration through its config flow; return the last answer, which must be create_entry."""
        flow = await self.call("POST", FLOW, {"handler": handler, "show_advanced_options": False})
        return _created(await self.fill(flow, answers, **options))

    async def add_subentry(self, entry: str, kind: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Add a subentry to a config entry through its flow."""
        flow = await self.call("POST", SUBENTRY_FLOW, {"handler": [entry, kind]})
        return _created(await self.fill(flow, answers, base=SUBENTRY_FLOW))

    async def continue_with_subentry(
        self, flow: dict[str, Any], entry: str, kind: str, answers: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Fill the subentry form that a config flow led into, as the UI does; begin one if it led nowhere."""
        following = flow.get("next_flow")
        if not following or following[0] != "config_subentries_flow":
            return await self.add_subentry(entry, kind, answers)
        form = await self.call("GET", f"{SUBENTRY_FLOW}/{following[1]}")
        return _created(await self.fill(form, answers, base=SUBENTRY_FLOW))

    async def _progressed(self, flow: str) -> None:
        """Wait until Home Assistant says that a flow goes on. Asking before gets in the way of its own going on."""
        async with asyncio.timeout(PROGRESS_LIMIT):
            while flow not in self._flows_progressed:
                await self._flow_progressed.wait()
                self._flow_progressed.clear()
        self._flows_progressed.discard(flow)

    # --- the websocket ---

    async def watch(self) -> None:
        """Open the websocket and keep every change of a state in history, with one entry for each state as it is."""
        self._socket = await self.session.ws_connect(f"{self.url.replace('http', 'ws', 1)}/api/websocket", heartbeat=20)
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self.token})
        if (await self._socket.receive_json())["type"] != "auth_ok":
            raise HomeError("The websocket did not accept the token")
        self._reader = asyncio.create_task(self._read(self._socket))
        await self.ask("subscribe_events", event_type="data_entry_flow_progressed")
        await self.ask("subscribe_events", event_type="state_changed")
        for state in await self.states():
            self.history.append(Change(time.time(), state["entity_id"], state["state"], state["attributes"]))

    async def unwatch(self) -> None:
        """Close the websocket."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        self._socket = self._reader = None

    async def ask(self, kind: str, **fields: Any) -> Any:
        """Send a websocket command and return its result."""
        if self._socket is None:
            raise HomeError("The websocket is closed")
        self._last_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._last_id] = answer
        await self._socket.send_json({"id": self._last_id, "type": kind, **fields})
        async with asyncio.timeout(20):
            return await answer

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = frame.json()
            if message["type"] == "result":
                self._settle(message)
            elif message["type"] == "event" and (flow := message["event"]["data"].get("flow_id")):
                self._flows_progressed.add(flow)
                self._flow_progressed.set()
            elif message["type"] == "event" and (new := message["event"]["data"].get("new_state")):
                self.history.append(Change(time.time(), new["entity_id"], new["state"], new["attributes"]))
                self._changed.set()

    def _settle(self, message: dict[str, Any]) -> None:
        answer = self._answers.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if message["success"]:
            answer.set_result(message["result"])
        else:
            answer.set_exception(HomeError(str(message["error"])))

    def current(self, entity: str) -> str | None:
        """Return the newest state seen of an entity."""
        return next((change.state for change in reversed(self.history) if change.entity == entity), None)

    async def seen(
        self, entity: str, accept: Callable[[Change], bool], *, since: float = 0.0, within: float = 20.0
    ) -> Change:
        """Wait for a state of an entity that is accepted and not older than since.

        Raises TimeoutError, telling what was seen.
        """
        begun = len(self.history) if since == 0.0 else 0
        if since == 0.0:
            newest = next((change for change in reversed(self.history) if change.entity == entity), None)
            if newest is not None and accept(newest):
                return newest
        deadline = time.monotonic() + within
        while True:
            self._changed.clear()
            for change in self.history[begun:]:
                if change.entity == entity and change.at >= since and accept(change):
                    return change
            if (left := deadline - time.monotonic()) <= 0:
                seen = [change.state for change in self.history if change.entity == entity][-4:]
                raise TimeoutError(f"{entity} did not get there within {within:.0f} s; its last states: {seen}")
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                continue


def _option(flow: Mapping[str, Any], answers: Mapping[str, Any], taken: Collection[str]) -> str:
    """Return which option of a menu comes next: the last one again and again, once the others were taken."""
    wanted = answers[f"menu:{flow['step_id']}"]
    if isinstance(wanted, str):
        return wanted
    *others, last = [option for option in wanted if option in flow["menu_options"]]
    return str(next((option for option in others if option not in taken), last))


def _pick(schema: list[dict[str, Any]], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that a form asks for; its sections are forms in the form."""
    picked: dict[str, Any] = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            picked[name] = answers[name] if name in answers else _pick(field["schema"], answers)
        elif name in answers:
            picked[name] = answers[name]
        elif field.get("required") and "default" not in field:
            raise HomeError(f"The form asks for {name!r}, for which there is no answer")
        elif field.get("required"):
            picked[name] = field["default"]
    return picked


def _created(flow: dict[str, Any]) -> dict[str, Any]:
    if flow["type"] != "create_entry":
        raise HomeError(f"The flow ended with {flow['type']}: {flow.get('reason')}")
    return flow
