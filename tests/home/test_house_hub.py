"""The hub against the real backend: what the house agrees to, keeps, publishes and tells."""

import time
from typing import Any
from unittest.mock import patch

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.durable import DurableStore, NotStoredError
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.grants import GrantStore
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.link.sealing import unseal
from custom_components.parkshare.link.session import NotConnectedError, RequestTimeoutError
from custom_components.parkshare.standby import StandbyState
from tests.home.conftest import MakeEntry, SetUp, eventually
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
from tests.home.support import PLATE, Backend, soon, space_data


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """The harness keeps storage in memory; these tests are about the disk."""
    return {}


async def test_a_booking_becomes_a_grant_that_is_on_disk(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    start, end = soon()
    booking = await booked(hub, backend, start, end)
    grant = hub.grants_of(space_of(hub))[0]
    assert (grant.booking, grant.plate, grant.start, grant.end) == (booking, PLATE, start, end)
    assert [each["booking"] for each in on_disk(hass, f"grants.{hub.entry.entry_id}")["grants"]] == [booking]


async def test_the_grant_is_on_disk_before_the_backend_hears_of_it(hub: ParkShareHub, backend: Backend) -> None:
    order: list[str] = []
    save = DurableStore.async_save

    async def watched(store: DurableStore, data: dict[str, Any]) -> None:
        await save(store, data)
        if ".grants." in store.key:
            order.append("grant on disk")
        elif any(event["t"] == "grant.stored" for event in data.get("pending", ())):
            order.append("report on disk")

    with patch.object(DurableStore, "async_save", watched):
        await booked(hub, backend, *soon())
    assert order[:2] == ["grant on disk", "report on disk"]


async def test_a_disk_that_is_full_grants_nothing(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    start, end = soon()
    await offered(hub, backend, start, end)
    with patch.object(GrantStore, "async_put", side_effect=NotStoredError("disk full")):
        booking = await backend.book(space_of(hub), key=hub.keys.seal_public, start=start, end=end)
        await eventually(lambda: not hub.connected)
        assert await backend.state_of(booking) == "pending"
    await eventually(lambda: hub.grants.get(booking), within=10)
    await reaches(backend, booking, "reserved")


async def test_a_restart_loses_nothing(hass: HomeAssistant, hub: ParkShareHub, backend: Backend, set_up: SetUp) -> None:
    start, end = soon()
    booking = await booked(hub, backend, start, end)
    await hub.async_set_sharing(space_of(hub), on=False)
    before = hub.grants.all()
    await hass.config_entries.async_reload(hub.entry.entry_id)
    again: ParkShareHub = hub.entry.runtime_data
    assert again is not hub
    assert again.grants.all() == before
    assert not again.sharing(space_of(again))
    assert (await again.calendar_of(space_of(again)).async_windows(start, end)) != []
    await eventually(lambda: again.connected)
    assert await backend.state_of(booking) == "reserved"


async def test_the_house_starts_with_its_grants_when_the_backend_is_down(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    booking = await booked(hub, backend, *soon())
    await backend.stop()
    await hass.config_entries.async_reload(hub.entry.entry_id)
    again: ParkShareHub = hub.entry.runtime_data
    assert hub.entry.state is ConfigEntryState.LOADED
    assert not again.connected
    assert again.grants.get(booking) is not None
    await backend.start()
    await eventually(lambda: again.connected, within=10)
    assert again.grants.get(booking) is not None


async def test_canceling_withdraws_the_grant(hub: ParkShareHub, backend: Backend) -> None:
    booking = await booked(hub, backend, *soon())
    await backend.call("POST", f"/api/v1/bookings/{booking}/cancel", by=backend.renter)
    await eventually(lambda: hub.grants.get(booking) is None)


async def test_a_booking_outside_of_the_windows_is_refused_by_the_house(hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon()
    await offered(hub, backend, start, end)
    # The owner changes their mind while the house cannot say so: the backend still sells the window.
    with patch.object(hub, "async_request", side_effect=NotConnectedError):
        calendar = hub.calendar_of(space_of(hub))
        event = (await calendar.async_events(dt_util.utcnow(), dt_util.utc_from_timestamp(end)))[0]
        await calendar.async_delete(str(event.uid))
        booking = await backend.book(space_of(hub), key=hub.keys.seal_public, start=start, end=end)
        await reaches(backend, booking, "rejected")
    assert hub.grants.all() == []


async def test_a_plate_that_was_sealed_to_another_key_is_refused(hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon()
    await offered(hub, backend, start, end)
    other = HouseKeys.generate()
    booking = await backend.book(space_of(hub), key=other.seal_public, start=start, end=end)
    await reaches(backend, booking, "rejected")
    assert hub.grants.all() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"space": "0198d2a0-0000-7000-8000-00000000ffff"}, "unknown-space"),
        ({"sealed_plate": "A" * 235}, "cannot-open-plate"),
        ({"period": {"start": "2036-01-01T00:00:00Z", "end": "2036-01-01T02:00:00Z"}}, "outside-windows"),
    ],
)
async def test_a_proposal_that_cannot_be_is_refused_with_its_reason(
    alone: ParkShareHub, told: Told, change: dict[str, Any], reason: str
) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon()) | change))
    assert told.of("grant.refused") == [{"booking": "b1", "revision": 1, "reason": reason}]
    assert alone.grants.all() == []


