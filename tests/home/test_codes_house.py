"""Codes at a running house: through its actions, from the backend, on its display, and what stays of them."""

import asyncio
import json
import logging
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockUser, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

import custom_components.parkshare as integration
from custom_components.parkshare.codes.drawing import draw_code, draw_nothing
from custom_components.parkshare.codes.rotating import PERIOD, shown_codes
from custom_components.parkshare.codes.space_codes import Why
from custom_components.parkshare.codes.tries import MOST, WITHIN
from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.diagnostics import async_get_config_entry_diagnostics
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.intake import MOST_AT_WORK
from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.thrift import AT_ONCE
from tests.home.gate_house import House, house, reader, things
from tests.home.house_facts import files, on_disk

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py

SPACE = "switch.bay_1_sharing"
PICTURE = "image.bay_1_on_site_code"
KEY = "AAECAwQFBgcICQoLDA0ODw"
NOTICES = "persistent_notification"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Real files, not the harness's stand-in: what is deleted has to be gone from the disk."""
    return {}


async def booked(
    house: House, *, starts_in: float = -60.0, lasts: float = 3600.0, booking: str = "b1", code_key: str = ""
) -> Grant:
    start = time.time() + starts_in
    grant = Grant(
        booking=booking, space=house.space_id, start=start, end=start + lasts, plate="AB123", code_key=code_key
    )
    await house.hub.grants.async_put(grant)
    await house.space.async_grants_changed()
    return grant


async def shown(house: House, *, by: Context | None = None) -> dict[str, Any]:
    """Ask for the code at the space, as an administrator."""
    return await house.hass.services.async_call(
        DOMAIN, "onsite_code", {"entity_id": SPACE}, blocking=True, return_response=True, context=by
    )


async def enter(house: House, code: str) -> None:
    await house.hass.services.async_call(DOMAIN, "enter_code", {"entity_id": SPACE, "code": code}, blocking=True)


async def wrong(house: House, code: str = "") -> str:
    """Enter a wrong code; gives why it opens nothing."""
    code = code or f"{(int((await shown(house))['code']) + 500_000) % 1_000_000:06d}"
    with pytest.raises(ServiceValidationError) as refused:
        await enter(house, code)
    return refused.value.translation_key


async def typed(house: House, code: str, *, booking: str = "b1", ago: float = 0.0, space: str = "") -> None:
    """Type a code in the web app; the backend passes it on."""
    d = {"booking": booking, "space": space or house.space_id, "code": code, "at": format_time(time.time() - ago)}
    house.hub.on_hint("renter.code", d)
    await house.hass.async_block_till_done()


def checks(house: House) -> list[tuple[bool, int]]:
    return [(d["right"], d["tries_left"]) for d in house.told("code.checked")]


def says(text: str, private: str) -> bool:
    """Tell whether a text holds a private word; six digits may also be part of a time or of an id."""
    return re.search(rf"(?<![\w.]){re.escape(private)}(?!\w)", text) is not None


def stored(house: House, name: str) -> Path:
    """A file of ours; what is on disk while the house is stopped."""
    return Path(house.hass.config.path(".storage", f"{DOMAIN}.{name}"))


def codes_file(house: House) -> Path:
    return stored(house, f"codes.{house.space_id}")


# At the space


async def test_the_code_at_the_space_opens_for_whoever_types_it_there(house: House) -> None:
    await booked(house)
    said = await shown(house)
    assert 0 < datetime.fromisoformat(said["valid_until"]).timestamp() - time.time() <= 2 * PERIOD
    await enter(house, f"{said['code'][:3]} {said['code'][3:]}")
    await house.until(lambda: house.lock.calls == ["down"])
    assert checks(house) == [(True, MOST)]
    assert [(d["decision"], d["by"]) for d in house.told("admission.decided")] == [("admit", "code")]


