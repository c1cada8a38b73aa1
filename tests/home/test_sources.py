"""Plate sources in a running Home Assistant: which messages become looks, and what the owner is told."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components import webhook
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message, async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, MqttMockHAClient

from custom_components.parkshare.recognition import Look
from custom_components.parkshare.sources import PlateSource, sources_of
from custom_components.parkshare.sources.evidence import UNSCORED
from custom_components.parkshare.sources.frigate.source import SILENCE
from custom_components.parkshare.sources.generic.body import LARGEST_BODY
from tests.simulators.frigate import lpr, object_event, stats

FRIGATE = {"kind": "frigate", "source_name": "Frigate", "frigate_camera": "space"}
EVENT = {
    "kind": "event",
    "source_name": "Plates",
    "event_type": "plate_read",
    "plate_path": "plate",
    "believe_alone": True,
}
ENTITY = {"kind": "entity", "source_name": "Sensor", "entity": "sensor.plate", "plate_path": "state"}
TOPIC = {"kind": "mqtt", "source_name": "Topic", "topic": "gate/plate", "plate_path": "plate | value"}
HOOK = {"kind": "webhook", "source_name": "Hook", "webhook_id": "w" * 64, "plate_path": "plate", "local_only": True}


@dataclass
class Listener:
    """Hears one source."""

    source: PlateSource
    looks: list[Look] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def plates(self) -> list[str]:
        return [reading.text for look in self.looks for reading in look.readings]

    async def start(self) -> Listener:
        await self.source.async_start(self.looks.append, self.troubles.append)
        return self


@pytest.fixture
async def listen(hass: HomeAssistant) -> AsyncIterator[Any]:
    """Make a source as a space does, and begin to listen."""
    listeners: list[Listener] = []

    async def begin(settings: dict[str, Any], **space: Any) -> Listener:
        (source,) = sources_of(hass, {"space_id": "1", "sources": [settings], **space}, "Bay 1")
        listeners.append(await Listener(source).start())
        await hass.async_block_till_done()
        return listeners[-1]

    yield begin
    for listener in listeners:
        await listener.source.async_stop()


def at(seconds_ago: float = 0.0) -> float:
    return time.time() - seconds_ago


@pytest.fixture(autouse=True)
def expected_lingering_timers(request: pytest.FixtureRequest) -> bool:
    """The mock of Home Assistant's MQTT client leaves its own behind."""
    return "mqtt_mock" in request.fixturenames


# --- Frigate ---


@pytest.mark.parametrize("version", ["0.16", "0.17", "0.18"])
async def test_a_plate_that_frigate_reads_now_is_a_look(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any, version: str
) -> None:
    heard = await listen(FRIGATE)
    async_fire_mqtt_message(
        hass, "frigate/tracked_object_update", lpr("AB-123-CD", camera="space", at=at(), version=version)
    )
    assert heard.plates == ["AB123CD"]
    assert (heard.source.name, heard.looks[0].source, heard.troubles) == ("Frigate", "Frigate", [])


