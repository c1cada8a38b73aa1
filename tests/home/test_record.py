"""What happens at a space is written down at the house, signed, without a plate."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.record.chain import Sealed, parse
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.proof import verify
from custom_components.parkshare.record.thrift import AT_ONCE
from tests.home.gate_house import MAGNETIC, PLATE, RADAR, House, house, reader, things

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py


def path_of(house: House) -> Path:
    return Path(house.hass.config.path(".storage", f"parkshare.record.{house.space_id}.jsonl"))


def lines_of(house: House) -> list[str]:
    return path_of(house).read_text().removesuffix("\n").split("\n")


def key_of(house: House) -> str:
    return house.hub.keys.sign_public


async def written(house: House) -> list[Sealed]:
    """What is on disk when everything that happened is."""
    await house.hass.async_block_till_done()
    await house.space.async_done()
    assert verify(lines_of(house), key_of(house), head=house.space.record.head).ok
    return [parse(line) for line in lines_of(house)]


def of(kind: Kind, entries: list[Sealed]) -> list[Any]:
    return [entry.d for entry in entries if entry.kind == kind]


async def leave(house: House) -> None:
    house.sensors("off")
    await house.until(lambda: house.space.gate.phase is w.Phase.WARNING)
    house.sensors("off", RADAR)
    house.hass.states.async_set(RADAR, "off", force_update=True)
    house.hass.states.async_set(MAGNETIC, "off", force_update=True)
    await house.until(lambda: house.space.gate.phase is w.Phase.IDLE)


async def test_a_stay_leaves_a_record_that_can_be_verified_and_names_no_plate(house: House) -> None:
    await house.park()
    await leave(house)
    entries = await written(house)
    assert entries[0].kind == Kind.START
    assert [entry.kind for entry in entries].count(Kind.BOOT) == 1
    (decision,) = of(Kind.DECISION, entries)
    assert (decision["decision"], decision["by"]) == ("admit", "plate")
    assert decision["readers"] == ["fake"]
    assert decision["looks"] >= decision["agreeing"] >= 1
    assert decision["contrary"] == 0
    down, up = of(Kind.COMMAND, entries)
    assert (down["target"], down["cause"], up["target"], up["cause"]) == ("down", "plate", "up", "clear")
    assert [d["command"] for d in of(Kind.BARRIER, entries) if d["is"] in {"down", "up"} and "command" in d] == [
        down["number"],
        up["number"],
    ]
    (arrived,), (left,) = of(Kind.ARRIVED, entries), of(Kind.LEFT, entries)
    assert [sensor["source"] for sensor in arrived["sensors"] if sensor["says"] == "occupied"] == [RADAR]
    assert all(sensor["says"] == "clear" and sensor["looked"] for sensor in left["sensors"])
    assert {entry.booking for entry in entries} == {None, "b1"}
    assert PLATE not in path_of(house).read_text()


async def test_what_is_done_is_on_disk_before_it_is_done(house: House) -> None:
    found: list[list[Any]] = []
    unlock = house.lock.async_unlock

    async def look_first(**kwargs: Any) -> None:
        found.append(of(Kind.COMMAND, [parse(line) for line in lines_of(house)]))
        await unlock(**kwargs)

    house.lock.async_unlock = look_first
    await house.park()
    assert [command["target"] for command in found[0]] == ["down"]


async def test_the_owners_answer_names_the_user_and_a_restart_goes_on_with_the_chain(
    house: House, hass: HomeAssistant
) -> None:
    user = await hass.auth.async_create_user("Olga")
    await house.space.async_let_in_now(by=user.id)
    before = await written(house)
    assert of(Kind.ANSWER, before) == [{"answer": "let_in", "user": user.id}]
    await house.restart()
    after = await written(house)
    assert after[: len(before)] == before
    assert [entry.kind for entry in after].count(Kind.START) == 1
    assert [entry.kind for entry in after].count(Kind.BOOT) == 2


async def test_a_barrier_moved_by_hand_is_recorded_as_no_command_of_ours(house: House) -> None:
    house.lock.ends(up=False)
    await house.until(lambda: house.space.gate.by_hand)
    entries = await written(house)
    assert of(Kind.COMMAND, entries) == []
    moved = next(d for d in of(Kind.BARRIER, entries) if d["is"] == "down")
    assert "command" not in moved
    assert moved["hand"] == {"kind": "device", "user": None}


async def test_a_sensor_that_flaps_is_counted_and_does_not_fill_the_disk(house: House) -> None:
    # However slow the machine is: it never stays clear for long enough to have left.
    house.space.policy = replace(house.space.policy, departure_debounce=3600.0)
    await house.park()
    flaps = 60
    for _ in range(flaps):
        house.sensors("off")
        await house.hass.async_block_till_done()
        house.sensors("on")
        await house.hass.async_block_till_done()
    await house.restart()
    entries = await written(house)
    names = [d["name"] for d in of(Kind.TRANSITION, entries)]
    assert names.count("BAY_CLEAR") == names.count("NOT_CLEAR") == AT_ONCE
    counted = {d["name"]: d["times"] for d in of(Kind.REPEATED, entries)}
    assert counted == {"BAY_CLEAR": flaps - AT_ONCE, "NOT_CLEAR": flaps - AT_ONCE}


async def test_the_permissions_of_the_record_are_those_of_a_secret(house: House) -> None:
    await written(house)
    assert path_of(house).stat().st_mode & 0o777 == 0o600


async def test_with_the_account_its_records_go(house: House) -> None:
    await written(house)
    await house.hass.config_entries.async_remove(house.entry.entry_id)
    assert list(path_of(house).parent.glob("*record*")) == []


async def test_what_is_recorded_is_in_no_state(house: House) -> None:
    await house.park()
    entries = await written(house)
    states = json.dumps([state.as_dict() for state in house.hass.states.async_all()], default=str)
    assert not [entry.hash for entry in entries if entry.hash in states]


async def test_a_quiet_space_writes_nothing(house: House) -> None:
    before = await written(house)
    for _ in range(20):
        house.hass.states.async_set(RADAR, "off", force_update=True)
        await house.hass.async_block_till_done()
    assert await written(house) == before