async def test_what_the_renter_shows_opens_when_it_is_typed_at_the_space_but_not_from_afar(house: House) -> None:
    grant = await booked(house, code_key=KEY)
    code = shown_codes(grant, time.time())[0]
    await typed(house, code)
    assert (house.lock.calls, checks(house)) == ([], [(False, MOST - 1)])
    await enter(house, code)
    await house.until(lambda: house.lock.calls == ["down"])


async def test_a_wrong_code_opens_nothing_and_says_how_many_tries_are_left(house: House) -> None:
    await booked(house)
    with pytest.raises(ServiceValidationError) as refused:
        await enter(house, "nonsense")
    assert refused.value.translation_placeholders["tries_left"] == "4"
    assert await wrong(house) == "code_wrong"
    assert house.lock.calls == []
    assert checks(house) == [(False, 4), (False, 3)]


async def test_after_five_wrong_codes_a_right_one_opens_nothing_either_and_the_owner_hears_of_it_once(
    house: House, freezer: FrozenDateTimeFactory
) -> None:
    freezer.tick()  # the clock stands still from here on
    await booked(house)
    assert [await wrong(house) for _ in range(MOST)] == ["code_wrong"] * MOST
    notice = house.hass.data[NOTICES][f"{DOMAIN}_{house.space_id}_codes_guessed"]
    assert "Bay 1" in notice["message"]
    house.hass.data[NOTICES].clear()
    assert await wrong(house, (await shown(house))["code"]) == "code_no_tries"
    assert (house.lock.calls, house.hass.data[NOTICES]) == ([], {})
    freezer.tick(WITHIN)
    await enter(house, (await shown(house))["code"])
    await house.until(lambda: house.lock.calls == ["down"])


async def test_codes_that_come_all_at_once_are_counted_like_others(house: House) -> None:
    grant = await booked(house)
    given = [house.space.codes.async_check(grant, "nonsense", time.time(), on_site=True) for _ in range(20)]
    came_of = [check.why for check in await asyncio.gather(*given)]
    assert sorted(came_of) == [Why.NO_TRIES] * (20 - MOST) + [Why.WRONG] * MOST


async def test_a_code_opens_and_wrong_ones_count_where_the_disk_is_full(house: House) -> None:
    await booked(house)
    with patch.object(DurableStore, "async_save", side_effect=NotStoredError("full")):
        assert [await wrong(house) for _ in range(MOST - 1)] == ["code_wrong"] * (MOST - 1)
        await enter(house, (await shown(house))["code"])
        await house.until(lambda: house.lock.calls == ["down"])
    assert checks(house)[-1] == (True, 1)


async def test_a_restart_keeps_the_code_and_the_tries(house: House, freezer: FrozenDateTimeFactory) -> None:
    freezer.tick()
    await booked(house)
    code = await shown(house)
    await wrong(house)
    await wrong(house)
    await house.restart()
    assert await shown(house) == code
    await wrong(house)
    assert checks(house)[-1] == (False, MOST - 3)


async def test_each_space_and_each_house_has_a_secret_of_its_own(house: House) -> None:
    await shown(house)
    secret = on_disk(house.hass, f"codes.{house.space_id}")["secret"]
    assert len(secret) == 32
    file = codes_file(house)
    assert file.stat().st_mode & 0o077 == 0
    file.unlink()
    await house.restart()
    await shown(house)
    assert on_disk(house.hass, f"codes.{house.space_id}")["secret"] != secret


@pytest.mark.parametrize("content", ['{"secret": 7, "tries": []}', '{"secret": "not base32!"}', "[]", "torn"])
async def test_codes_that_cannot_be_read_from_disk_start_anew(house: House, content: str) -> None:
    file = codes_file(house)
    if content != "torn":
        content = f'{{"version": 1, "minor_version": 1, "key": "k", "data": {content}}}'
    file.write_text(content)
    await booked(house)
    await enter(house, (await shown(house))["code"])
    await house.until(lambda: house.lock.calls == ["down"])