async def test_only_fresh_plates_of_the_right_camera_count(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(FRIGATE)
    topic = "frigate/tracked_object_update"
    async_fire_mqtt_message(hass, topic, lpr("AA1111", camera="space", at=at()), retain=True)
    async_fire_mqtt_message(hass, topic, lpr("BB2222", camera="space", at=at(30)))
    async_fire_mqtt_message(hass, topic, lpr("CC3333", camera="street", at=at()))
    async_fire_mqtt_message(hass, "other/tracked_object_update", lpr("DD4444", camera="space", at=at()))
    async_fire_mqtt_message(hass, topic, json.dumps({"type": "face", "name": "AB123CD"}))
    async_fire_mqtt_message(hass, "frigate/events", object_event(camera="space", at=at(), sub_label=["AB123CD", 1.0]))
    async_fire_mqtt_message(hass, "frigate/events", object_event(camera="space", at=at(), plate="EE5555"), retain=True)
    assert heard.looks == []
    async_fire_mqtt_message(hass, topic, lpr("AB123CD", camera="space", at=at()))
    assert heard.plates == ["AB123CD"]
    assert heard.troubles == []


async def test_a_plate_of_an_object_counts_in_both_shapes(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(FRIGATE | {"topic_prefix": "nvr"})
    for number, shape in enumerate(("list", "string")):
        event = object_event(camera="space", at=at(), plate="AB123CD", shape=shape, object_id=str(number))
        async_fire_mqtt_message(hass, "nvr/events", event)
    assert heard.plates == ["AB123CD"] * 2


async def test_after_the_end_nothing_is_told(hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any) -> None:
    heard = await listen(FRIGATE)
    await heard.source.async_stop()
    await heard.source.async_stop()
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", lpr("AB123CD", camera="space", at=at()))
    assert heard.looks == []
    await heard.start()
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", lpr("AB123CD", camera="space", at=at()))
    assert heard.plates == ["AB123CD"]


async def test_the_camera_is_turned_on_and_off_and_its_word_is_awaited(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(FRIGATE | {"switch_camera": True})
    mqtt_mock.async_publish.assert_called_once_with(
        "frigate/space/enabled/set", "ON", 1, False, message_expiry_interval=None
    )
    async_fire_mqtt_message(hass, "frigate/space/enabled/state", "ON", retain=True)
    await hass.async_block_till_done()
    assert not heard.source.always_on
    mqtt_mock.async_publish.reset_mock()
    stopping = hass.async_create_task(heard.source.async_stop(), eager_start=True)
    assert mqtt_mock.async_publish.call_args.args[:2] == ("frigate/space/enabled/set", "OFF")
    assert not stopping.done()
    async_fire_mqtt_message(hass, "frigate/space/enabled/state", "OFF")
    await stopping
    assert heard.troubles == []


async def test_a_camera_that_frigate_does_not_turn_on_is_told_once(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.parkshare.sources.frigate.source.SWITCH_LIMIT", 0.05)
    monkeypatch.setattr("custom_components.parkshare.sources.frigate.source.SWITCH_OFF_LIMIT", 0.05)
    heard = await listen(FRIGATE | {"switch_camera": True})
    async_fire_mqtt_message(hass, "frigate/space/enabled/state", "OFF", retain=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    (trouble,) = heard.troubles
    assert "did not turn space on" in trouble
    await heard.source.async_stop()
    assert len(heard.troubles) == 1


@pytest.mark.parametrize("settings", [FRIGATE | {"switch_camera": True}, TOPIC])
async def test_what_is_stopped_while_it_waits_for_mqtt_neither_listens_nor_turns_anything_on(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, settings: dict[str, Any]
) -> None:
    there = asyncio.Event()

    async def wait(_: HomeAssistant) -> bool:
        return await there.wait()

    (source,) = sources_of(hass, {"space_id": "1", "sources": [settings]}, "Bay 1")
    looks: list[Look] = []
    with patch("homeassistant.components.mqtt.async_wait_for_mqtt_client", wait):
        starting = hass.async_create_task(source.async_start(looks.append, lambda _: None))
        await asyncio.sleep(0)
        await source.async_stop()
        mqtt_mock.reset_mock()
        there.set()
        await starting
    await hass.async_block_till_done()
    mqtt_mock.async_subscribe.assert_not_called()
    mqtt_mock.async_publish.assert_not_called()


async def test_a_camera_left_on_by_a_run_that_ended_hard_is_turned_off(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient
) -> None:
    (source,) = sources_of(hass, {"sources": [FRIGATE | {"switch_camera": True}]}, "Bay 1")
    await source.async_stop()
    assert mqtt_mock.async_publish.call_args.args[:2] == ("frigate/space/enabled/set", "OFF")
    (source,) = sources_of(hass, {"sources": [FRIGATE]}, "Bay 1")
    mqtt_mock.async_publish.reset_mock()
    await source.async_stop()
    mqtt_mock.async_publish.assert_not_called()


async def test_silence_is_told_once_and_over_when_frigate_speaks_again(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(FRIGATE)
    for minutes in (1, 2):
        async_fire_mqtt_message(hass, "frigate/stats", stats(at=at(), fps={"space": 5}))
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=minutes * 60))
    assert heard.troubles == []
    for times in (1, 2):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=times * (SILENCE + 1)))
    assert len(heard.troubles) == 1
    assert "under frigate" in heard.troubles[0]
    async_fire_mqtt_message(hass, "frigate/stats", stats(at=at(), fps={"space": 5}))
    assert heard.troubles[1:] == [""]


@pytest.mark.parametrize("word", ["offline", "stopped"])
async def test_a_frigate_that_stopped_is_told_and_a_retained_online_proves_nothing(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any, word: str
) -> None:
    heard = await listen(FRIGATE)
    async_fire_mqtt_message(hass, "frigate/available", "online", retain=True)
    assert heard.troubles == []
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=SILENCE + 1))
    assert len(heard.troubles) == 1
    async_fire_mqtt_message(hass, "frigate/available", word, retain=True)
    async_fire_mqtt_message(hass, "frigate/available", word)
    assert len(heard.troubles) == 2
    assert "stopped" in heard.troubles[1]


