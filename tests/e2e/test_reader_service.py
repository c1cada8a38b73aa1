"""A reader service in the network: Home Assistant finds it, its owner confirms it, and a booked car is read by it.

A world of its own with one house: this Home Assistant listens for announcements. Takes 60 to 90 s.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulators.barrier import Position
from tests.simulators.car import Car
from tests.simulators.reader_service import ReaderService

from .conftest import Stage, staged
from .left_behind import find_plates
from .story import until

pytestmark = pytest.mark.e2e

FOUND_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One linked house whose Home Assistant listens in the local network."""
    with staged(Path(tmp_path_factory.mktemp("reader-world"))) as stage:
        configuration = stage.world.home.folder / "configuration.yaml"
        configuration.write_text(configuration.read_text() + "zeroconf:\n")
        stage.do(stage.world.start(), within=180)
        stage.do(stage.world.link(stage.world.olivia), within=60)
        yield stage


@pytest.fixture(scope="module")
def service(house: Stage) -> Iterator[ReaderService]:
    """A running reader service that announces itself."""
    folder = house.world.folder / "reader"
    service = ReaderService(folder, log=house.world.log_folder / "reader.log")
    house.world.logs.append(service.process.log)
    house.do(service.start())
    yield service
    service.stop()


async def found(stage: Stage) -> dict[str, Any]:
    """Wait until Home Assistant shows a found reader, as its page of integrations does."""
    api = stage.world.home.api
    deadline = time.monotonic() + FOUND_WITHIN_S
    while time.monotonic() < deadline:
        for flow in await api.ask("config_entries/flow/progress"):
            if flow["handler"] == "parkshare" and flow["step_id"] == "reader_confirm":
                return dict(flow)
        await asyncio.sleep(0.2)
    raise TimeoutError(f"No reader was found within {FOUND_WITHIN_S:.0f} s")


async def confirm(stage: Stage, flow: dict[str, Any], token: str) -> dict[str, Any]:
    """Open the found reader and enter its token, leaving the rest as it is suggested."""
    api, path = stage.world.home.api, f"/api/config/config_entries/flow/{flow['flow_id']}"
    form = await api.call("GET", path)
    suggested = {field["name"]: field.get("description", {}).get("suggested_value") for field in form["data_schema"]}
    answers = {"service_url": suggested["service_url"], "service_token": token, "together": False}
    done: dict[str, Any] = await api.call("POST", path, answers)
    return done


async def visit(stage: Stage) -> None:
    """Book, drive up, be let in, and drive away again."""
    world, lock = stage.world, stage.world.olivia.lock
    booking = await world.book(world.olivia)
    car = Car(world.renter.plate)
    await car.drive_up(lock)
    await world.renter.here(booking)
    await until(lambda: lock.barrier.position is Position.DOWN, "the lock did not go down", within=60)
    await car.park(lock, patience=20)
    await world.renter.booking_in_state(booking, "active", within=20)
    await car.leave(lock)
    for sensor in ("radar", "magnetic"):
        await world.home.api.seen(lock.entity(sensor), lambda change: change.state == "off")
    await world.press(world.olivia, "raise")
    await until(lambda: lock.barrier.position is Position.UP, "the barrier did not rise", within=20)
    await world.renter.booking_in_state(booking, "fulfilled", within=40)


async def repairs(stage: Stage) -> list[str]:
    """What Home Assistant shows to repair."""
    issues = (await stage.world.home.api.ask("repairs/list_issues"))["issues"]
    return [issue["translation_key"] for issue in issues]


def test_a_reader_in_the_network_is_found_confirmed_and_reads_the_booked_car(
    house: Stage, service: ReaderService
) -> None:
    flow = house.do(found(house), within=60)
    assert house.do(service.reads()) == 0
    assert house.do(confirm(house, flow, "not the token of it"))["errors"] == {"service_token": "reader_wrong_token"}
    done = house.do(confirm(house, flow, service.token))
    assert (done["type"], done["reason"]) == ("abort", "reader_chosen")
    house.do(visit(house), within=120)
    assert (house.do(service.reads()) or 0) > 0
    known = house.do(house.world.home.api.call("GET", f"/api/diagnostics/config_entry/{house.world.olivia.entry}"))
    assert known["data"]["reader"] == "service"
    assert "reader_fallback" not in house.do(repairs(house))
    assert house.do(find_plates(house.world, [house.world.renter.plate])) == []


def test_when_the_reader_is_gone_the_built_in_one_reads_and_the_owner_is_told(
    house: Stage, service: ReaderService
) -> None:
    service.kill()
    house.do(visit(house), within=120)
    assert house.do(repairs(house)).count("reader_fallback") == 1
