"""The reader service and its client, over HTTP on 127.0.0.1. The reader behind it is a fake one that a test scripts.

The service as a process of its own, with the real reader, is in test_service_process.py.
"""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.recognition import (
    BadPicture,
    Look,
    Picture,
    Quality,
    ReaderTimeout,
    ReaderUnavailable,
    Reading,
    Region,
)
from custom_components.parkshare.recognition.alphabet import CHARACTERS
from custom_components.parkshare.recognition.remote import ServiceError, ServiceReader
from custom_components.parkshare.recognition.service import ReaderService, ServiceLimits
from custom_components.parkshare.recognition.service_auth import service_id
from custom_components.parkshare.recognition.service_wire import WireError, describe, understand

TOKEN = "a token with enough letters"
BOX = ((10.0, 20.0), (110.0, 20.0), (110.0, 45.0), (10.0, 45.0))
QUALITY = Quality(1280, 720, 0.5, 0.6, 0.9, 0.01, plate_width=100.0, plate_height=25.0, plate_tilt=-3.0)
PICTURE = Picture(b"\xff\xd8 a picture", 123.5, Region(0.1, 0.2, 0.9, 1.0), "camera.bay")


def matrix(steps: int = 20) -> np.ndarray:
    """A matrix as readers make them."""
    values = np.random.default_rng(7).random((steps, 1 + len(CHARACTERS))).astype(np.float32) + 1e-6
    return np.log(values / values.sum(axis=1, keepdims=True))


READING = Reading("AB123", (0.9, 0.8, 1.0, 0.75, 0.5), BOX, matrix(), "ppocr")


class Scripted:
    """A reader that does what a test says."""

    name = "scripted"

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.answer: Callable[[Picture], Look] = lambda picture: Look((READING,), picture.taken_at, self.name, QUALITY)
        self.gate = asyncio.Event()
        self.gate.set()
        self.warm = asyncio.Event()
        self.warm.set()
        self.inside = self.most_inside = self.starts = self.stops = 0

    async def start(self) -> None:
        self.starts += 1
        await self.warm.wait()

    async def read(self, picture: Picture) -> Look:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await self.gate.wait()
            self.pictures.append(picture)
            return self.answer(picture)
        finally:
            self.inside -= 1

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        return await self.read(max(pictures, key=lambda picture: len(picture.content)))

    async def stop(self) -> None:
        self.stops += 1


