"""What the known programs and devices send, so that nobody has to find it out again. Pure.

A preset only fills a form: everything in it can be changed there. Where a program tells no score of the plate itself
but has compared many pictures before it says anything, its plate is believed alone; else that is left to the owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .recipe import (
    CONF_BELIEVE_ALONE,
    CONF_CAMERA_PATH,
    CONF_EACH_PATH,
    CONF_MAX_AGE,
    CONF_ONLY,
    CONF_ONLY_PATH,
    CONF_PLATE_PATH,
    CONF_SCORE_PATH,
    CONF_SCORE_SCALE,
    CONF_SPARSE,
    CONF_TIME_PATH,
    Scale,
)
from .settings import CONF_EVENT_TYPE, CONF_TOPIC, Kind


@dataclass(frozen=True, slots=True)
class Preset:
    """A known source: what it is called, where its messages come from, and what the form is filled with."""

    title: str
    kind: Kind
    fields: Mapping[str, Any]


PRESETS: Final[Mapping[str, Preset]] = {
    # Home Assistant's own unifiprotect: event.<camera>_vehicle. Its confidence is that of the thumbnail, not of the
    # plate, so it is no score. Events without a plate are vehicles that were only seen.
    "unifi_protect": Preset(
        "UniFi Protect",
        Kind.ENTITY,
        {CONF_PLATE_PATH: "license_plate", CONF_BELIEVE_ALONE: True, CONF_SPARSE: True, CONF_MAX_AGE: 30},
    ),
    # A webhook action of UniFi's Alarm Manager; the time is in milliseconds.
    "unifi_alarm_manager": Preset(
        "UniFi Alarm Manager",
        Kind.WEBHOOK,
        {
            CONF_EACH_PATH: "alarm.triggers",
            CONF_PLATE_PATH: "value",
            CONF_CAMERA_PATH: "device",
            CONF_ONLY_PATH: "key",
            CONF_ONLY: ["license_plate_unknown", "license_plate_known", "license_plate_of_interest"],
            CONF_TIME_PATH: "timestamp",
            CONF_BELIEVE_ALONE: True,
            CONF_MAX_AGE: 30,
        },
    ),
    # rroller/dahua: a sensor whose attributes hold the plate before it is corrected to one country's pattern, which
    # is what the attribute `plate` and the state are. The same plate again changes its timestamp only.
    "dahua": Preset(
        "Dahua",
        Kind.ENTITY,
        {
            CONF_PLATE_PATH: "raw_plate | plate",
            CONF_SCORE_PATH: "confidence",
            CONF_SCORE_SCALE: Scale.PERCENT,
            CONF_TIME_PATH: "timestamp",
            CONF_SPARSE: True,
        },
    ),
    # Home Assistant's own amcrest, also for Dahua: raw events of all kinds, few of them with a plate.
    "amcrest": Preset(
        "Amcrest, Dahua (raw events)",
        Kind.EVENT,
        {
            CONF_EVENT_TYPE: "amcrest",
            CONF_PLATE_PATH: "payload.data.TrafficCar.PlateNumber | payload.data.Object.Text",
            CONF_CAMERA_PATH: "camera",
            CONF_BELIEVE_ALONE: True,
            CONF_SPARSE: True,
        },
    ),
    # robmarkcole/HASS-plate-recognizer and its forks.
    "plate_recognizer": Preset(
        "Plate Recognizer",
        Kind.EVENT,
        {
            CONF_EVENT_TYPE: "platerecognizer.vehicle_detected",
            CONF_PLATE_PATH: "plate",
            CONF_SCORE_PATH: "confidence",
            CONF_SCORE_SCALE: Scale.FRACTION,
            CONF_CAMERA_PATH: "entity_id",
        },
    ),
    # Plate Recognizer Stream posts by itself: a form with a field json, and a picture.
    "plate_recognizer_stream": Preset(
        "Plate Recognizer Stream",
        Kind.WEBHOOK,
        {
            CONF_EACH_PATH: "data.results | json.data.results",
            CONF_PLATE_PATH: "plate",
            CONF_SCORE_PATH: "score",
            CONF_SCORE_SCALE: Scale.FRACTION,
            CONF_CAMERA_PATH: "data.camera_id | json.data.camera_id",
        },
    ),
    "openalpr": Preset(
        "OpenALPR",
        Kind.EVENT,
        {
            CONF_EVENT_TYPE: "image_processing.found_plate",
            CONF_PLATE_PATH: "plate",
            CONF_SCORE_PATH: "confidence",
            CONF_SCORE_SCALE: Scale.PERCENT,
            CONF_CAMERA_PATH: "entity_id",
        },
    ),
    # ljmerza/frigate_plate_recognizer: for a watched plate it puts that one in place of what was read, so what was
    # read comes first. It publishes retained.
    "frigate_plate_recognizer": Preset(
        "frigate_plate_recognizer",
        Kind.TOPIC,
        {
            CONF_TOPIC: "frigate/plate_recognizer",
            CONF_PLATE_PATH: "original_plate | plate_number",
            CONF_SCORE_PATH: "score",
            CONF_SCORE_SCALE: Scale.FRACTION,
            CONF_CAMERA_PATH: "camera_name",
        },
    ),
    # A Hikvision ANPR camera's alarm server: multipart with anpr.xml and pictures.
    "hikvision": Preset(
        "Hikvision ANPR",
        Kind.WEBHOOK,
        {
            CONF_PLATE_PATH: "EventNotificationAlert.ANPR.licensePlate",
            CONF_SCORE_PATH: "EventNotificationAlert.ANPR.confidenceLevel",
            CONF_SCORE_SCALE: Scale.PERCENT,
            CONF_TIME_PATH: "EventNotificationAlert.dateTime",
            CONF_ONLY_PATH: "EventNotificationAlert.eventType",
            CONF_ONLY: ["ANPR"],
            CONF_SPARSE: True,
        },
    ),
}
