"""The record handed out: an action for administrators, what it hides, and its file by a link."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.record.book import Book
from custom_components.parkshare.record.chain import Entry, parse
from custom_components.parkshare.record.cli import main
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.proof import verify
from tests.home.gate_house import PLATE, House, house, reader, things

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py

SPACE = "switch.bay_1_sharing"


async def export(house: House, context: Context | None = None, **data: Any) -> dict[str, Any]:
    found = await house.hass.services.async_call(
        DOMAIN,
        "export_record",
        {"entity_id": SPACE} | data,
        blocking=True,
        return_response=True,
        context=context,
    )
    return json.loads(json.dumps(found))


async def admitted(house: House) -> None:
    await house.park()
    await house.space.record.async_note([Entry(dt_util.utcnow().timestamp(), Kind.CODE, "b2", {"right": True})])
    await house.space.async_done()


def write_otherwise(path: Path) -> None:
    path.write_text(path.read_text().replace('"kind":"boot"', '"kind": "boot"'))


async def test_the_whole_record_comes_with_what_it_takes_to_verify_it(house: House) -> None:
    await admitted(house)
    found = await export(house)
    assert verify(found["lines"], *found["keys"], head=found["head"]).ok
    assert found["keys"] == [house.hub.keys.sign_public]
    assert (found["shown"], found["hidden"]) == (len(found["lines"]), 0)
    assert found["space"] == house.space_id
    assert "plate_key" not in found
    assert PLATE not in json.dumps(found)


async def test_of_a_booking_the_others_are_hidden_and_a_person_can_read_it(house: House) -> None:
    await admitted(house)
    found = await export(house, booking="b1")
    assert verify(found["lines"], *found["keys"], head=found["head"]).ok
    assert found["hidden"] > 0
    assert '"b2"' not in json.dumps(found["lines"])
    assert found["summary"]["arrived"]
    assert "Decision (the plate): let in." in found["text"]
    assert PLATE not in json.dumps(found)


async def test_a_time_hides_what_was_before_and_after(house: House) -> None:
    await admitted(house)
    later = dt_util.utcnow() + timedelta(minutes=1)
    found = await export(house, start=later.isoformat())
    assert found["shown"] == 1
    assert verify(found["lines"], *found["keys"], head=found["head"]).ok
    assert (await export(house, end=later.isoformat()))["hidden"] == 0


async def test_who_knows_the_plate_and_its_key_can_prove_that_it_was_this_car(house: House, tmp_path: Path) -> None:
    await admitted(house)
    found = await export(house, booking="b1", plate_key=True)
    file = tmp_path / "record.jsonl"
    file.write_text("".join(f"{line}\n" for line in found["lines"]))
    check = ["verify", str(file), "--key", found["keys"][0], "--head", found["head"]]
    assert main([*check, "--plate", PLATE.lower(), "--plate-key", found["plate_key"]]) == 0
    assert main([*check, "--plate", "KXY987", "--plate-key", found["plate_key"]]) == 1


async def test_the_file_is_downloaded_by_its_link_and_by_nothing_else(
    house: House, hass_client_no_auth: Callable[..., Any]
) -> None:
    await admitted(house)
    found = await export(house, booking="b1")
    client = await hass_client_no_auth()
    answer = await client.get(found["download"])
    assert answer.status == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="parkshare-record-bay_1.jsonl"'
    assert (await answer.text()).splitlines() == found["lines"]
    path = found["download"].partition("?")[0]
    assert (await client.get(path)).status == 401
    assert (await client.get(f"/api/parkshare/record/other?{found['download'].partition('?')[2]}")).status == 401


async def test_a_link_is_gone_after_some_other_exports(house: House, hass_client: Callable[..., Any]) -> None:
    first = (await export(house))["download"].partition("?")[0]
    client = await hass_client()
    assert (await client.get(first)).status == 200
    for _ in range(4):
        await export(house)
    assert (await client.get(first)).status == 404


async def test_only_administrators_get_it(house: House) -> None:
    user = MockUser(is_owner=False).add_to_hass(house.hass)
    user.mock_policy({})
    with pytest.raises(Unauthorized):
        await export(house, context=Context(user_id=user.id))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"booking": "b9"}, "record_unknown_booking"),
        ({"plate_key": True}, "record_plate_key_needs_booking"),
        ({"entity_id": "lock.bay"}, "no_space"),
    ],
)
async def test_what_cannot_be_exported_is_said_to_be_so(house: House, data: dict[str, Any], error: str) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await export(house, **data)
    assert refused.value.translation_key == error


async def test_a_disk_that_cannot_be_read_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Book) -> list[str]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Book, "lines", broken)
    with pytest.raises(HomeAssistantError) as refused:
        await export(house)
    assert refused.value.translation_placeholders == {"error": "Input/output error"}


async def test_a_file_that_somebody_changed_meanwhile_is_said_to_be_changed(house: House) -> None:
    await admitted(house)
    write_otherwise(Path(house.hass.config.path(".storage", f"parkshare.record.{house.space_id}.jsonl")))
    with pytest.raises(HomeAssistantError) as refused:
        await export(house)
    assert refused.value.translation_key == "record_changed"


async def test_a_report_of_a_departure_names_the_head_of_the_record(house: House) -> None:
    await house.park()
    house.sensors("off")
    await house.until(lambda: house.told("stay.left"))
    found = await export(house)
    head = house.told("stay.left")[0]["record"]
    assert verify(found["lines"], *found["keys"], head=head).ok
    told = next(parse(line) for line in found["lines"] if str(parse(line).head) == head)
    left = next(parse(line) for line in found["lines"] if parse(line).kind == Kind.LEFT)
    assert told.seq >= left.seq
    assert house.space.gate.phase is not w.Phase.PARKED


async def test_the_action_speaks_the_language_of_the_house(hass: HomeAssistant, house: House) -> None:
    hass.config.language = "de"
    await admitted(house)
    assert "Entscheidung (das Kennzeichen): einlassen." in (await export(house, booking="b1"))["text"]