class Clock:
    """A clock that a test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not happen within 5 s")


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


type Serve = Callable[..., Any]


@pytest.fixture
async def serve(socket_enabled: None) -> AsyncIterator[Serve]:
    """Start an application; gives its address."""
    servers: list[TestServer] = []

    async def start(app: web.Application) -> str:
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def url(serve: Serve, scripted: Scripted) -> str:
    limits = ServiceLimits(waiting=2, body_s=1.0, read_s=5.0, idle_s=0.5)
    return str(await serve(ReaderService(scripted, token=TOKEN, limits=limits).app()))


@pytest.fixture
def remote(session: aiohttp.ClientSession, url: str) -> ServiceReader:
    return ServiceReader(session, url, TOKEN, timeout=5.0)


async def test_a_look_comes_back_as_the_reader_gave_it(remote: ServiceReader, scripted: Scripted) -> None:
    look = await remote.read(PICTURE)
    assert (look.taken_at, look.source, look.quality) == (123.5, "service", QUALITY)
    (reading,) = look.readings
    assert (reading.text, reading.confidences, reading.box) == (READING.text, READING.confidences, BOX)
    # The reader's own name, not the service's: the same models elsewhere are no second witness.
    assert (reading.source, reading.taken_at) == ("ppocr", 123.5)
    assert reading.matrix is not None
    np.testing.assert_allclose(reading.matrix, READING.matrix, atol=0.01)
    (seen,) = scripted.pictures
    assert (seen.content, seen.region) == (PICTURE.content, PICTURE.region)
    assert seen.camera
    assert "bay" not in seen.camera


async def test_the_service_chooses_among_the_pictures_of_one_moment(remote: ServiceReader, scripted: Scripted) -> None:
    pictures = [Picture(content, at) for at, content in ((7.0, b"blurred"), (7.2, b"sharp and large"), (7.4, b"dark"))]
    look = await remote.read_best(pictures)
    assert look.taken_at == look.readings[0].taken_at == 7.2
    assert scripted.pictures[0].content == b"sharp and large"


@pytest.mark.parametrize("header", [None, "Bearer wrong", f"Bearer {TOKEN}x", 'ParkShare nonce="0"', "ParkShare"])
async def test_without_the_token_nothing_is_read(
    session: aiohttp.ClientSession, url: str, scripted: Scripted, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with session.post(f"{url}/v1/read", data=b"x", headers=headers) as answer:
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["type"]) == (401, "urn:parkshare:reader:unauthorized")
    assert scripted.pictures == []


async def test_a_person_with_curl_can_use_the_token_as_it_is(session: aiohttp.ClientSession, url: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with session.post(f"{url}/v1/read?region=0,0,0.5,1", data=b"x", headers=headers) as answer:
        document = await answer.json()
    assert document["readings"][0]["text"] == "AB123"
    for query, detail in (("region=1,0,0,1", "region"), ("sizes=3", "sizes"), ("region=x", "query")):
        async with session.post(f"{url}/v1/read?{query}", data=b"x", headers=headers) as answer:
            document = await answer.json(content_type=None)
        assert answer.status == 400
        assert detail in document["detail"]


async def test_a_wrong_token_is_told_apart_from_a_missing_service(session: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(ReaderUnavailable, match="does not accept the token") as told:
        await ServiceReader(session, url, "another token altogether").read(PICTURE)
    assert "Enter" in told.value.remedy
    with pytest.raises(ServiceError) as missing:
        await ServiceReader(session, "http://127.0.0.1:9", TOKEN).about()
    assert missing.value.key == "cannot_connect"


async def test_about_says_who_is_there_and_warms_the_reader_up_only_for_who_has_the_token(
    session: aiohttp.ClientSession, url: str, remote: ServiceReader, scripted: Scripted
) -> None:
    about = await remote.about()
    assert (about.readers, about.identity, about.wants_token) == (("scripted",), service_id(TOKEN), True)
    async with session.get(f"{url}/v1/about?warm=1") as answer:
        assert "reads" not in await answer.json()  # a count that grows tells when a car comes
    await remote.about()
    assert scripted.starts == 0
    await remote.start()
    await until(lambda: scripted.starts == 1)


async def test_the_token_never_travels(serve: Serve, session: aiohttp.ClientSession, scripted: Scripted) -> None:
    heard: list[str] = []
    app = ReaderService(scripted, token=TOKEN).app()

    @web.middleware
    async def listen(request: web.Request, handler: Any) -> web.StreamResponse:
        answer = await handler(request)
        heard.extend(map(str, (request.raw_path, *request.raw_headers, *answer.headers.items(), answer.body)))
        return answer

    app.middlewares.insert(0, listen)
    remote = ServiceReader(session, await serve(app), TOKEN)
    await remote.read(PICTURE)
    assert len(heard) > 10
    assert TOKEN not in "".join(heard)


async def test_an_answer_that_was_changed_on_its_way_is_not_believed(
    serve: Serve, session: aiohttp.ClientSession, url: str
) -> None:
    async def forge(request: web.Request) -> web.Response:
        body = await request.read()
        async with session.request(request.method, url + request.raw_path, data=body, headers=request.headers) as real:
            answer = (await real.read()).replace(b"AB123", b"AB124")
            kept = {name: real.headers[name] for name in ("Parkshare-Proof", "Content-Type")}
        return web.Response(body=answer, headers=kept)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forge)
    remote = ServiceReader(session, await serve(app), TOKEN)
    assert (await remote.about()).version  # it was not changed
    with pytest.raises(ReaderUnavailable, match="does not know the token"):
        await remote.read(PICTURE)


async def test_a_recorded_answer_does_not_fit_another_request(
    serve: Serve, session: aiohttp.ClientSession, url: str
) -> None:
    recorded: dict[str, web.Response] = {}

    async def replay(request: web.Request) -> web.Response:
        body = await request.read()
        if request.path not in recorded:
            async with session.request(
                request.method, url + request.raw_path, data=body, headers=request.headers
            ) as it:
                kept = {name: it.headers[name] for name in ("Parkshare-Proof", "Content-Type")}
                recorded[request.path] = web.Response(body=await it.read(), headers=kept)
        old = recorded[request.path]
        return web.Response(body=old.body, headers=old.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", replay)
    address = await serve(app)
    assert (await ServiceReader(session, address, TOKEN).read(PICTURE)).readings
    with pytest.raises(ReaderUnavailable):
        await ServiceReader(session, address, TOKEN).read(PICTURE)


async def test_one_picture_is_read_at_a_time_and_who_would_wait_too_long_is_sent_away(
    session: aiohttp.ClientSession, url: str, scripted: Scripted
) -> None:
    scripted.gate.clear()
    headers = {"Authorization": f"Bearer {TOKEN}"}

    async def ask() -> tuple[int, str | None, str]:
        async with session.post(f"{url}/v1/read", data=b"x", headers=headers) as answer:
            document = await answer.json(content_type=None)
            return answer.status, answer.headers.get("Retry-After"), document.get("type", "")

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    await until(lambda: sum(task.done() for task in asking) == 3)
    scripted.gate.set()
    answers = await asyncio.gather(*asking)
    assert sorted(status for status, _, _ in answers) == [200, 200, 200, 503, 503, 503]
    assert {(after, kind) for status, after, kind in answers if status == 503} == {("1", "urn:parkshare:reader:busy")}
    assert scripted.most_inside == 1


async def test_a_client_waits_for_a_service_that_is_busy_for_a_moment(
    remote: ServiceReader, session: aiohttp.ClientSession, url: str, scripted: Scripted
) -> None:
    scripted.gate.clear()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    await remote.start()

    async def ask() -> int:
        async with session.post(f"{url}/v1/read", data=b"x", headers=headers) as answer:
            return answer.status

    others = [asyncio.create_task(ask()) for _ in range(4)]
    await until(lambda: any(task.done() for task in others))  # one of the four was sent away: it is full
    asking = asyncio.create_task(remote.read(PICTURE))
    await asyncio.sleep(0.1)
    assert not asking.done()
    scripted.gate.set()
    assert (await asking).readings
    await asyncio.gather(*others)


async def test_a_picture_or_a_reader_that_fails_is_told_as_it_was_there(
    remote: ServiceReader, scripted: Scripted
) -> None:
    def fail(error: Exception) -> Callable[[Picture], Look]:
        def answer(_: Picture) -> Look:
            raise error

        return answer

    scripted.answer = fail(BadPicture("The picture is cut off."))
    with pytest.raises(BadPicture, match=r"The picture is cut off\."):
        await remote.read(PICTURE)
    scripted.answer = fail(ReaderUnavailable("Models are missing.", "Install again."))
    with pytest.raises(ReaderUnavailable, match=r"Models are missing\.") as told:
        await remote.read(PICTURE)
    assert told.value.remedy == "Install again."
    scripted.answer = fail(ReaderTimeout("It crashed."))
    with pytest.raises(ReaderTimeout, match=r"It crashed\."):
        await remote.read(PICTURE)


async def test_a_defect_of_the_reader_puts_nothing_private_into_the_log(
    remote: ServiceReader, scripted: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(_: Picture) -> Look:
        raise RuntimeError("could not fold AB123")

    caplog.set_level(logging.DEBUG)
    scripted.answer = answer
    with pytest.raises(ReaderTimeout):
        await remote.read(PICTURE)
    assert "RuntimeError" in caplog.text
    assert "AB123" not in caplog.text
    assert TOKEN not in caplog.text


async def test_a_body_without_end_or_without_hurry_is_not_taken(
    serve: Serve, session: aiohttp.ClientSession, url: str, scripted: Scripted
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    patient = await serve(ReaderService(scripted, token=TOKEN, limits=ServiceLimits(body_s=60.0)).app())
    async with session.post(f"{patient}/v1/read", data=b"x" * 40_000_001, headers=headers) as answer:
        assert answer.status == 413

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.1)

    async with session.post(f"{url}/v1/read", data=drip(), headers=headers) as answer:
        assert answer.status == 408
    assert scripted.pictures == []


async def test_a_reader_that_hangs_does_not_hang_who_asks(
    serve: Serve, session: aiohttp.ClientSession, scripted: Scripted
) -> None:
    scripted.gate.clear()
    url = await serve(ReaderService(scripted, token=None, limits=ServiceLimits(read_s=0.2)).app())
    with pytest.raises(ReaderTimeout, match="504"):
        await ServiceReader(session, url, "").read(PICTURE)


async def test_a_service_that_nobody_asks_gives_its_memory_back(remote: ServiceReader, scripted: Scripted) -> None:
    await remote.read(PICTURE)
    assert scripted.stops == 0
    await until(lambda: scripted.stops == 1)


async def test_a_service_whose_pictures_were_all_bad_gives_its_memory_back_too(
    remote: ServiceReader, scripted: Scripted
) -> None:
    def answer(_: Picture) -> Look:
        raise BadPicture("The picture is cut off.")

    scripted.answer = answer
    with pytest.raises(BadPicture):
        await remote.read(PICTURE)
    await until(lambda: scripted.stops == 1)


async def test_a_reader_that_warms_up_is_not_put_to_rest_meanwhile(remote: ServiceReader, scripted: Scripted) -> None:
    await remote.read(PICTURE)
    scripted.warm.clear()
    await remote.start()
    await until(lambda: scripted.starts == 1)
    await asyncio.sleep(1.0)  # twice as long as it may idle
    assert scripted.stops == 0
    scripted.warm.set()
    await until(lambda: scripted.stops == 1)


async def test_headers_that_are_no_text_are_a_wrong_token_and_no_proof(
    session: aiohttp.ClientSession, url: str
) -> None:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /v1/about HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"401"
    writer.close()

    async def garble(_: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        answer.write(b"HTTP/1.1 200 OK\r\nParkshare-Proof: \xff\xfe\r\nContent-Length: 2\r\n\r\n{}")
        await answer.drain()
        answer.close()

    async with await asyncio.start_server(garble, "127.0.0.1", 0) as garbling:
        port = garbling.sockets[0].getsockname()[1]
        with pytest.raises(ServiceError) as told:
            await ServiceReader(session, f"http://127.0.0.1:{port}", TOKEN).about()
    assert told.value.key == "not_proven"


async def test_pictures_that_are_too_much_together_are_sent_as_far_as_they_fit(
    remote: ServiceReader, scripted: Scripted
) -> None:
    pictures = [Picture(bytes(12_000_000 + index), float(index)) for index in range(4)]
    assert (await remote.read_best(pictures)).taken_at == 3.0
    assert len(scripted.pictures) == 1


@pytest.mark.parametrize("code", ["too-large", "bad-request"])
async def test_what_only_this_service_refuses_is_left_to_another_reader(
    serve: Serve, session: aiohttp.ClientSession, code: str
) -> None:
    async def about(_: web.Request) -> web.Response:
        return web.json_response({"protocol": 1, "readers": [], "token": False})

    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"type": f"urn:parkshare:reader:{code}", "detail": "no"}, status=400)

    app = web.Application()
    app.router.add_get("/v1/about", about)
    app.router.add_post("/v1/read", refuse)
    with pytest.raises(ReaderTimeout):
        await ServiceReader(session, await serve(app), "").read(PICTURE)


async def test_something_else_at_the_address_is_not_mistaken_for_a_reader(
    serve: Serve, session: aiohttp.ClientSession
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" " * 1_000_000)

    said: dict[str, Any] = {
        "not_a_reader": lambda _: web.Response(text="<h1>A router</h1>", content_type="text/html"),
        "version_mismatch": lambda _: web.json_response({"protocol": 2, "readers": []}),
    }
    for key, answer in said.items():

        async def handler(request: web.Request, answer: Any = answer) -> web.Response:
            return answer(request)  # type: ignore[no-any-return]

        app = web.Application()
        app.router.add_get("/v1/about", handler)
        with pytest.raises(ServiceError) as told:
            await ServiceReader(session, await serve(app), "").about()
        assert told.value.key == key
        with pytest.raises(ServiceError) as unproven:
            await ServiceReader(session, await serve(_copy(handler)), TOKEN).about()
        assert unproven.value.key == "not_proven"
    app = web.Application()
    app.router.add_get("/v1/about", endless)
    with pytest.raises(ServiceError) as without_end:
        await ServiceReader(session, await serve(app), TOKEN).about()
    assert without_end.value.key == "cannot_connect"


def _copy(handler: Any) -> web.Application:
    app = web.Application()
    app.router.add_get("/v1/about", handler)
    return app


async def test_a_service_that_hangs_three_times_is_left_alone_for_ten_minutes(
    session: aiohttp.ClientSession, url: str, scripted: Scripted
) -> None:
    clock = Clock()
    remote = ServiceReader(session, url, TOKEN, timeout=0.5, clock=clock)
    await remote.start()
    scripted.gate.clear()
    for _ in range(3):
        with pytest.raises(ReaderTimeout):
            await remote.read(PICTURE)
    with pytest.raises(ReaderUnavailable, match="left alone"):
        await remote.read(PICTURE)
    scripted.gate.set()
    clock.now += 601
    assert (await remote.read(PICTURE)).readings


# What comes over the wire is not believed further than its form allows


def look_document(**changes: Any) -> dict[str, Any]:
    document = describe(Look((READING,), 0.0, "x", QUALITY))
    document["readings"][0] |= changes
    return document


def test_a_matrix_cannot_claim_more_than_certainty() -> None:
    halves = np.full((4, 1 + len(CHARACTERS)), 11.0, dtype="<f2")
    document = look_document(matrix={"steps": 4, "f16": base64.b64encode(halves.tobytes()).decode()})
    (reading,) = understand(document, [0.0]).readings
    assert reading.matrix is not None
    np.testing.assert_allclose(np.exp(reading.matrix).sum(axis=1), 1.0, rtol=1e-5)


def test_a_service_with_another_alphabet_gives_texts_only() -> None:
    document = look_document() | {"alphabet": CHARACTERS[::-1]}
    (reading,) = understand(document, [0.0]).readings
    assert (reading.text, reading.matrix) == ("AB123", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"confidences": [2.0] * 5},
        {"confidences": [0.5] * 4},
        {"confidences": [float("nan")] * 5},
        {"text": "A" * 65, "confidences": [0.5] * 65},
        {"box": [[0, 0]]},
        {"box": [[0, float("inf")]] * 4},
        {"matrix": {"steps": 10_000, "f16": ""}},
        {"matrix": {"steps": 2, "f16": "AAAA"}},
        {"matrix": {"steps": 1, "f16": "!"}},
        {"matrix": {"steps": 1, "f16": base64.b64encode(np.full(1 + len(CHARACTERS), np.nan, "<f2")).decode()}},
    ],
)
def test_a_reading_out_of_form_spoils_the_look(changes: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        understand(look_document(**changes), [0.0])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


READING_FIELDS = {"text", "box", "matrix", "source"}
LOOK_FIELDS = {"picture", "alphabet", "readings", "quality"}


@given(value=JSON, where=st.sampled_from(sorted(READING_FIELDS | LOOK_FIELDS)))
@settings(max_examples=200, deadline=None)
def test_whatever_a_service_says_is_a_sound_look_or_an_error(value: Any, where: str) -> None:
    document = look_document(**({where: value} if where in READING_FIELDS else {}))
    if where not in READING_FIELDS:
        document[where] = value
    try:
        look = understand(json.loads(json.dumps(document)), [5.0])
    except WireError:
        return
    for reading in look.readings:
        assert set(reading.text) <= set(CHARACTERS)
        assert len(reading.text) == len(reading.confidences)
        assert all(0 <= confidence <= 1 for confidence in reading.confidences)
        assert reading.taken_at == 5.0
