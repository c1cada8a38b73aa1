"""The house's side of the link: what is on disk, what is acknowledged, and what comes back after trouble."""

import asyncio
import itertools
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.link import protocol as wire, session as session_module
from custom_components.parkshare.link.backoff import FIRST_RETRY, LONGEST, BackOff
from custom_components.parkshare.link.client import LinkClient
from custom_components.parkshare.link.facts import parse_time
from custom_components.parkshare.link.journal import Journal
from custom_components.parkshare.link.keys import HouseKeys, to_bytes
from custom_components.parkshare.link.session import (
    LinkState,
    NotConnectedError,
    RequestRefusedError,
    RequestTimeoutError,
)
from tests.home.conftest import eventually
from tests.home.support import Backend, greet_once, self_signed, space_data

AT = "2026-11-22T14:00:00Z"


class Disk:
    """What survives a restart: JSON, as on a disk. full makes every write fail."""

    def __init__(self) -> None:
        self.content: str | None = None
        self.full = False

    async def async_load(self) -> dict[str, Any] | None:
        return None if self.content is None else json.loads(self.content)

    async def async_save(self, data: dict[str, Any]) -> None:
        if self.full:
            raise OSError("no space left")
        self.content = json.dumps(data)


class Listener:
    """A house that writes down what it hears."""

    def __init__(self) -> None:
        self.events: list[wire.Event] = []
        self.snapshots: list[tuple[str, list[dict[str, Any]]]] = []
        self.hints: list[tuple[str, dict[str, Any]]] = []
        self.states: list[LinkState] = []
        self.clocks: list[float] = []
        self.effect: Callable[[wire.Event], Awaitable[None]] | None = None

    async def on_event(self, event: wire.Event) -> None:
        if self.effect is not None:
            await self.effect(event)
        self.events.append(event)

    async def on_snapshot(self, of: str, items: Sequence[dict[str, Any]]) -> None:
        self.snapshots.append((of, list(items)))

    def on_hint(self, t: str, d: Mapping[str, Any]) -> None:
        self.hints.append((t, dict(d)))
        if d.get("bad"):
            raise ValueError(d["bad"])

    def on_state(self, state: LinkState, why: str) -> None:
        self.states.append(state)

    def on_clock(self, at: float) -> None:
        self.clocks.append(at)

    @property
    def heard(self) -> list[str]:
        return [event.id for event in self.events]


class Line:
    """The backend's end of one connection, played by a test."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.auth: dict[str, Any] = {}

    async def say(self, k: str, **members: Any) -> None:
        await self.socket.send_str(json.dumps({"k": k, **members}))

    async def hear(self, k: str, within: float = 3) -> dict[str, Any]:
        while True:
            message = await self.socket.receive(timeout=within)
            assert message.type is WSMsgType.TEXT, f"closed while waiting for {k}"
            if (frame := json.loads(message.data))["k"] == k:
                return frame

    async def let_in(
        self, *, got: int = 0, resumed: bool = True, head: int = 0, epoch: str = "e1", **hello: Any
    ) -> None:
        await self.greet(epoch=epoch, **hello)
        await self.say("ready", resumed=resumed, head=head, got=got)

    async def greet(self, **hello: Any) -> None:
        said = {"v": [1, 1], "server": "s", "epoch": "e1", "nonce": "n", "time": AT, "beat": 30, "window": 64}
        await self.say("hello", **(said | hello))
        self.auth = await self.hear("auth")

    async def event(self, q: int, event_id: str | None = None, t: str = "renter.away") -> None:
        await self.say("ev", q=q, id=event_id or f"id-{q}", t=t, at=AT, d={"booking": "b"})

    async def silence(self, seconds: float = 0.2) -> None:
        """Make sure that the house says nothing."""
        with suppress(TimeoutError):
            message = await self.socket.receive(timeout=seconds)
            raise AssertionError(f"the house said {message.data}")


class Stage:
    """A backend whose every connection a test plays; the house dials it for real."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[Line] = asyncio.Queue()
        self._over = asyncio.Event()
        app = web.Application()
        app.router.add_get("/api/v1/link", self._link)
        self.server = TestServer(app)

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await self.lines.put(Line(socket))
        while not socket.closed and not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._over.wait()
        return socket

    async def line(self) -> Line:
        async with asyncio.timeout(3):
            return await self.lines.get()

    async def close(self) -> None:
        self._over.set()
        await self.server.close()