async def test_a_code_without_a_booking_opens_nothing_and_counts_for_nobody(house: House) -> None:
    assert await wrong(house) == "code_no_booking"
    await booked(house, starts_in=300.0)
    assert await wrong(house, (await shown(house))["code"]) == "code_no_booking"
    assert (house.lock.calls, checks(house)) == ([], [])


async def test_no_code_opens_for_a_car_that_the_owner_has_refused(house: House) -> None:
    await booked(house)
    house.camera.plate = "KXY987"
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.LOOKING)
    await house.space.async_refuse("b1")
    code = (await shown(house))["code"]
    assert await wrong(house, code) == "code_barred"
    await typed(house, code)
    assert (house.lock.calls, checks(house)) == ([], [(False, 0), (False, 0)])


async def test_only_an_administrator_is_told_the_code(house: House, hass_read_only_user: MockUser) -> None:
    with pytest.raises(Unauthorized):
        await shown(house, by=Context(user_id=hass_read_only_user.id))


def test_whatever_becomes_of_a_code_has_words() -> None:
    texts = Path(integration.__file__).parent / "translations"
    for file in texts.glob("*.json"):
        said = json.loads(file.read_text())["exceptions"]
        assert {f"code_{why}" for why in Why} - {"code_right"} | {"code_no_booking"} <= said.keys()


# In the web app


async def test_a_code_that_the_renter_types_in_the_web_app_opens(house: House) -> None:
    await booked(house)
    await typed(house, (await shown(house))["code"])
    await house.until(lambda: house.lock.calls == ["down"])
    assert checks(house) == [(True, MOST)]
    assert house.told("code.checked")[0]["booking"] == "b1"


@pytest.mark.parametrize("ago", [-3600.0, 3600.0], ids=["backend ahead", "backend behind"])
async def test_a_backend_whose_clock_is_wrong_keeps_no_renter_out(house: House, ago: float) -> None:
    await booked(house)
    await typed(house, (await shown(house))["code"], ago=ago)
    await house.until(lambda: house.lock.calls == ["down"])


async def test_a_code_before_its_period_opens_nothing_and_is_answered(house: House) -> None:
    await booked(house)
    await booked(house, booking="b2", starts_in=3600.0)
    await typed(house, (await shown(house))["code"], booking="b2")
    assert (house.lock.calls, checks(house)) == ([], [(False, MOST)])


