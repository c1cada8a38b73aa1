"""A Frigate that reads plates: what versions 0.16 to 0.18 say over MQTT and answer over HTTP, with their traps.

Written by hand after Frigate's own code (frigate/api, frigate/comms, nginx.conf). By hand:
python -m tests.simulators.frigate --broker 127.0.0.1:1883 --camera space --plate AB-123-CD
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import aiomqtt
from aiohttp import web

VERSIONS = {"0.16": "0.16.4-4131252", "0.17": "0.17.2-3d4dd3a", "0.18": "0.18.0-e3fa701"}
CACHE_S = 5.0  # nginx: proxy_cache_valid 200 5s
SESSION_S = 86400
CAMERA_ERROR = b"\xff\xd8\xff camera-error.jpg"  # 0.16 and 0.17 show it, with 200, for a camera that is off or away
PREVIEW = b"\xff\xd8\xff the last preview frame"  # 0.18 shows the last picture there was

# --- what it says over MQTT ---


def lpr(
    plate: str,
    *,
    camera: str,
    at: float,
    version: str = "0.17",
    score: float | None = 0.98,
    object_id: str = "1795353660.5-abc123",
    name: str | None = None,
) -> bytes:
    """A tracked_object_update of type lpr."""
    message: dict[str, Any] = {
        "type": "lpr",
        "name": name,
        "plate": plate,
        "score": score,
        "id": object_id,
        "camera": camera,
        "timestamp": at,
    }
    if version == "0.18":
        message["plate_box"] = [10, 20, 110, 45]
    return json.dumps(message).encode()


def object_event(
    *,
    camera: str,
    at: float,
    plate: str | None = None,
    before: str | None = None,
    shape: str = "list",
    score: float = 0.98,
    zones: list[str] | None = None,
    object_id: str = "1795353660.5-abc123",
    kind: str = "update",
    sub_label: Any = None,
) -> bytes:
    """A message of events. shape: list as it is sent, string as it is documented."""

    def tracked(text: str | None) -> dict[str, Any]:
        read: Any = text if shape == "string" or text is None else [text, score]
        shown: dict[str, Any] = {
            "id": object_id,
            "camera": camera,
            "frame_time": at,
            "label": "car",
            "sub_label": sub_label,
            "stationary": False,
            "current_zones": zones or [],
            "entered_zones": zones or [],
            "end_time": at if kind == "end" else None,
            "recognized_license_plate": read,
        }
        return shown | ({"recognized_license_plate_score": score} if shape == "string" and text else {})

    return json.dumps({"type": kind, "before": tracked(before), "after": tracked(plate)}).encode()


def stats(*, at: float, fps: dict[str, float], version: str = "0.17") -> bytes:
    """A message of stats."""
    cameras = {name: {"camera_fps": value, "detection_fps": 0.0} for name, value in fps.items()}
    service = {"uptime": 600, "version": VERSIONS[version], "last_updated": int(at)}
    return json.dumps({"cameras": cameras, "service": service}).encode()


# --- the program ---


@dataclass
class Camera:
    """One camera as Frigate has it configured, and how it is now."""

    name: str
    in_config: bool = True
    lpr: bool = True
    dedicated: bool = False
    zones: tuple[str, ...] = ("bay", "street")
    on: bool = True
    fps: float = 5.0
    picture: bytes = b"\xff\xd8\xff a picture"


@dataclass
class Frigate:
    """One Frigate. Everything public may change while it runs."""

    version: str = "0.17"
    cameras: list[Camera] = field(default_factory=lambda: [Camera("space")])
    users: dict[str, str] = field(default_factory=dict)  # none: port 5000, no login
    prefix: str = "frigate"
    lpr: bool = True
    mqtt: bool = True
    ahead: float = 0.0  # s, its clock against the real one
    login_limit: int = 1000
    session_s: float = SESSION_S
    secret: bytes = b"first"  # a new one makes all tokens worthless
    tls: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    logins: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self._cache: dict[str, tuple[float, web.Response]] = {}
        self._client: aiomqtt.Client | None = None
        self._runner: web.AppRunner | None = None

    @property
    def now(self) -> float:
        """The time by its clock."""
        return time.time() + self.ahead

    def camera(self, name: str) -> Camera | None:
        """Find a camera."""
        return next((camera for camera in self.cameras if camera.name == name), None)

    # HTTP

    async def start(self) -> None:
        """Serve on a free port of 127.0.0.1."""
        app = web.Application(middlewares=[self._proxy])
        app.add_routes(
            [
                web.post("/api/login", self._login),
                web.get("/api/version", self._version),
                web.get("/api/stats", self._stats),
                web.get("/api/config", self._config),
                web.get("/api/{camera}/latest.jpg", self._latest),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.tls)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"

    async def stop(self) -> None:
        """Serve no more."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    @web.middleware
    async def _proxy(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Stand in front as nginx does: ask for the token, keep JSON for 5 s unless asked not to."""
        self.requests.append(request.path)
        if self.users and request.path != "/api/login" and not self._signed_in(request):
            return web.json_response({"message": "Unauthorized"}, status=401)
        key = request.path_qs
        kept = self._cache.get(key)
        bypass = request.headers.get("X-Cache-Bypass") == "1"
        if kept and time.time() - kept[0] < CACHE_S and not bypass:
            return web.Response(body=kept[1].body, content_type="application/json")
        try:
            answer = await handler(request)
        except web.HTTPNotFound:
            answer = web.json_response({"message": "Not found"}, status=404)
        cached = ("/api/stats", "/api/version", "/api/login")
        if answer.status == 200 and answer.content_type == "application/json" and request.path not in cached:
            self._cache[key] = time.time(), answer
        answer.headers["Date"] = formatdate(self.now, usegmt=True)
        return answer

    def _signed_in(self, request: web.Request) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        head, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(head)):
            return False
        claims = json.loads(base64.urlsafe_b64decode(head.split(".")[1] + "=="))
        return bool(claims["exp"] > self.now)

    def _signature(self, head: str) -> str:
        return hmac.new(self.secret, head.encode(), hashlib.sha256).hexdigest()

    def token(self, user: str) -> str:
        """Make a token as the login does."""
        claims = {"sub": user, "role": "viewer", "iat": int(self.now), "exp": int(self.now + self.session_s)}
        parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
        return f"{'.'.join(parts)}.{self._signature('.'.join(parts))}"

    async def _login(self, request: web.Request) -> web.Response:
        self.logins += 1
        if self.logins > self.login_limit:
            return web.Response(status=429, text="Rate limit exceeded")
        asked = await request.json()
        if self.users.get(asked.get("user")) != asked.get("password") or not asked.get("user"):
            return web.json_response({"message": "Login failed"}, status=401)
        answer = web.Response()
        # The cookie's own end lies far in the future (an absolute time given as a relative one); the token's counts.
        answer.headers["Set-Cookie"] = (
            f"frigate_token={self.token(asked['user'])}; expires=Fri, 01 Jan 2083 00:00:00 GMT; HttpOnly; Path=/"
        )
        return answer

    async def _version(self, _request: web.Request) -> web.Response:
        return web.Response(text=VERSIONS[self.version])

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.stats(), content_type="application/json")

    def stats(self) -> bytes:
        """What it says every minute."""
        fps = {camera.name: camera.fps if camera.on else 0.0 for camera in self.cameras}
        return stats(at=self.now, fps=fps, version=self.version)

    async def _config(self, _request: web.Request) -> web.Response:
        cameras = {
            camera.name: {
                "enabled": camera.on,
                "enabled_in_config": camera.in_config,
                "type": "lpr" if camera.dedicated else "generic",
                "lpr": {"enabled": camera.lpr},
                "zones": {zone: {} for zone in camera.zones},
            }
            for camera in self.cameras
        }
        mqtt = {"enabled": self.mqtt, "topic_prefix": self.prefix, "client_id": "frigate"}
        return web.json_response({"mqtt": mqtt, "lpr": {"enabled": self.lpr}, "cameras": cameras})

    async def _latest(self, request: web.Request) -> web.Response:
        camera = self.camera(request.match_info["camera"])
        if camera is None:
            return web.json_response({"success": False, "message": "Camera not found"}, status=404)
        if camera.on and camera.fps > 0:
            return web.Response(body=camera.picture, content_type="image/jpeg")
        if self.version == "0.18":
            return web.Response(body=PREVIEW, content_type="image/jpeg", headers={"X-Frigate-Offline": "true"})
        return web.Response(body=CAMERA_ERROR, content_type="image/jpeg")

    # MQTT

    @contextlib.asynccontextmanager
    async def connected(self, host: str, port: int) -> AsyncIterator[None]:
        """Be on the wire while the block runs: available, listening for switches."""
        will = aiomqtt.Will(f"{self.prefix}/available", "offline", retain=True)
        async with aiomqtt.Client(host, port, will=will, identifier=f"sim-frigate-{id(self)}") as client:
            self._client = client
            await client.subscribe(f"{self.prefix}/+/enabled/set")
            await self.say("available", b"online", retain=True)
            for camera in self.cameras:
                await self.say(f"{camera.name}/enabled/state", b"ON" if camera.on else b"OFF", retain=True)
            listening = asyncio.create_task(self._listen(client))
            try:
                yield
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
                if self.version == "0.18":
                    await self.say("available", b"stopped", retain=True)
                self._client = None

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            camera = self.camera(str(message.topic).removeprefix(f"{self.prefix}/").partition("/")[0])
            wish = bytes(message.payload or b"")
            if camera is None or (wish == b"ON" and not camera.in_config):
                continue  # refused, with a line in its log only
            camera.on = wish == b"ON"
            await self.say(f"{camera.name}/enabled/state", wish, retain=True)

    async def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish below the prefix, as Frigate does or as anybody else on the broker might."""
        if self._client is None:
            raise RuntimeError("Frigate is not on the wire")
        await self._client.publish(f"{self.prefix}/{topic}", payload, qos=1, retain=retain)

    async def read(self, plate: str, *, camera: str = "space", age: float = 0.5, **changes: Any) -> None:
        """Say that a plate was read so many seconds ago."""
        message = lpr(plate, camera=camera, at=self.now - age, version=self.version, **changes)
        await self.say("tracked_object_update", message)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.frigate", description=__doc__)
    parser.add_argument("--broker", default="127.0.0.1:1883", metavar="HOST:PORT")
    parser.add_argument("--camera", default="space")
    parser.add_argument("--version", choices=sorted(VERSIONS), default="0.17")
    parser.add_argument("--plate", help="read this plate every two seconds while the camera is on")
    arguments = parser.parse_args()
    frigate = Frigate(version=arguments.version, cameras=[Camera(arguments.camera)])
    host, _, port = arguments.broker.partition(":")
    await frigate.start()
    async with frigate.connected(host, int(port or 1883)):
        print(f"Frigate {VERSIONS[arguments.version]} at {frigate.url}", flush=True)
        for second in range(10**9):
            if second % 60 == 0:
                await frigate.say("stats", frigate.stats())
            if arguments.plate and second % 2 == 0 and frigate.cameras[0].on:
                await frigate.read(arguments.plate, camera=arguments.camera, object_id=str(second))
            await asyncio.sleep(1)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