@pytest.fixture
async def stage(socket_enabled: None) -> AsyncIterator[Stage]:
    stage = Stage()
    await stage.server.start_server()
    yield stage
    await stage.close()


class House:
    """A house with a disk; restarting it keeps only the disk."""

    def __init__(self, url: str, *, install: str = "install-1", keys: HouseKeys | None = None) -> None:
        self.url = url
        self.install = install
        self.keys = keys or HouseKeys.generate()
        self.disk = Disk()
        self.listener = Listener()
        self.journal: Journal
        self.link: LinkClient
        self.task: asyncio.Task[None]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LinkClient]:
        self.journal = Journal(self.disk, install=self.install)
        await self.journal.load()
        async with ClientSession() as http:
            self.link = LinkClient(
                http,
                url=self.url,
                install=self.install,
                keys=self.keys,
                journal=self.journal,
                handler=self.listener,
                jitter=lambda: 0.01,
            )
            self.task = asyncio.create_task(self.link.run())
            try:
                yield self.link
            finally:
                self.task.cancel()
                await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def house(stage: Stage) -> House:
    return House(str(stage.server.make_url("")).rstrip("/"))


@pytest.mark.parametrize(("said", "heard"), [(AT, [parse_time(AT)]), ("around noon", [])])
async def test_each_greeting_tells_the_backends_time_and_one_that_says_none_ends_nothing(
    stage: Stage, house: House, said: str, heard: list[float]
) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in(time=said)
        await line.event(1)
        assert (await line.hear("ack"))["q"] == 1
        assert house.listener.clocks == heard


async def test_a_hint_is_passed_on_and_one_that_cannot_be_used_neither_ends_the_link_nor_shows_in_a_log(
    stage: Stage, house: House, caplog: pytest.LogCaptureFixture
) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.say("eph", t="renter.code", d={"bad": "424242"})
        await line.say("eph", t="renter.code", d={"code": "171717"})
        await line.event(1)
        assert (await line.hear("ack"))["q"] == 1
        assert house.listener.hints == [("renter.code", {"bad": "424242"}), ("renter.code", {"code": "171717"})]
    assert "renter.code" in caplog.text
    assert "424242" not in caplog.text
    assert "171717" not in caplog.text


# Against the real backend


@pytest.fixture
async def linked_house(backend: Backend) -> House:
    keys = HouseKeys.generate()
    return House(backend.url, install=await backend.link(keys), keys=keys)


async def test_a_paired_house_is_let_in_and_asks(linked_house: House, backend: Backend) -> None:
    async with linked_house.running() as link:
        await eventually(lambda: LinkState.CONNECTED in linked_house.listener.states)
        data = space_data()
        answer = await link.request(
            "space.publish",
            {
                "space": data["space_id"],
                "name": "Bay 1",
                "position": {"lat": 48.1, "lon": 11.5},
                "address": "Kirchweg 1",
                "size": {"length_m": 5.0, "width_m": 2.5, "height_m": None},
                "range_m": 150.0,
                "price": {"amount_minor": 0, "currency": "EUR"},
                "seal_key": linked_house.keys.seal_public,
                "access_notes": "",
                "sharing": True,
            },
        )
        assert answer == {"revision": 1}
        with pytest.raises(RequestRefusedError) as refused:
            await link.request("windows.publish", {"space": data["space_id"], "windows": "none"})
        assert refused.value.type == "/problems/invalid-request"


