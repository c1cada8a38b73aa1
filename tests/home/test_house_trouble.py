"""What must not be lost, and what the owner is told, when things go wrong: disks, races, restarts, removals."""

import asyncio
import time
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.keys import key_bytes, to_text
from custom_components.parkshare.link.sealing import SUITE, info
from custom_components.parkshare.link.session import LinkState, RequestRefusedError
from custom_components.parkshare.offers import OfferCalendar
from custom_components.parkshare.space import SpaceRuntime
from tests.home.conftest import MakeEntry, SetUp
from tests.home.house_facts import (
    Told,
    booked,
    fact,
    files,
    notification,
    offered,
    on_disk,
    proposal,
    reaches,
    space_of,
    standby_fact,
)
from tests.home.support import PLATE, Backend, eventually, soon, space_data


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """The harness keeps storage in memory; these tests are about the disk."""
    return {}


def ended(hub: ParkShareHub, name: str, *, ago: float) -> Grant:
    end = time.time() - ago
    return Grant(booking=name, space=space_of(hub), start=end - 60, end=end, plate=PLATE)


# The disk


async def test_two_grants_that_come_at_once_are_both_kept(hass: HomeAssistant, alone: ParkShareHub) -> None:
    one, two = ended(alone, "one", ago=10), ended(alone, "two", ago=10)
    await asyncio.gather(alone.grants.async_put(one), alone.grants.async_put(two))
    assert {grant.booking for grant in alone.grants.all()} == {"one", "two"}
    stored = on_disk(hass, f"grants.{alone.entry.entry_id}")["grants"]
    assert {each["booking"] for each in stored} == {"one", "two"}


async def test_two_changes_of_the_house_at_once_are_both_kept(alone: ParkShareHub) -> None:
    space = space_of(alone)
    await asyncio.gather(
        alone.async_set_sharing(space, on=False), alone.on_event(fact("standby.offered", standby_fact(alone)))
    )
    assert not alone.sharing(space)
    assert alone.standby_of(space) is not None


async def test_what_is_acknowledged_while_home_assistant_stops_is_on_disk(
    hass: HomeAssistant, alone: ParkShareHub
) -> None:
    hass.set_state(CoreState.stopping)
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    stored = on_disk(hass, f"grants.{alone.entry.entry_id}")["grants"]
    hass.set_state(CoreState.running)
    assert [each["booking"] for each in stored] == ["b1"]


async def test_a_car_that_overstays_for_days_keeps_its_grant_over_a_restart(
    hass: HomeAssistant, alone: ParkShareHub
) -> None:
    await alone.grants.async_put(ended(alone, "stays", ago=90_000))
    with patch.object(SpaceRuntime, "occupied_by", return_value="stays"):
        await hass.config_entries.async_reload(alone.entry.entry_id)
        assert alone.entry.runtime_data.grants.get("stays") is not None


async def test_a_disk_that_cannot_be_written_does_not_keep_the_house_from_starting(
    hass: HomeAssistant, alone: ParkShareHub
) -> None:
    await alone.grants.async_put(ended(alone, "old", ago=90_000))
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    with patch.object(DurableStore, "async_save", side_effect=NotStoredError("read-only")):
        await hass.config_entries.async_reload(alone.entry.entry_id)
        assert alone.entry.state is ConfigEntryState.LOADED
        assert alone.entry.runtime_data.grants.get("b1") is not None


async def test_a_report_on_a_full_disk_breaks_nothing(alone: ParkShareHub) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon(starts_in=-60))))
    with patch.object(DurableStore, "async_save", side_effect=NotStoredError("full")):
        await alone.async_report("stay.left", {"booking": "b1", "at": format_time(time.time())})


# What a backend or a renter may say


async def test_a_snapshot_in_which_a_booking_took_the_time_of_a_canceled_one_grants_it(
    alone: ParkShareHub, told: Told
) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "canceled", start, end)))
    await alone.on_snapshot("bookings", [proposal(alone, "new", start, end)])
    assert [grant.booking for grant in alone.grants.all()] == ["new"]
    assert told.of("grant.refused") == []


