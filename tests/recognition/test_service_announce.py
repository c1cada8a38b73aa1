"""The reader service as a Home Assistant app: its options, its token, and how the Supervisor hears of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from custom_components.parkshare.recognition import service_main
from custom_components.parkshare.recognition.service_announce import tell_supervisor
from custom_components.parkshare.recognition.service_main import _app_arguments, _parser, _token


class Supervisor:
    """The part of the Supervisor that apps tell of themselves; at first it is not ready."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.refusals = 2
        self.url = ""

    async def discovery(self, request: web.Request) -> web.Response:
        if self.refusals:
            self.refusals -= 1
            return web.json_response({"result": "error"}, status=503)
        self.told.append((request.headers["Authorization"], await request.json()))
        return web.json_response({"result": "ok", "data": {"uuid": "1234"}})


@pytest.fixture
async def supervisor(socket_enabled: None) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor()
    app = web.Application()
    app.router.add_post("/discovery", supervisor.discovery)
    server = TestServer(app)
    await server.start_server()
    supervisor.url = str(server.make_url("")).rstrip("/")
    yield supervisor
    await server.close()


async def test_the_supervisor_is_told_as_soon_as_it_listens(supervisor: Supervisor) -> None:
    config = {"host": "reader", "port": 8733, "token": "t", "id": "i"}
    assert await tell_supervisor("its token", config, supervisor=supervisor.url, pause=0.01)
    assert supervisor.told == [("Bearer its token", {"service": "parkshare", "config": config})]


async def test_a_supervisor_that_never_listens_costs_nothing_else(socket_enabled: None) -> None:
    assert not await tell_supervisor("its token", {}, supervisor="http://127.0.0.1:9", pause=0.01)


def test_what_the_user_of_the_app_chose_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {"reader": "fast-plate-ocr", "ocr": "/share/my.onnx", "ocr_config": "/share/my.yaml", "detector": "none"}
    (tmp_path / "options.json").write_text(json.dumps(chosen))
    monkeypatch.setattr(service_main, "APP_OPTIONS", tmp_path / "options.json")
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    assert _app_arguments() == []  # not an app: the file is somebody else's
    monkeypatch.setenv("SUPERVISOR_TOKEN", "x")
    options = vars(_parser().parse_args(_app_arguments()))
    assert {name: options[name] for name in chosen} == chosen
    (tmp_path / "options.json").write_text('{"reader": "embedded"}')
    assert _parser().parse_args(_app_arguments()).reader == "embedded"


def test_a_token_is_made_once_and_shown_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "deeper" / "token"
    token = _token(file)
    assert token in capsys.readouterr().out
    assert _token(file) == token
    assert capsys.readouterr().out == ""
    assert file.stat().st_mode & 0o077 == 0