async def test_a_frigate_with_another_clock_is_corrected_by_its_own_figures(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(FRIGATE)
    ahead = lpr("AB123CD", camera="space", at=at(-300))
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", ahead)
    assert heard.looks == []
    assert "clock" in heard.troubles[0]
    async_fire_mqtt_message(hass, "frigate/stats", stats(at=at(-300), fps={"space": 5}))
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", lpr("AB123CD", camera="space", at=at(-301)))
    assert heard.plates == ["AB123CD"]
    assert abs(heard.looks[0].taken_at - at()) < 5


async def test_what_frigate_never_sends_is_told_once_and_the_next_plate_counts(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard = await listen(FRIGATE)
    for payload in (b"\xff\xfe", b'{"type":"lpr","plate":["AB123CD"]}', b"[]"):
        async_fire_mqtt_message(hass, "frigate/tracked_object_update", payload)
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", lpr("AB123CD", camera="space", at=at()))
    assert len(heard.troubles) == 1
    assert heard.plates == ["AB123CD"]
    assert "AB123CD" not in "".join(record.getMessage() for record in caplog.records if "parkshare" in record.name)


@pytest.mark.parametrize("settings", [FRIGATE, TOPIC])
async def test_without_mqtt_the_owner_is_told(hass: HomeAssistant, listen: Any, settings: dict[str, Any]) -> None:
    heard = await listen(settings)
    (trouble,) = heard.troubles
    assert "MQTT" in trouble


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"kind": "crystal_ball", "source_name": "Ball"},
        {"kind": "frigate", "source_name": "Frigate"},
        FRIGATE | {"url": "ftp://nowhere"},
        EVENT | {"plate_path": "a..b"},
        {key: value for key, value in HOOK.items() if key != "webhook_id"},
    ],
)
async def test_a_source_whose_settings_are_broken_tells_so_and_harms_nobody(
    hass: HomeAssistant, listen: Any, settings: dict[str, Any]
) -> None:
    heard = await listen(settings)
    assert len(heard.troubles) == 1
    assert heard.looks == []


# --- events of Home Assistant ---


async def test_an_event_is_a_look_with_the_time_it_was_fired(hass: HomeAssistant, listen: Any) -> None:
    heard = await listen(EVENT)
    hass.bus.async_fire("plate_read", {"plate": "ab 123 cd"}, time_fired=at(1))
    hass.bus.async_fire("plate_read", {"plate": "ab 123 cd"})
    hass.bus.async_fire("another", {"plate": "ab 123 cd"})
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"]
    assert abs(heard.looks[0].taken_at - at()) < 2