async def test_a_space_that_is_not_shared_takes_no_booking_but_keeps_those_it_has(
    alone: ParkShareHub, told: Told
) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.async_set_sharing(space_of(alone), on=False)
    await alone.on_event(fact("booking.proposed", proposal(alone, "b2", end, end + 3600)))
    await alone.on_event(fact("booking.changed", proposal(alone, "b1", start, end - 600, revision=2)))
    assert told.of("grant.refused") == [{"booking": "b2", "revision": 1, "reason": "not-sharing"}]
    assert [(grant.booking, grant.end) for grant in alone.grants.all()] == [("b1", end - 600)]


async def test_two_bookings_for_the_same_time_are_not_both_granted(alone: ParkShareHub, told: Told) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.on_event(fact("booking.proposed", proposal(alone, "b2", end - 1, end + 3600)))
    await alone.on_event(fact("booking.proposed", proposal(alone, "b3", end, end + 3600)))
    assert [grant.booking for grant in alone.grants.all()] == ["b1", "b3"]
    assert told.of("grant.refused")[0]["reason"] == "overlap"


async def test_being_told_twice_answers_twice_and_stores_once(alone: ParkShareHub, told: Told) -> None:
    said = fact("booking.proposed", proposal(alone, "b1", *soon()))
    await alone.on_event(said)
    await alone.on_event(said)
    assert told.of("grant.stored") == [{"booking": "b1", "revision": 1}] * 2
    assert len(alone.grants.all()) == 1


async def test_an_older_revision_does_not_undo_a_newer_one(alone: ParkShareHub) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end + 600, revision=3)))
    await alone.on_event(fact("booking.changed", proposal(alone, "b1", start, end, revision=2)))
    assert alone.grants.all()[0].end == end + 600


async def test_a_change_that_is_refused_leaves_the_grant_as_it_was(alone: ParkShareHub, told: Told) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.on_event(fact("booking.changed", proposal(alone, "b1", start, end + 30 * 86400, revision=2)))
    assert told.of("grant.refused") == [{"booking": "b1", "revision": 2, "reason": "outside-windows"}]
    assert alone.grants.all()[0].end == end


async def test_an_empty_snapshot_revokes_nothing(alone: ParkShareHub) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    await alone.on_snapshot("bookings", [])
    assert [grant.booking for grant in alone.grants.all()] == ["b1"]


async def test_a_complete_snapshot_revokes_what_is_missing_in_it(alone: ParkShareHub) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.on_snapshot("bookings", [proposal(alone, "b2", end, end + 3600)])
    assert [grant.booking for grant in alone.grants.all()] == ["b2"]