async def test_a_snapshot_in_which_a_booking_moved_and_another_took_its_time_grants_both(
    alone: ParkShareHub, told: Told
) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "moved", start, end)))
    await alone.on_snapshot(
        "bookings",
        [proposal(alone, "new", start, end), proposal(alone, "moved", end, end + 3600, revision=2)],
    )
    assert [grant.booking for grant in alone.grants.all()] == ["new", "moved"]
    assert told.of("grant.refused") == []


def sealed(hub: ParkShareHub, booking: str, plain: str) -> str:
    """Seal anything, as a renter with a client of their own may."""
    public = X25519PublicKey.from_public_bytes(key_bytes(hub.keys.seal_public))
    return to_text(SUITE.encrypt(plain.encode().ljust(128), public, info(booking=booking, space=space_of(hub))))


@pytest.mark.parametrize("plate", ['"AB\\ud800 1"', '"\\u0000"', '"!!!!"', '"' + "A" * 60 + '"'])
async def test_a_plate_that_is_none_is_refused_and_blocks_nothing(alone: ParkShareHub, told: Told, plate: str) -> None:
    said = proposal(alone, "b1", *soon()) | {"sealed_plate": sealed(alone, "b1", f'{{"plate": {plate}}}')}
    await alone.on_event(fact("booking.proposed", said))
    assert told.of("grant.refused") == [{"booking": "b1", "revision": 1, "reason": "cannot-open-plate"}]
    assert alone.grants.all() == []


@pytest.mark.parametrize(
    "change",
    [
        {"renter": {"alias": "\ud800"}},
        {"period": {"start": "0001-01-01T00:00:00Z", "end": "0001-01-02T00:00:00Z"}},
        {"period": {"start": "2026-11-22T10:00:00Z", "end": "9999-12-31T23:59:59Z"}},
    ],
)
async def test_a_fact_that_cannot_be_kept_is_passed_over(alone: ParkShareHub, change: dict[str, Any]) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon()) | change))
    assert alone.grants.all() == []


@pytest.mark.parametrize(
    ("alias", "kept"),
    [
        ("Renter 1A2B", "Renter 1A2B"),
        ("[Sign in](https://evil.example)\n# <b>Rene</b>", "Sign in https evil example b Rene b"),
        ("\u202eR" + "e" * 200_000, "R" + "e" * 39),
    ],
)
async def test_what_a_renter_is_called_brings_neither_a_link_nor_a_flood_into_a_notice(
    alone: ParkShareHub, alias: str, kept: str
) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon()) | {"renter": {"alias": alias}}))
    assert alone.grants.get("b1").alias == kept


async def test_a_standby_for_a_space_that_is_gone_is_passed_over(alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone, home_space="gone")))
    assert alone.state.standbys == {}


# Publishing


async def test_the_publisher_goes_on_after_something_unexpected(hub: ParkShareHub, backend: Backend) -> None:
    windows = OfferCalendar.async_published_windows
    failed: list[float] = []

    async def once(calendar: OfferCalendar, now: float) -> Any:
        if not failed:
            failed.append(now)
            raise RuntimeError("an expansion that nobody thought of")
        return await windows(calendar, now)

    with (
        patch("custom_components.parkshare.publisher.RETRY", 0.01),
        patch.object(OfferCalendar, "async_published_windows", once),
    ):
        await offered(hub, backend, *soon())
    assert failed


async def test_a_backend_that_is_busy_is_asked_again_without_a_repair(
    hub: ParkShareHub, issue_registry: ir.IssueRegistry
) -> None:
    said: list[str] = []

    async def busy(t: str, _d: Any, *, key: str | None = None) -> dict[str, Any]:
        said.append(t)
        if said.count("space.publish") < 3:
            raise RequestRefusedError({"type": "/problems/unavailable", "status": 503})
        return {}

    with patch("custom_components.parkshare.publisher.RETRY", 0.01), patch.object(hub, "async_request", busy):
        await hub.async_set_sharing(space_of(hub), on=False)
        await eventually(lambda: said.count("space.publish") >= 3)
    assert issue_registry.async_get_issue(DOMAIN, f"publish_refused_{space_of(hub)}") is None