async def test_a_path_that_leads_nowhere_is_told_once_and_later_events_count(
    hass: HomeAssistant, listen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard = await listen(EVENT)
    for data in ({"number": "ZZ999"}, {"plate": {"text": "ZZ999"}}, {"plate": "AB123CD"}):
        hass.bus.async_fire("plate_read", data)
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"]
    (trouble,) = heard.troubles
    assert "at plate in" in trouble
    assert "ZZ999" not in "".join(record.getMessage() for record in caplog.records if "parkshare" in record.name)


async def test_a_score_that_does_not_fit_stands_as_told_though_readings_count(hass: HomeAssistant, listen: Any) -> None:
    heard = await listen(EVENT | {"score_path": "score", "score_scale": "fraction"})
    for _ in range(2):
        hass.bus.async_fire("plate_read", {"plate": "AB123CD", "score": 87})
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"] * 2
    assert set(heard.looks[0].readings[0].confidences) == {UNSCORED}
    assert set(heard.troubles) == {heard.troubles[-1]}


async def test_old_and_future_times_in_an_event_do_not_count(hass: HomeAssistant, listen: Any) -> None:
    heard = await listen(EVENT | {"time_path": "at"})
    for seconds_ago in (60, -60):
        hass.bus.async_fire("plate_read", {"plate": "AB123CD", "at": at(seconds_ago)})
    await hass.async_block_till_done()
    assert heard.looks == []
    assert len(heard.troubles) == 1
    hass.bus.async_fire("plate_read", {"plate": "AB123CD", "at": dt_util.utcnow().isoformat()})
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"]


# --- entities ---


async def test_a_new_plate_of_an_entity_counts(hass: HomeAssistant, listen: Any) -> None:
    hass.states.async_set("sensor.plate", "None")
    heard = await listen(ENTITY)
    for state in ("AB 123 CD", "None", "EF 456"):
        hass.states.async_set("sensor.plate", state)
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD", "EF456"]
    assert heard.troubles == []


@pytest.mark.parametrize("before", ["unavailable", "unknown", None])
async def test_a_state_that_comes_back_does_not_count(hass: HomeAssistant, listen: Any, before: str | None) -> None:
    if before:
        hass.states.async_set("sensor.plate", before)
    heard = await listen(ENTITY)
    hass.states.async_set("sensor.plate", "AB123CD")
    await hass.async_block_till_done()
    assert heard.looks == []


async def test_a_restored_state_does_not_count(hass: HomeAssistant, listen: Any) -> None:
    hass.states.async_set("sensor.plate", "EF456")
    heard = await listen(ENTITY)
    hass.states.async_set("sensor.plate", "AB123CD", {"restored": True})
    hass.states.async_set("sensor.plate", "AB123CD", {})
    await hass.async_block_till_done()
    assert heard.looks == []


async def test_the_same_plate_again_counts_if_the_entity_speaks_only_when_it_read(
    hass: HomeAssistant, listen: Any
) -> None:
    hass.states.async_set("sensor.plate", "AB123CD")
    speaking, polled = await listen(ENTITY | {"repeats": True}), await listen(ENTITY)
    for _ in range(2):
        hass.states.async_set("sensor.plate", "AB123CD")
    hass.states.async_set("sensor.plate", "AB123CD", {"battery": 80})
    await hass.async_block_till_done()
    assert speaking.plates == ["AB123CD"] * 3
    assert polled.looks == []


async def test_the_same_plate_again_counts_by_its_own_time(hass: HomeAssistant, listen: Any) -> None:
    hass.states.async_set("sensor.plate", "AB123CD", {"timestamp": at(100)})
    heard = await listen(ENTITY | {"time_path": "timestamp", "repeats": True})
    hass.states.async_set("sensor.plate", "AB123CD", {"timestamp": at(100)})
    now = at(-0.1)
    hass.states.async_set("sensor.plate", "AB123CD", {"timestamp": now})
    hass.states.async_set("sensor.plate", "AB123CD", {"timestamp": now})
    hass.states.async_set("sensor.plate", "AB123CD", {"timestamp": now, "battery": 80})
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"]


UNIFI = {
    "kind": "entity",
    "source_name": "UniFi Protect",
    "entity": "event.gate_vehicle",
    "plate_path": "license_plate",
    "sparse": True,
}


async def test_each_event_of_an_event_entity_counts_and_an_old_one_does_not(hass: HomeAssistant, listen: Any) -> None:
    def fire(seconds_ago: float, **attributes: Any) -> None:
        when = datetime.fromtimestamp(at(seconds_ago), UTC).isoformat(timespec="milliseconds")
        hass.states.async_set("event.gate_vehicle", when, {"event_type": "detected", **attributes})

    fire(600, license_plate="AB123CD")
    heard = await listen(UNIFI)
    fire(500, license_plate="AB123CD")  # restored by a reload
    assert heard.looks == []
    fire(-0.01, license_plate="AB123CD", confidence=89)
    fire(-0.02, license_plate="AB123CD", confidence=89)
    fire(-0.03)  # a car, but no plate
    state = hass.states.get("event.gate_vehicle")
    hass.states.async_set("event.gate_vehicle", state.state, {"license_plate": "EF456"})  # no event, only a change
    await hass.async_block_till_done()
    assert heard.plates == ["AB123CD"] * 2
    assert heard.troubles == []


async def test_an_entity_that_does_not_exist_is_told(hass: HomeAssistant, listen: Any) -> None:
    heard = await listen(ENTITY)
    assert "sensor.plate does not exist" in heard.troubles[0]


# --- an MQTT topic ---


async def test_a_topic_carries_json_or_the_bare_plate_and_nothing_retained(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any
) -> None:
    heard = await listen(TOPIC)
    async_fire_mqtt_message(hass, "gate/plate", '{"plate": "ZZ999"}', retain=True)
    async_fire_mqtt_message(hass, "gate/plate", '{"plate": "AB123CD"}')
    async_fire_mqtt_message(hass, "gate/plate", "EF 456")
    async_fire_mqtt_message(hass, "gate/plate", "1234567")
    assert heard.plates == ["AB123CD", "EF456", "1234567"]
    assert heard.troubles == []
    async_fire_mqtt_message(hass, "gate/plate", b"\xff" * 200)
    assert len(heard.troubles) == 1


# --- webhooks ---


@pytest.fixture
async def posted(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, socket_enabled: None) -> Any:
    """Somebody who posts."""
    assert await async_setup_component(hass, "webhook", {})
    return await hass_client_no_auth()


async def test_what_is_posted_is_a_look_only_while_somebody_listens(posted: Any, listen: Any) -> None:
    heard = await listen(HOOK | {"believe_alone": True})
    path = webhook.async_generate_path(HOOK["webhook_id"])
    assert (await posted.post(path, json={"plate": "AB123CD"})).status == 200
    assert (await posted.post(path, data={"plate": "EF 456"})).status == 200
    assert (await posted.get(path)).status == 405
    assert heard.plates == ["AB123CD", "EF456"]
    await heard.source.async_stop()
    assert (await posted.post(path, json={"plate": "AB123CD"})).status == 200
    assert len(heard.looks) == 2


async def test_a_body_without_end_or_sense_is_refused_and_told_once(posted: Any, listen: Any) -> None:
    heard = await listen(HOOK)
    path = webhook.async_generate_path(HOOK["webhook_id"])

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_BODY // 65536 + 2):
            yield b"x" * 65536

    assert (await posted.post(path, data=endless())).status == 413
    assert (await posted.post(path, data=b"<!DOCTYPE x>", headers={"Content-Type": "text/xml"})).status == 200
    assert len(heard.troubles) == 1
    assert (await posted.post(path, json={"plate": "AB123CD"})).status == 200
    assert heard.plates == ["AB123CD"]


async def test_who_is_not_in_the_local_network_is_not_heard(hass: HomeAssistant, posted: Any, listen: Any) -> None:
    heard = await listen(HOOK)
    request = webhook.MockRequest(
        content=b'{"plate": "AB123CD"}', mock_source="test", method="POST", remote="93.184.216.34"
    )
    await webhook.async_handle_webhook(hass, HOOK["webhook_id"], request)
    assert heard.looks == []
    everybody = await listen(HOOK | {"local_only": False})
    await webhook.async_handle_webhook(hass, HOOK["webhook_id"], request)
    assert everybody.plates == ["AB123CD"]


async def test_no_log_line_shows_a_plate(
    hass: HomeAssistant, mqtt_mock: MqttMockHAClient, listen: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="custom_components.parkshare")
    for settings in (FRIGATE, EVENT, TOPIC):
        await listen(settings)
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", lpr("AB123CD", camera="space", at=at()))
    async_fire_mqtt_message(hass, "frigate/tracked_object_update", b'{"type":"lpr","plate":"AB123CD"}')
    async_fire_mqtt_message(hass, "gate/plate", '{"plate": "AB123CD"}')
    hass.bus.async_fire("plate_read", {"plate": "AB123CD", "number": "AB123CD"})
    await hass.async_block_till_done()
    assert "AB123CD" not in "".join(record.getMessage() for record in caplog.records if "parkshare" in record.name)