async def test_a_snapshot_that_is_partly_unreadable_revokes_nothing(alone: ParkShareHub) -> None:
    start, end = soon()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.on_snapshot("bookings", [proposal(alone, "b2", end, end + 3600), {"booking": "b3"}])
    assert [grant.booking for grant in alone.grants.all()] == ["b1", "b2"]


@pytest.mark.parametrize("how", ["canceled", "snapshot"])
async def test_a_grant_is_never_taken_from_under_a_car_and_goes_with_it(alone: ParkShareHub, how: str) -> None:
    start, end = soon(starts_in=-60)
    space = space_of(alone)
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    runtime = alone.runtime_of(space)
    assert runtime is not None
    with patch.object(runtime, "occupied_by", return_value="b1"):
        if how == "canceled":
            await alone.on_event(fact("booking.canceled", {"booking": "b1", "space": space, "revision": 2}))
        else:
            await alone.on_snapshot("bookings", [proposal(alone, "b2", end, end + 3600)])
    assert alone.grants.get("b1") is not None
    await alone.async_report("stay.left", {"booking": "b1", "at": format_time(time.time())})
    await alone.hass.async_block_till_done()
    assert alone.grants.get("b1") is None


async def test_a_car_that_left_early_makes_room_for_the_next_booking(alone: ParkShareHub, told: Told) -> None:
    start, end = soon(starts_in=-60)
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", start, end)))
    await alone.async_report("stay.left", {"booking": "b1", "at": format_time(time.time())})
    await alone.on_event(fact("booking.proposed", proposal(alone, "b2", start + 600, end)))
    assert told.of("grant.refused") == []
    assert [grant.booking for grant in alone.grants.all()] == ["b2"]


async def test_facts_that_cannot_be_used_are_passed_over(alone: ParkShareHub, caplog: pytest.LogCaptureFixture) -> None:
    await alone.on_event(fact("booking.proposed", {"booking": "b1"}))
    await alone.on_event(fact("a.later.word", {}))
    assert alone.grants.all() == []
    assert "booking.proposed that cannot be used" in caplog.text