async def test_windows_are_published_anew_when_the_house_moves_to_another_time_zone(
    hass: HomeAssistant, alone: ParkShareHub
) -> None:
    said: list[str] = []

    async def heard(t: str, _d: Any, *, key: str | None = None) -> dict[str, Any]:
        said.append(t)
        return {}

    with patch.object(alone, "async_request", heard):
        alone.on_state(LinkState.CONNECTED, "")
        await eventually(lambda: "windows.publish" in said)
        said.clear()
        await hass.config.async_update(time_zone="Europe/Berlin")
        await hass.async_block_till_done()
        await eventually(lambda: "windows.publish" in said)


# Removing


async def test_a_space_that_the_backend_never_heard_of_is_removed_in_silence(
    hass: HomeAssistant, linked: MockConfigEntry, backend: Backend, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    await backend.stop()
    hub = await set_up(linked)
    space = space_of(hub)
    hass.config_entries.async_remove_subentry(linked, next(iter(linked.subentries)))
    await hass.async_block_till_done()
    assert linked.runtime_data.state.withdrawn == {space}
    await backend.start()
    linked.runtime_data._link.redial()
    await eventually(lambda: not linked.runtime_data.state.withdrawn)
    assert issue_registry.async_get_issue(DOMAIN, f"publish_refused_{space}") is None


async def test_bookings_of_a_removed_space_are_refused_so_that_their_renters_hear_of_it(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    booking = await booked(hub, backend, *soon())
    hass.config_entries.async_remove_subentry(hub.entry, next(iter(hub.entry.subentries)))
    await hass.async_block_till_done()
    await eventually(lambda: hub.entry.runtime_data is not hub and hub.entry.runtime_data.connected)
    await reaches(backend, booking, "rejected")
    assert hub.entry.runtime_data.grants.all() == []


async def test_removing_the_entry_tells_the_backend(hass: HomeAssistant, hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon()
    booking = await booked(hub, backend, start, end)
    await offered(hub, backend, end, end + 1800)
    await hass.config_entries.async_remove(hub.entry.entry_id)
    await hass.async_block_till_done()
    assert await backend.offers(end, end + 1800) == []
    await reaches(backend, booking, "rejected")
    assert files(hass) == []


async def test_removing_the_entry_does_not_wait_for_a_backend_that_is_away(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    await backend.stop()
    began = time.monotonic()
    await hass.config_entries.async_remove(hub.entry.entry_id)
    assert time.monotonic() - began < 5
    assert files(hass) == []


async def test_the_repairs_of_a_removed_space_go_with_it(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    entry = make_entry(spaces=(space_data(camera="camera.gone"), space_data(name="Bay 2")))
    await set_up(entry)
    subentry_id = next(iter(entry.subentries))
    assert issue_registry.async_get_issue(DOMAIN, f"entity_missing_{subentry_id}") is not None
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(DOMAIN, f"entity_missing_{subentry_id}") is None


async def test_an_entity_that_is_disabled_is_missing(
    hass: HomeAssistant,
    make_entry: MakeEntry,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
    entity_registry: er.EntityRegistry,
) -> None:
    entity_registry.async_get_or_create(
        "camera", "demo", "1", suggested_object_id="off", disabled_by=er.RegistryEntryDisabler.USER
    )
    entry = make_entry(spaces=(space_data(camera="camera.off"),))
    await set_up(entry)
    assert issue_registry.async_get_issue(DOMAIN, f"entity_missing_{next(iter(entry.subentries))}") is not None


# The link, as the owner is told of it


@pytest.mark.parametrize(
    ("state", "issue"),
    [
        (LinkState.WRONG_HOST, "wrong_host"),
        (LinkState.UNTRUSTED, "certificate_untrusted"),
        (LinkState.TAKEN_OVER, "taken_over"),
        (LinkState.UPGRADE_NEEDED, "upgrade_needed"),
        (LinkState.PAIR_AGAIN, "install_refused"),
    ],
)
async def test_what_only_the_owner_can_mend_is_a_repair_of_its_own_and_ends_with_a_removal(
    hass: HomeAssistant,
    alone: ParkShareHub,
    issue_registry: ir.IssueRegistry,
    state: LinkState,
    issue: str,
) -> None:
    alone.on_state(state, "why")
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(minutes=16))
    await hass.async_block_till_done()
    shown = {
        issue_id.removesuffix(f"_{alone.entry.entry_id}")
        for domain, issue_id in issue_registry.issues
        if domain == DOMAIN
    }
    assert shown == {issue}
    await hass.config_entries.async_remove(alone.entry.entry_id)
    assert [key for key in issue_registry.issues if key[0] == DOMAIN] == []


async def test_a_second_home_assistant_with_the_same_pairing_stays_a_repair_while_both_take_turns(
    hass: HomeAssistant, alone: ParkShareHub, issue_registry: ir.IssueRegistry
) -> None:
    key = (DOMAIN, f"taken_over_{alone.entry.entry_id}")
    alone.on_state(LinkState.TAKEN_OVER, "why")
    alone.on_state(LinkState.CONNECTED, "")
    assert issue_registry.async_get_issue(*key) is not None
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(minutes=21))
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(*key) is None


# Standby


async def test_an_offer_is_told_again_after_a_restart_and_still_runs_out(
    hass: HomeAssistant, alone: ParkShareHub, freezer: FrozenDateTimeFactory
) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    persistent_notification.async_dismiss_all(hass)
    await hass.config_entries.async_reload(alone.entry.entry_id)
    await hass.async_block_till_done()
    assert notification(hass, alone) is not None
    freezer.tick(400)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get("sensor.bay_1_standby_space").state == "expired"
    assert notification(hass, alone) is None


async def test_a_standby_is_shown_until_its_end_and_no_longer(
    hass: HomeAssistant, alone: ParkShareHub, freezer: FrozenDateTimeFactory
) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    said = {"standby": "s1", "home_space": space_of(alone), "state": "booked"}
    await alone.on_event(fact("standby.ended", said, q=2))
    await hass.async_block_till_done()
    assert hass.states.get("sensor.bay_1_standby_space").state == "booked"
    freezer.tick(3 * 3600)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get("sensor.bay_1_standby_space").state == "none"
    assert notification(hass, alone) is None


async def test_an_owner_without_a_plate_is_told_with_the_offer_what_to_do(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp
) -> None:
    data = space_data()
    del data["owner_plate"]
    hub = await set_up(make_entry(spaces=(data,)))
    await hub.on_event(fact("standby.offered", standby_fact(hub)))
    shown = notification(hass, hub)
    assert shown is not None
    assert "plate is missing" in shown["message"]


async def test_pressing_accept_twice_makes_one_booking(alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    said: list[Any] = []

    async def slow(_t: str, d: Any, *, key: str | None = None) -> dict[str, Any]:
        said.append(d)
        await asyncio.sleep(0.01)
        return {}

    with patch.object(alone, "async_request", slow):
        await asyncio.gather(*(alone.async_accept_standby(space_of(alone)) for _ in range(2)), return_exceptions=True)
    assert len({each["booking"] for each in said}) == 1


async def test_what_another_owner_wrote_is_shown_as_text(hass: HomeAssistant, alone: ParkShareHub) -> None:
    said = standby_fact(alone)
    said["space"]["name"] = "![x](https://example.org/pixel.png) <img src=x>"
    await alone.on_event(fact("standby.offered", said))
    shown = notification(hass, alone)
    assert shown is not None
    assert "![" not in shown["message"]
    assert "](" not in shown["message"]
    assert "<img" not in shown["message"]
