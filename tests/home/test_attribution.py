"""Who moved a barrier when it was not the gate."""

from collections.abc import Iterator
from typing import Any

import pytest
from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.helpers import area_registry as ar, device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.attribution import TRAVEL, Attribution, Hand, own_context

LOCK = "lock.bay"
DEVICE = Hand("device")


class Post:
    """An MQTT-like lock: it takes actions, and tells its state later, without a context."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.hass = hass
        self.attribution = Attribution(hass, LOCK)

    async def act(self, service: str, context: Context, **target: Any) -> None:
        given = target or {"entity_id": LOCK}
        await self.hass.services.async_call("lock", service, given, blocking=True, context=context)

    def moved(self, state: str, context: Context | None = None) -> Hand:
        """The lock says so now; returns who is behind it."""
        self.hass.states.async_set(LOCK, state, context=context)
        return self.attribution.who(self.hass.states.get(LOCK))


@pytest.fixture
def post(hass: HomeAssistant) -> Iterator[Post]:
    async def take(_call: ServiceCall) -> None:
        """It was heard."""

    for service in ("lock", "unlock", "open"):
        hass.services.async_register("lock", service, take)
    hass.states.async_set(LOCK, "locked")
    post = Post(hass)
    end = post.attribution.start()
    yield post
    end()


def somebody(hass: HomeAssistant, who: str) -> Context:
    """The context of an action: ours, Olga's, an automation's that something set off, or a schedule's."""
    return {
        "ours": lambda: own_context(hass),
        "person": lambda: Context(user_id="olga"),
        "automation": lambda: Context(parent_id="trigger"),
        "schedule": Context,
    }[who]()


HANDS = {
    "ours": Hand("parkshare"),
    "person": Hand("person", "olga"),
    "automation": Hand("automation"),
    "schedule": Hand("automation"),
}


@pytest.mark.parametrize("who", HANDS)
@pytest.mark.parametrize("carried", [True, False])
async def test_a_move_is_that_of_whoever_asked_for_it_with_and_without_a_context_on_the_state(
    hass: HomeAssistant, post: Post, who: str, carried: bool
) -> None:
    context = somebody(hass, who)
    await post.act("unlock", context)
    assert post.moved("unlocking", context if carried else None) == HANDS[who]
    assert post.moved("unlocked") == HANDS[who]


async def test_a_move_that_nobody_asked_for_is_the_devices_own(post: Post) -> None:
    assert post.moved("unlocked") == DEVICE


async def test_an_action_explains_no_move_after_the_time_that_a_motor_takes(
    post: Post, freezer: FrozenDateTimeFactory
) -> None:
    await post.act("unlock", Context(user_id="olga"))
    freezer.tick(TRAVEL - 1)
    assert post.moved("unlocked") == HANDS["person"]
    freezer.tick(3600)
    assert post.moved("open") == DEVICE


async def test_an_action_explains_no_move_the_other_way(hass: HomeAssistant, post: Post) -> None:
    await post.act("unlock", somebody(hass, "ours"))
    assert post.moved("unlocked") == HANDS["ours"]
    assert post.moved("locked") == DEVICE, "somebody pushed it up by hand"


async def test_a_jam_follows_from_the_action_whichever_way_it_went(hass: HomeAssistant, post: Post) -> None:
    await post.act("lock", somebody(hass, "ours"))
    assert post.moved("jammed") == HANDS["ours"]


async def test_the_last_of_two_actions_counts(hass: HomeAssistant, post: Post) -> None:
    await post.act("unlock", somebody(hass, "ours"))
    await post.act("open", Context(user_id="olga"))
    assert post.moved("open") == HANDS["person"]


@pytest.mark.parametrize("target", ["entity_id", "list", "all", "device_id", "area_id", "group"])
async def test_actions_for_its_device_area_or_group_are_for_the_barrier_too(
    hass: HomeAssistant, post: Post, target: str
) -> None:
    entry = MockConfigEntry()
    entry.add_to_hass(hass)
    area = ar.async_get(hass).async_create("Yard")
    device = dr.async_get(hass).async_get_or_create(config_entry_id=entry.entry_id, identifiers={("test", "bay")})
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    hass.states.async_remove(LOCK)
    er.async_get(hass).async_get_or_create("lock", "test", "bay", suggested_object_id="bay", device_id=device.id)
    hass.states.async_set("group.locks", "on", {"entity_id": [LOCK]})
    given = {
        "entity_id": {"entity_id": LOCK},
        "list": {"entity_id": ["lock.other", LOCK]},
        "all": {"entity_id": "all"},
        "device_id": {"device_id": [device.id]},
        "area_id": {"area_id": area.id},
        "group": {"entity_id": "group.locks"},
    }[target]
    await post.act("unlock", Context(user_id="olga"), **given)
    assert post.moved("unlocked") == HANDS["person"]


async def test_actions_for_something_else_explain_nothing(hass: HomeAssistant, post: Post) -> None:
    await post.act("unlock", Context(user_id="olga"), entity_id="lock.other")
    hass.services.async_register("light", "turn_on", lambda _: None)
    await hass.services.async_call("light", "turn_on", {"entity_id": LOCK}, context=Context(user_id="olga"))
    assert post.moved("unlocked") == DEVICE


async def test_what_an_automation_does_because_of_our_move_is_the_automations(hass: HomeAssistant, post: Post) -> None:
    ours = somebody(hass, "ours")
    await post.act("unlock", ours)
    assert post.moved("unlocked", ours) == HANDS["ours"]
    assert post.moved("locked", Context(parent_id=ours.id)) == HANDS["automation"]