async def test_no_plate_is_logged(alone: ParkShareHub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caplog.clear()
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    await alone.on_event(fact("booking.proposed", proposal(alone, "b2", *soon()) | {"sealed_plate": "?"}))
    assert alone.grants.all()[0].plate == PLATE
    assert PLATE not in caplog.text
    assert PLATE not in repr(alone.grants.all())


async def test_old_grants_are_forgotten_but_not_one_whose_car_still_stands_there(alone: ParkShareHub) -> None:
    now, space = time.time(), space_of(alone)
    for name, end in (("old", now - 90_000), ("stays", now - 90_000), ("fresh", now - 3600)):
        await alone.grants.async_put(Grant(booking=name, space=space, start=end - 60, end=end, plate=PLATE))
    runtime = alone.runtime_of(space)
    with patch.object(runtime, "occupied_by", return_value="stays"):
        await alone._async_prune()
    assert {grant.booking for grant in alone.grants.all()} == {"stays", "fresh"}


# Standby


async def test_an_offered_standby_is_told_with_period_and_address(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    standby = alone.standby_of(space_of(alone))
    assert standby is not None
    assert (standby.state, standby.address, standby.distance_m) == (StandbyState.OFFERED, "Kirchweg 4", 210)
    told = notification(hass, alone)
    assert told is not None
    start = dt_util.as_local(dt_util.utc_from_timestamp(standby.start or 0))
    assert "Kirchweg 4" in told["message"]
    assert f"{start:%H:%M}" in told["message"]
    assert "Bay 1" in told["title"]


async def test_a_standby_survives_a_restart(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    await hass.config_entries.async_reload(alone.entry.entry_id)
    again: ParkShareHub = alone.entry.runtime_data
    assert again.standby_of(space_of(again)) == alone.standby_of(space_of(alone))


async def test_accepting_seals_the_owners_plate_to_the_standby_space(alone: ParkShareHub) -> None:
    other = HouseKeys.generate()
    said = standby_fact(alone)
    said["space"]["seal_key"] = other.seal_public
    await alone.on_event(fact("standby.offered", said))
    with patch.object(alone, "async_request", return_value={}) as asked:
        await alone.async_accept_standby(space_of(alone))
    t, d = asked.call_args.args
    assert t == "standby.accept"
    opened = unseal(d["sealed_plate"], key=other.seal, booking=d["booking"], space=said["space"]["id"])
    assert (opened.plate, opened.code_key) == ("OW-NER-1", "")
    standby = alone.standby_of(space_of(alone))
    assert standby is not None
    assert standby.state is StandbyState.ACCEPTED
    await alone.on_event(
        fact("standby.ended", {"standby": "s1", "home_space": space_of(alone), "state": "booked"}, q=2)
    )
    standby = alone.standby_of(space_of(alone))
    assert standby is not None
    assert standby.state is StandbyState.BOOKED


async def test_accepting_again_after_a_lost_answer_is_the_same_booking(alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    with (
        patch.object(alone, "async_request", side_effect=RequestTimeoutError) as first,
        pytest.raises(HomeAssistantError) as raised,
    ):
        await alone.async_accept_standby(space_of(alone))
    assert raised.value.translation_key == "not_connected"
    with patch.object(alone, "async_request", return_value={}) as second:
        await alone.async_accept_standby(space_of(alone))
    assert first.call_args == second.call_args


async def test_a_standby_that_is_gone_cannot_be_accepted(
    hass: HomeAssistant, alone: ParkShareHub, freezer: FrozenDateTimeFactory
) -> None:
    with pytest.raises(HomeAssistantError) as raised:
        await alone.async_accept_standby(space_of(alone))
    assert raised.value.translation_key == "no_standby_offered"
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    freezer.tick(400)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    standby = alone.standby_of(space_of(alone))
    assert standby is not None
    assert standby.state is StandbyState.EXPIRED
    assert notification(hass, alone) is None
    with pytest.raises(HomeAssistantError):
        await alone.async_decline_standby(space_of(alone))


async def test_declining_ends_the_notification(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("standby.offered", standby_fact(alone)))
    with patch.object(alone, "async_request", return_value={}) as asked:
        await alone.async_decline_standby(space_of(alone))
    assert asked.call_args.args == ("standby.decline", {"standby": "s1"})
    assert notification(hass, alone) is None


async def test_an_owner_without_a_plate_is_told_what_is_missing(make_entry: MakeEntry, set_up: SetUp) -> None:
    data = space_data()
    del data["owner_plate"]
    hub = await set_up(make_entry(spaces=(data,)))
    await hub.on_event(fact("standby.offered", standby_fact(hub)))
    with pytest.raises(HomeAssistantError) as raised:
        await hub.async_accept_standby(space_of(hub))
    assert raised.value.translation_key == "owner_plate_missing"


async def test_no_standby_found_is_never_silence(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(
        fact("standby.none", {"booking": "b1", "home_space": space_of(alone), "reason": "nothing-free"})
    )
    standby = alone.standby_of(space_of(alone))
    assert standby is not None
    assert standby.state is StandbyState.NONE
    assert notification(hass, alone) is not None


# Publishing, removing, repairs


async def test_switching_sharing_off_takes_the_space_out_of_the_search(hub: ParkShareHub, backend: Backend) -> None:
    start, end = soon()
    await offered(hub, backend, start, end)
    await hub.async_set_sharing(space_of(hub), on=False)
    for _ in range(100):
        if not await backend.offers(start, end):
            return
    pytest.fail("the space is still offered")


async def test_a_removed_space_is_withdrawn_and_its_calendar_deleted(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    start, end = soon()
    await offered(hub, backend, start, end)
    space = space_of(hub)
    assert [path for path in files(hass) if space in path.name]
    hass.config_entries.async_remove_subentry(hub.entry, next(iter(hub.entry.subentries)))
    await hass.async_block_till_done()
    await eventually(lambda: hub.entry.runtime_data is not hub and hub.entry.runtime_data.connected)
    assert [path for path in files(hass) if space in path.name] == []
    await eventually(lambda: not hub.entry.runtime_data.state.withdrawn)
    assert await backend.offers(start, end) == []


async def test_removing_the_entry_deletes_what_was_stored(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    assert files(hass)
    await hass.config_entries.async_remove(alone.entry.entry_id)
    await hass.async_block_till_done()
    assert files(hass) == []


async def test_files_of_grants_are_for_home_assistant_only(hass: HomeAssistant, alone: ParkShareHub) -> None:
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon())))
    assert {oct(path.stat().st_mode & 0o777) for path in files(hass)} == {"0o600"}


async def test_a_backend_that_is_away_for_long_is_a_repair_that_goes_away(
    hass: HomeAssistant,
    linked: MockConfigEntry,
    backend: Backend,
    set_up: SetUp,
    issue_registry: ir.IssueRegistry,
) -> None:
    await backend.stop()
    hub = await set_up(linked)
    issue = (DOMAIN, f"backend_unreachable_{linked.entry_id}")
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(minutes=14))
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(*issue) is None
    async_fire_time_changed(hass, dt_util.utcnow() + dt_util.dt.timedelta(minutes=16))
    await hass.async_block_till_done()
    assert issue_registry.async_get_issue(*issue) is not None
    await backend.start()
    hub._link.redial()
    await eventually(lambda: hub.connected)
    assert issue_registry.async_get_issue(*issue) is None


async def test_a_revoked_house_asks_to_be_paired_again(
    hass: HomeAssistant,
    hub: ParkShareHub,
    backend: Backend,
    issue_registry: ir.IssueRegistry,
) -> None:
    booking = await booked(hub, backend, *soon())
    await hass.config_entries.async_unload(hub.entry.entry_id)
    sign, _ = HouseKeys.generate().private_text()
    hass.config_entries.async_update_entry(hub.entry, data={**hub.entry.data, "sign_key": sign})
    await hass.config_entries.async_setup(hub.entry.entry_id)
    flows = await eventually(lambda: hass.config_entries.flow.async_progress_by_handler(DOMAIN))
    assert flows[0]["context"]["source"] == SOURCE_REAUTH
    assert issue_registry.async_get_issue(DOMAIN, f"install_refused_{hub.entry.entry_id}") is not None
    assert hub.entry.state is ConfigEntryState.LOADED
    assert hub.entry.runtime_data.grants.get(booking) is not None


async def test_damaged_keys_ask_to_be_paired_again(hass: HomeAssistant, make_entry: MakeEntry) -> None:
    entry = make_entry(sign_key="?")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN)[0]["context"]["source"] == SOURCE_REAUTH


async def test_a_missing_entity_is_a_repair(
    hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, issue_registry: ir.IssueRegistry
) -> None:
    entry = make_entry(spaces=(space_data(camera="camera.gone"),))
    await set_up(entry)
    issue = issue_registry.async_get_issue(DOMAIN, f"entity_missing_{next(iter(entry.subentries))}")
    assert issue is not None
    assert issue.translation_placeholders == {"space": "Bay 1", "entities": "camera.gone"}


async def test_a_new_title_does_not_reload_but_a_changed_space_does(hass: HomeAssistant, alone: ParkShareHub) -> None:
    hass.config_entries.async_update_entry(alone.entry, title="Another")
    await hass.async_block_till_done()
    assert alone.entry.runtime_data is alone
    subentry = next(iter(alone.entry.subentries.values()))
    hass.config_entries.async_update_subentry(alone.entry, subentry, data={**subentry.data, "range_m": 99.0})
    await hass.async_block_till_done()
    assert alone.entry.runtime_data is not alone


async def test_starting_and_stopping_moves_no_barrier(hass: HomeAssistant, alone: ParkShareHub) -> None:
    calls: list[Any] = []
    for service in ("lock", "unlock", "open"):
        hass.services.async_register("lock", service, calls.append)
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon(starts_in=-60))))
    await hass.config_entries.async_reload(alone.entry.entry_id)
    await hass.config_entries.async_reload(alone.entry.entry_id)
    assert calls == []