async def test_what_was_reported_without_a_link_arrives_later_and_once(linked_house: House, backend: Backend) -> None:
    await backend.stop()
    async with linked_house.running() as link:
        await link.report("space.state", {"space": "x"}, at=AT)
        await link.report("space.state", {"space": "y"}, at=AT)
    assert len(json.loads(linked_house.disk.content or "")["pending"]) == 2
    await backend.start()
    async with linked_house.running():
        await eventually(lambda: not linked_house.journal.pending)
    async with linked_house.running() as link:
        await eventually(lambda: linked_house.listener.states.count(LinkState.CONNECTED) == 2)
        await link.report("space.state", {"space": "z"}, at=AT)
        await eventually(lambda: not linked_house.journal.pending)
        assert linked_house.journal.last == 3


async def test_a_restarted_backend_is_found_within_seconds(linked_house: House, backend: Backend) -> None:
    async with linked_house.running():
        await eventually(lambda: LinkState.CONNECTED in linked_house.listener.states)
        await backend.stop()
        await eventually(lambda: linked_house.listener.states[-1] is LinkState.DISCONNECTED)
        await backend.start()
        await eventually(lambda: linked_house.listener.states[-1] is LinkState.CONNECTED, within=8)


async def test_a_house_with_another_key_has_to_pair_again(linked_house: House) -> None:
    linked_house.keys = HouseKeys.generate()
    async with linked_house.running():
        async with asyncio.timeout(3):
            await linked_house.task
        assert linked_house.listener.states == [LinkState.PAIR_AGAIN]


# Against a backend that a test plays


