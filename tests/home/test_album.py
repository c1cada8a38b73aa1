"""The pictures that a house keeps for the owner: at home only, readable by nobody else, and gone after their time."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.parkshare.seeing.album import FOLDER, Album, Kept, async_remove_album
from tests.home.conftest import MakeEntry, SetUp
from tests.home.support import space_data

JPEG = b"\xff\xd8\xff\xe0 a picture"
PNG = b"\x89PNG another picture"
SPACE = "0190-space"
LOOK = "image.bay_1_last_look"


def files(hass: HomeAssistant) -> list[Path]:
    return sorted(Path(hass.config.cache_path(FOLDER)).glob("*"))


async def passes(hass: HomeAssistant, freezer: FrozenDateTimeFactory, hours: float) -> None:
    freezer.tick(timedelta(hours=hours))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


@pytest.fixture
async def album(hass: HomeAssistant) -> Album:
    album = Album(hass, SPACE)
    await album.async_load()
    yield album
    album.stop()


async def test_a_picture_is_kept_for_home_assistants_user_alone(hass: HomeAssistant, album: Album) -> None:
    assert await album.async_keep(Kept.LAST, JPEG, time.time())
    (file,) = files(hass)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert await album.async_content(Kept.LAST) == JPEG
    assert album.kept(Kept.LAST).content_type == "image/jpeg"
    assert album.kept(Kept.TEST) is None


async def test_a_newer_picture_takes_the_place_of_its_kind_only(hass: HomeAssistant, album: Album) -> None:
    now = int(time.time())
    await album.async_keep(Kept.TEST, JPEG, now)
    await album.async_keep(Kept.LAST, JPEG, now)
    await album.async_keep(Kept.LAST, PNG, now + 5)
    assert len(files(hass)) == 2
    assert (album.kept(Kept.LAST).content_type, album.kept(Kept.LAST).at) == ("image/png", now + 5)
    assert await album.async_content(Kept.LAST) == PNG


async def test_what_is_no_picture_is_not_kept(hass: HomeAssistant, album: Album) -> None:
    assert not await album.async_keep(Kept.LAST, b"<html>503</html>", time.time())
    assert files(hass) == []


async def test_no_hours_keep_nothing_and_delete_what_was_kept(hass: HomeAssistant, album: Album) -> None:
    await album.async_keep(Kept.LAST, JPEG, time.time())
    none = Album(hass, SPACE, hours=0)
    await none.async_load()
    assert files(hass) == []
    assert not await none.async_keep(Kept.LAST, JPEG, time.time())
    assert files(hass) == []


async def test_after_its_time_a_picture_is_deleted(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, album: Album
) -> None:
    changes: list[None] = []
    await album.async_keep(Kept.LAST, JPEG, time.time())
    await passes(hass, freezer, 1)
    await album.async_keep(Kept.TEST, JPEG, time.time())
    album.async_add_listener(lambda: changes.append(None))
    await passes(hass, freezer, 23.1)
    assert album.kept(Kept.LAST) is None
    assert await album.async_content(Kept.LAST) is None
    assert album.kept(Kept.TEST)
    assert len(files(hass)) == len(changes) == 1
    await passes(hass, freezer, 1)
    assert files(hass) == []


@pytest.mark.parametrize(("asleep", "then", "left"), [(20, 3, 1), (20, 4.1, 0), (30, 0, 0)])
async def test_a_restart_does_not_make_a_picture_young_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, album: Album, asleep: float, then: float, left: int
) -> None:
    await album.async_keep(Kept.LAST, JPEG, time.time())
    album.stop()
    freezer.tick(timedelta(hours=asleep))
    restarted = Album(hass, SPACE)
    await restarted.async_load()
    await passes(hass, freezer, then)
    assert len(files(hass)) == left
    restarted.stop()


async def test_a_clock_that_was_set_back_keeps_no_picture_for_ever(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, album: Album
) -> None:
    await album.async_keep(Kept.LAST, JPEG, time.time() + 10 * 86_400)
    await passes(hass, freezer, 24.1)
    assert files(hass) == []


async def test_what_a_power_cut_left_half_written_is_cleared_away(hass: HomeAssistant, album: Album) -> None:
    await album.async_keep(Kept.LAST, JPEG, time.time())
    kept = files(hass)[0]
    (kept.parent / f"{SPACE}.last_look.99.unfinished").write_bytes(b"\xff\xd8")
    (kept.parent / f"{SPACE}.last_look.1000.jpg").write_bytes(JPEG)
    (kept.parent / "another-space.last_look.1000.jpg").write_bytes(JPEG)
    restarted = Album(hass, SPACE)
    await restarted.async_load()
    restarted.stop()
    assert [file.name.partition(".")[0] for file in files(hass)] == [SPACE, "another-space"]
    assert restarted.kept(Kept.LAST).path == kept


async def test_a_full_disk_costs_the_picture_and_nothing_else(hass: HomeAssistant, album: Album) -> None:
    folder = Path(hass.config.cache_path(FOLDER))
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")  # noqa: ASYNC240 - a test's own disk
    assert not await album.async_keep(Kept.LAST, JPEG, time.time())
    assert album.kept(Kept.LAST) is None


async def test_what_could_not_be_written_to_its_end_is_not_left_there(hass: HomeAssistant, album: Album) -> None:
    with patch("custom_components.parkshare.seeing.album.os.fsync", side_effect=OSError(28, "No space left on device")):
        assert not await album.async_keep(Kept.LAST, JPEG, time.time())
    assert files(hass) == []


async def test_a_folder_that_cannot_be_read_costs_the_pictures_and_nothing_else(hass: HomeAssistant) -> None:
    (Path(hass.config.cache_path(FOLDER)) / f"{SPACE}.a folder of somebody").mkdir(parents=True)
    album = Album(hass, SPACE)
    await album.async_load()
    assert album.kept(Kept.LAST) is None


async def test_a_picture_that_comes_when_the_album_is_shut_starts_no_timer(hass: HomeAssistant) -> None:
    album = Album(hass, SPACE)
    album.stop()
    assert await album.async_keep(Kept.LAST, JPEG, time.time())
    # A timer that is left behind fails every test of Home Assistant.


async def test_a_space_that_is_gone_takes_its_pictures_along(hass: HomeAssistant, album: Album) -> None:
    await album.async_keep(Kept.LAST, JPEG, time.time())
    await Album(hass, "other").async_keep(Kept.LAST, JPEG, time.time() - 86_400)
    await async_remove_album(hass, SPACE)
    assert files(hass) == []


# In a running Home Assistant


@pytest.fixture
async def house(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp) -> Any:
    return await set_up(make_entry(spaces=(space_data(picture_hours=2),)))


async def test_the_owner_sees_the_picture_and_a_stranger_does_not(
    hass: HomeAssistant,
    house: Any,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    (runtime,) = house.spaces.values()
    assert hass.states.get(LOOK).state == "unknown"
    assert hass.states.get("image.bay_1_camera_test").state == "unknown"
    taken_at = int(time.time())
    await runtime.album.async_keep(Kept.LAST, JPEG, taken_at)
    state = hass.states.get(LOOK)
    assert state.state == datetime.fromtimestamp(taken_at, UTC).isoformat()
    answer = await (await hass_client()).get(f"/api/image_proxy/{LOOK}")
    assert (await answer.read(), answer.content_type) == (JPEG, "image/jpeg")
    stranger = await hass_client_no_auth()
    assert (await stranger.get(f"/api/image_proxy/{LOOK}")).status == 403
    assert (await stranger.get(state.attributes["entity_picture"])).status == 200
    told = repr({key: value for key, value in state.attributes.items() if key != "entity_picture"})
    assert str(files(hass)[0]) not in repr(state.as_dict())
    assert "/api" not in told


async def test_the_picture_is_there_after_a_restart_and_goes_with_its_space(
    hass: HomeAssistant, house: Any, hass_client: ClientSessionGenerator
) -> None:
    (runtime,) = house.spaces.values()
    await runtime.album.async_keep(Kept.LAST, PNG, time.time())
    shown = hass.states.get(LOOK).state
    assert await hass.config_entries.async_reload(house.entry.entry_id)
    assert hass.states.get(LOOK).state == shown
    assert await (await (await hass_client()).get(f"/api/image_proxy/{LOOK}")).read() == PNG
    hass.config_entries.async_remove_subentry(house.entry, next(iter(house.entry.subentries)))
    await hass.async_block_till_done()
    assert files(hass) == []


async def test_the_pictures_go_with_the_integration(hass: HomeAssistant, house: Any) -> None:
    (runtime,) = house.spaces.values()
    await runtime.album.async_keep(Kept.TEST, PNG, time.time())
    await hass.config_entries.async_remove(house.entry.entry_id)
    await hass.async_block_till_done()
    assert files(hass) == []


async def test_after_the_hours_that_the_owner_chose_the_entity_shows_nothing(
    hass: HomeAssistant, house: Any, freezer: FrozenDateTimeFactory
) -> None:
    (runtime,) = house.spaces.values()
    await runtime.album.async_keep(Kept.LAST, JPEG, time.time())
    assert hass.states.get(LOOK).state != "unknown"
    await passes(hass, freezer, 2.1)
    assert hass.states.get(LOOK).state == "unknown"