@pytest.mark.parametrize(
    "meant", [{"booking": "unknown"}, {"space": "elsewhere"}], ids=["not granted", "another space"]
)
async def test_a_code_that_is_not_for_this_space_is_ignored_with_a_line_in_the_log(
    house: House, meant: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await booked(house)
    code = (await shown(house))["code"]
    with caplog.at_level(logging.INFO):
        await typed(house, code, **meant)
    assert (house.lock.calls, checks(house)) == ([], [])
    assert "is ignored" in caplog.text
    assert not says(caplog.text, code)


@pytest.mark.parametrize(
    "changed", [{"code": None}, {"code": 482913}, {"code": "4" * 33}, {"at": "now"}, {"booking": ""}]
)
async def test_a_word_of_the_backend_that_is_no_code_changes_nothing(
    house: House, changed: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await booked(house)
    said = {"booking": "b1", "space": house.space_id, "code": "482913", "at": format_time(time.time())}
    house.hub.on_hint("renter.code", said | changed)
    house.hub.on_hint("something.new", {})
    await house.hass.async_block_till_done()
    assert checks(house) == []
    assert "renter.code that cannot be used" in caplog.text
    assert "482913" not in caplog.text


async def test_a_backend_that_repeats_a_code_without_end_fills_neither_the_record_nor_the_memory(house: House) -> None:
    grant = await booked(house)
    for _ in range(3):
        for _ in range(100):
            house.hub.on_hint(
                "renter.code",
                {
                    "booking": grant.booking,
                    "space": house.space_id,
                    "code": "nonsense",
                    "at": format_time(time.time()),
                },
            )
        await house.hass.async_block_till_done()
    assert MOST < len(checks(house)) <= 3 * MOST_AT_WORK
    tried = [entry for entry in (await house.space.record.async_export()).entries if entry.kind == Kind.CODE]
    assert len(tried) == AT_ONCE


# On the display


async def picture(client: Any) -> bytes:
    answer = await client.get(f"/api/image_proxy/{PICTURE}")
    assert (answer.status, answer.content_type) == (200, "image/png")
    return await answer.read()


async def at(house: House, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(house.hass)
    await house.hass.async_block_till_done()


async def expected(house: House) -> bytes:
    code = await house.space.codes.async_onsite(time.time())
    until = dt_util.as_local(dt_util.utc_from_timestamp(code.valid_until))
    return draw_code(code.code, f"{until:%H:%M}")


async def test_the_display_shows_the_code_only_while_a_booking_is_due(
    house: House, hass_client: ClientSessionGenerator, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to(datetime.fromtimestamp((time.time() // PERIOD + 1) * PERIOD + 10, dt_util.UTC))
    client = await hass_client()
    assert await picture(client) == draw_nothing()
    await booked(house, starts_in=120.0, lasts=200.0)
    times = [house.state(PICTURE)]
    assert await picture(client) == draw_nothing()
    seen = []
    for passed in (61.0, PERIOD, PERIOD):
        await at(house, freezer, passed)
        times.append(house.state(PICTURE))
        seen.append(await picture(client))
        assert seen[-1] == await expected(house)
    assert len(set(seen)) == 3
    assert times == sorted(set(times)), "each picture is a new one for who follows the entity"
    await at(house, freezer, 200.0)
    assert await picture(client) == draw_nothing()
    assert house.state(PICTURE) > times[-1]


async def test_the_state_of_the_display_is_written_for_a_new_picture_only(house: House) -> None:
    before = house.hass.states.get(PICTURE)
    house.sensors("on")
    await house.hass.async_block_till_done()
    await house.here()
    assert house.hass.states.get(PICTURE) is before


async def test_a_code_is_in_no_state_no_log_no_report_and_no_diagnostics(
    house: House, hass_client: ClientSessionGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="custom_components.parkshare")
    grant = await booked(house, code_key=KEY)
    client = await hass_client()
    await picture(client)
    said = await shown(house)
    mine = shown_codes(grant, time.time())
    await typed(house, mine[0])
    await typed(house, said["code"])
    await house.until(lambda: house.lock.calls == ["down"])
    secret = on_disk(house.hass, f"codes.{house.space_id}")["secret"]
    told = [
        caplog.text,
        repr([state.as_dict() for state in house.hass.states.async_all()]),
        repr(house.reports),
        repr(await async_get_config_entry_diagnostics(house.hass, house.entry)),
        repr(house.hass.data[NOTICES]),
    ]
    for private in (said["code"], *mine, secret, KEY):
        assert [text for text in told if says(text, private)] == []


# What stays


async def test_the_secret_goes_with_its_space(house: House) -> None:
    await shown(house)
    assert [file for file in files(house.hass) if "codes" in file.name]
    house.hass.config_entries.async_remove_subentry(house.entry, next(iter(house.entry.subentries)))
    await house.hass.async_block_till_done()
    assert [file for file in files(house.hass) if "codes" in file.name] == []


async def test_the_secret_goes_with_the_integration(house: House) -> None:
    await shown(house)
    await house.hass.config_entries.async_remove(house.entry.entry_id)
    await house.hass.async_block_till_done()
    assert [file for file in files(house.hass) if "codes" in file.name] == []


async def test_grants_of_before_there_were_codes_are_still_good(hass: HomeAssistant, house: House) -> None:
    await booked(house)
    file = stored(house, f"grants.{house.entry.entry_id}")
    document = json.loads(file.read_text())
    for item in document["data"]["grants"]:
        item.pop("code_key")
    assert await hass.config_entries.async_unload(house.entry.entry_id)
    file.write_text(json.dumps(document))
    await house.start()
    grant = house.hub.grants.get("b1")
    assert (grant.plate, grant.code_key) == ("AB123", "")