async def test_the_house_proves_itself_to_the_host_that_it_dialled(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.greet(nonce="abc")
        message = wire.auth_message(host=f"127.0.0.1:{stage.server.port}", install="install-1", nonce="abc", time=AT)
        house.keys.sign.public_key().verify(to_bytes(line.auth["sig"]), message)
        assert line.auth["resume"] == {"epoch": "", "got": 0}


async def test_an_event_is_acknowledged_only_after_its_effect_is_on_disk(house: House, stage: Stage) -> None:
    may_finish = asyncio.Event()

    async def slow(_: wire.Event) -> None:
        await may_finish.wait()

    house.listener.effect = slow
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.event(1)
        await asyncio.sleep(0.1)
        assert house.disk.content is None
        may_finish.set()
        assert (await line.hear("ack"))["q"] == 1
        assert json.loads(house.disk.content or "")["got"] == 1


async def test_an_effect_that_failed_is_not_acknowledged_and_comes_again(house: House, stage: Stage) -> None:
    async def fail(_: wire.Event) -> None:
        raise OSError("no space left")

    house.listener.effect = fail
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.event(1)
        assert (await line.socket.receive(timeout=3)).type in {WSMsgType.CLOSE, WSMsgType.CLOSED}
        house.listener.effect = None
        line = await stage.line()
        await line.let_in(head=1)
        assert line.auth["resume"]["got"] == 0
        await line.event(1)
        assert (await line.hear("ack"))["q"] == 1
        assert house.listener.heard == ["id-1"]


async def test_a_full_disk_is_never_acknowledged(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        house.disk.full = True
        await line.event(1)
        assert (await line.socket.receive(timeout=3)).type in {WSMsgType.CLOSE, WSMsgType.CLOSED}


async def test_an_event_that_comes_again_has_one_effect(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.event(1, "a")
        await line.event(2, "b")
        await line.event(2, "b")
        await line.event(3, "a")
        await line.event(4, "c")
        while (await line.hear("ack"))["q"] < 4:
            pass
        assert house.listener.heard == ["a", "b", "c"]


async def test_a_restarted_house_goes_on_where_it_stopped(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in(epoch="e9")
        await line.event(7)
        await line.hear("ack")
    async with house.running():
        line = await stage.line()
        await line.greet(epoch="e9")
        assert line.auth["resume"] == {"epoch": "e9", "got": 7}


async def test_many_events_are_acknowledged_in_batches_and_all_of_them(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        for q in range(1, 201):
            await line.event(q)
        acks = [0]
        while acks[-1] < 200:
            acks.append((await line.hear("ack"))["q"])
        assert acks == sorted(acks)
        assert max(later - earlier for earlier, later in itertools.pairwise(acks)) <= wire.ACK_AFTER_EVENTS
        assert len(house.listener.events) == 200


async def test_a_snapshot_counts_only_when_all_of_it_came(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in(resumed=False, head=9, epoch="new")
        await line.say("snap", of="bookings", q=9, part=1, parts=2, d=[{"n": 1}])
        await line.socket.close()
        line = await stage.line()
        assert house.listener.snapshots == []
        await line.let_in(resumed=False, head=9, epoch="new")
        await line.say("snap", of="bookings", q=9, part=1, parts=2, d=[{"n": 1}])
        await line.say("snap", of="bookings", q=9, part=2, parts=2, d=[{"n": 2}])
        assert (await line.hear("ack"))["q"] == 9
        assert house.listener.snapshots == [("bookings", [{"n": 1}, {"n": 2}])]
        assert (house.journal.epoch, house.journal.got) == ("new", 9)


async def test_a_snapshot_with_a_hole_breaks_the_protocol(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in(resumed=False, head=9)
        await line.say("snap", of="bookings", q=9, part=1, parts=3, d=[{"n": 1}])
        await line.say("snap", of="bookings", q=9, part=3, parts=3, d=[{"n": 3}])
        closed = await line.socket.receive(timeout=3)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, wire.CloseCode.BAD_FRAME)
        assert house.listener.snapshots == []


async def test_a_new_epoch_may_count_from_a_smaller_number(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in(epoch="old")
        await line.event(500)
        await line.hear("ack")
        await line.socket.close()
        line = await stage.line()
        await line.let_in(resumed=False, head=2, epoch="new")
        await line.say("snap", of="bookings", q=2, part=1, parts=1, d=[])
        await line.hear("ack")
        await line.event(3)
        assert (await line.hear("ack"))["q"] == 3
        assert house.listener.heard == ["id-500", "id-3"]


async def test_after_a_rollback_of_the_house_pending_events_are_numbered_anew(house: House, stage: Stage) -> None:
    async with house.running() as link:
        line = await stage.line()
        await link.report("stay.left", {"n": 1}, at=AT)
        await line.let_in(got=40)
        told = await line.hear("ev")
        assert (told["q"], told["d"]) == (41, {"n": 1})


async def test_after_pairing_again_the_house_counts_anew_and_keeps_what_it_has_to_tell(
    house: House, stage: Stage
) -> None:
    async with house.running() as link:
        line = await stage.line()
        await line.let_in(got=0)
        await line.event(7)
        await line.hear("ack")
        await line.say("pause")
        await asyncio.sleep(0.05)
        await link.report("stay.left", {"n": 1}, at=AT)
    house.install = "install-2"
    async with house.running():
        line = await stage.line()
        await line.let_in(got=0)
        assert line.auth["resume"] == {"epoch": "", "got": 0}
        assert (await line.hear("ev"))["q"] == 1


async def test_no_more_than_a_window_is_under_way_and_a_pause_is_kept(house: House, stage: Stage) -> None:
    async with house.running() as link:
        for number in range(5):
            await link.report("stay.left", {"n": number}, at=AT)
        line = await stage.line()
        await line.let_in(window=2)
        assert [(await line.hear("ev"))["q"], (await line.hear("ev"))["q"]] == [1, 2]
        await line.silence()
        await line.say("pause")
        await line.say("ack", q=2)
        await line.silence()
        await line.say("resume")
        assert [(await line.hear("ev"))["q"], (await line.hear("ev"))["q"]] == [3, 4]
        await line.silence()


async def test_a_request_fails_at_once_when_the_link_goes(house: House, stage: Stage) -> None:
    async with house.running() as link:
        with pytest.raises(NotConnectedError):
            await link.request("space.withdraw", {"space": "x"})
        line = await stage.line()
        await line.let_in()
        await eventually(lambda: house.listener.states)
        asked = asyncio.create_task(link.request("space.withdraw", {"space": "x"}))
        await line.hear("req")
        await line.socket.close()
        with pytest.raises(NotConnectedError):
            await asyncio.wait_for(asked, 2)


async def test_a_request_that_nobody_answers_times_out(
    house: House, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module.wire, "REQUEST_TIMEOUT", 0.1)
    async with house.running() as link:
        line = await stage.line()
        await line.let_in()
        await eventually(lambda: house.listener.states)
        with pytest.raises(RequestTimeoutError):
            await link.request("space.withdraw", {"space": "x"})


async def test_an_answer_does_not_wait_behind_an_effect(house: House, stage: Stage) -> None:
    async with house.running() as link:

        async def ask(_: wire.Event) -> None:
            assert await link.request("space.withdraw", {"space": "x"}) == {"fine": True}

        house.listener.effect = ask
        line = await stage.line()
        await line.let_in()
        await line.event(1)
        asked = await line.hear("req")
        await line.say("res", id=asked["id"], ok=True, d={"fine": True})
        assert (await line.hear("ack"))["q"] == 1


@pytest.mark.parametrize(
    ("code", "state", "ends"),
    [
        (wire.CloseCode.BAD_KEY, LinkState.PAIR_AGAIN, True),
        (wire.CloseCode.REVOKED, LinkState.PAIR_AGAIN, True),
        (wire.CloseCode.UPGRADE, LinkState.UPGRADE_NEEDED, False),
        (wire.CloseCode.TAKEN_OVER, LinkState.TAKEN_OVER, False),
    ],
)
async def test_a_close_that_retrying_does_not_cure_is_not_retried(
    house: House, stage: Stage, code: int, state: LinkState, ends: bool
) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await eventually(lambda: house.listener.states)
        await line.socket.close(code=code)
        await eventually(lambda: house.listener.states[-1] is state)
        await asyncio.sleep(0.2)
        assert house.task.done() is ends
        assert stage.lines.empty()


@pytest.mark.parametrize(
    "code",
    [wire.CloseCode.BAD_FRAME, wire.CloseCode.NO_AUTH, wire.CloseCode.TOO_SLOW, wire.CloseCode.RESTARTING, 1000, 1011],
)
async def test_a_close_that_may_pass_is_retried(house: House, stage: Stage, code: int) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.socket.close(code=code)
        await stage.line()


async def test_the_wish_of_a_backend_that_restarts_is_honoured(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.say("bye", why="restarting", retry_after=0.5)
        await line.socket.close(code=wire.CloseCode.RESTARTING)
        await asyncio.sleep(0.3)
        assert stage.lines.empty()
        await stage.line()


async def test_a_house_that_has_something_to_tell_does_not_wait_long(house: House, stage: Stage) -> None:
    with patch.object(BackOff, "delay", return_value=100.0):
        async with house.running() as link:
            line = await stage.line()
            await line.let_in()
            await line.socket.close(code=1011)
            await eventually(lambda: LinkState.DISCONNECTED in house.listener.states)
            await asyncio.sleep(0.2)
            assert stage.lines.empty()
            await link.report("stay.left", {"booking": "b"}, at=AT)
            line = await stage.line()
            await line.let_in()
            assert (await line.hear("ev"))["t"] == "stay.left"


async def test_what_is_still_to_be_told_shortens_the_next_wait_too(house: House, stage: Stage) -> None:
    with patch.object(BackOff, "delay", return_value=100.0):
        async with house.running() as link:
            line = await stage.line()
            await line.let_in()
            await link.report("stay.left", {"booking": "b"}, at=AT)
            await line.hear("ev")
            await line.socket.close(code=1011)
            await (await stage.line()).let_in()


async def test_news_do_not_shorten_what_the_backend_asked_for(house: House, stage: Stage) -> None:
    async with house.running() as link:
        line = await stage.line()
        await line.let_in()
        await line.say("bye", why="restarting", retry_after=60)
        await line.socket.close(code=wire.CloseCode.RESTARTING)
        await eventually(lambda: LinkState.DISCONNECTED in house.listener.states)
        await link.report("stay.left", {"booking": "b"}, at=AT)
        await asyncio.sleep(1.5)
        assert stage.lines.empty()


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        ("/problems/bad-key", LinkState.PAIR_AGAIN),
        ("/problems/install-revoked", LinkState.PAIR_AGAIN),
        ("/problems/upgrade-needed", LinkState.UPGRADE_NEEDED),
        ("/problems/wrong-host", LinkState.WRONG_HOST),
        ("/problems/busy", LinkState.DISCONNECTED),
    ],
)
async def test_a_refusal_counts_even_without_a_close_code(
    house: House, stage: Stage, refusal: str, state: LinkState
) -> None:
    async with house.running():
        line = await stage.line()
        await line.greet()
        await line.say("refused", type=refusal)
        assert (await line.socket.receive(timeout=3)).type is WSMsgType.CLOSE
        await eventually(lambda: house.listener.states[-1:] == [state])


async def test_a_backend_of_another_version_is_left_alone(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.say("hello", v=[2, 3], server="s", epoch="e", nonce="n", time=AT, window=1)
        closed = await line.socket.receive(timeout=3)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, wire.CloseCode.UPGRADE)
        await eventually(lambda: house.listener.states == [LinkState.UPGRADE_NEEDED])


@pytest.mark.parametrize("nonsense", ["{", '{"k":"ev","q":"one"}', '{"k":"ready"}'])
async def test_a_broken_frame_ends_the_connection_and_nothing_else(house: House, stage: Stage, nonsense: str) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.socket.send_str(nonsense)
        closed = await line.socket.receive(timeout=3)
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, wire.CloseCode.BAD_FRAME)
        await stage.line()


async def test_unknown_frames_and_hints_are_passed_over(house: House, stage: Stage) -> None:
    async with house.running():
        line = await stage.line()
        await line.let_in()
        await line.say("weather", sun=True)
        await line.say("eph", t="approach", d={"eta_s": 3})
        await line.event(1, t="a.later.word")
        assert (await line.hear("ack"))["q"] == 1


# Pure


@given(chance=st.floats(0, 1, exclude_max=True), failures=st.integers(1, 60), ready_for=st.floats(0, 59))
@settings(max_examples=60)
def test_the_first_retry_comes_within_a_second_and_no_retry_later_than_five_minutes(
    chance: float, failures: int, ready_for: float
) -> None:
    back_off = BackOff(lambda: chance)
    back_off.ended(ready_for=ready_for)
    assert 0 <= back_off.delay() <= FIRST_RETRY
    for _ in range(failures):
        back_off.ended(ready_for=ready_for)
        assert 1 <= back_off.delay() <= LONGEST
    back_off.ended(ready_for=60)
    assert back_off.delay() <= FIRST_RETRY


@given(chance=st.floats(0, 1, exclude_max=True), wish=st.floats(0, 3600))
@settings(max_examples=40)
def test_a_house_never_comes_back_before_the_server_wants_it(chance: float, wish: float) -> None:
    back_off = BackOff(lambda: chance)
    back_off.ended(ready_for=0)
    assert back_off.delay(wish) >= wish


@given(steps=st.lists(st.sampled_from(["report", "ack", "crash", "lost-ack"]), max_size=30))
@settings(max_examples=60, deadline=None)
def test_every_report_is_told_exactly_once_whatever_is_lost_in_between(steps: list[str]) -> None:
    async def play() -> None:
        disk, stored, reported = Disk(), [], []
        journal = Journal(disk, install="i")
        await journal.load()
        server_has = 0
        for step in steps:
            if step == "report":
                event = await journal.append("stay.left", {"n": len(reported)}, at=AT)
                reported.append(event.id)
            elif step == "crash":
                journal = Journal(disk, install="i")
                await journal.load()
                await journal.align(server_has)
            else:
                for event in journal.pending:
                    if event.q > server_has:
                        stored.append(event.id)
                        server_has = event.q
                if step == "ack":
                    journal.acknowledged(server_has)
        await journal.align(server_has)
        stored += [event.id for event in journal.pending]
        assert stored == reported

    asyncio.run(play())


# Trouble


async def test_whatever_happens_the_house_dials_again(house: House, stage: Stage) -> None:
    house.disk.content = json.dumps(
        {"install": "install-1", "epoch": "e1", "got": 0, "last": 1, "ids": [], "pending": [PENDING]}
    )
    with patch.object(house.disk, "async_save", side_effect=RuntimeError("nobody thought of this")):
        async with house.running():
            await (await stage.line()).let_in(got=5)
            await (await stage.line()).greet()
            assert not house.task.done()


PENDING = {"q": 1, "id": "mine", "t": "stay.left", "at": AT, "d": {"booking": "b"}}


async def test_a_certificate_that_is_not_trusted_is_told_as_such(
    house: House, socket_enabled: None, tmp_path: Any
) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    greeter = threading.Thread(target=greet_once, args=(listening, self_signed(tmp_path)))
    greeter.start()
    house.url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    async with house.running():
        await eventually(lambda: house.listener.states)
    greeter.join()
    listening.close()
    assert house.listener.states[0] is LinkState.UNTRUSTED


async def journal_of(disk: Disk) -> Journal:
    journal = Journal(disk, install="install-1")
    await journal.load()
    return journal


async def test_of_a_space_only_its_last_state_waits_for_the_backend() -> None:
    journal = await journal_of(Disk())
    for number in range(50):
        await journal.append("space.state", {"space": "one", "barrier": str(number)}, at=AT)
        await journal.append("space.state", {"space": "two", "barrier": str(number)}, at=AT)
        await journal.append("stay.left", {"booking": str(number)}, at=AT)
    states = [event.d["barrier"] for event in journal.pending if event.t == "space.state"]
    assert states == ["49", "49"]
    assert len(journal.pending) == 52
    assert [event.q for event in journal.pending] == list(range(1, 53))


async def test_a_number_that_may_have_reached_the_backend_never_means_something_else() -> None:
    disk = Disk()
    journal = await journal_of(disk)
    first = await journal.append("space.state", {"space": "one", "barrier": "up"}, at=AT)
    journal.telling(first.q)
    await journal.append("space.state", {"space": "one", "barrier": "down"}, at=AT)
    assert [event.q for event in journal.pending] == [1, 2]
    again = await journal_of(disk)
    await again.append("space.state", {"space": "one", "barrier": "up"}, at=AT)
    assert [event.q for event in again.pending] == [1, 2, 3]


async def test_what_waits_for_the_backend_does_not_grow_without_bound_and_keeps_what_bookings_need() -> None:
    journal = await journal_of(Disk())
    with patch("custom_components.parkshare.link.journal.MOST_PENDING", 20):
        for number in range(30):
            await journal.append("admission.decided", {"booking": str(number)}, at=AT)
            if number % 3 == 0:
                await journal.append("stay.arrived", {"booking": str(number)}, at=AT)
    assert len(journal.pending) == 20
    assert sum(event.t == "stay.arrived" for event in journal.pending) == 10
    assert journal.pending[-1].d == {"booking": "29"}
