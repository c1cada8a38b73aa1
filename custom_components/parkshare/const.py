"""Constants of the ParkShare integration."""

import logging
from typing import Final

DOMAIN: Final = "parkshare"
LOGGER = logging.getLogger(__package__)

SUBENTRY_SPACE: Final = "space"

# Config entry data. The two private keys (base64url) never leave the house; diagnostics leave them out.
CONF_URL: Final = "url"
CONF_SERVER: Final = "server"
CONF_INSTALL: Final = "install"
CONF_ACCOUNT: Final = "account"
CONF_ACCOUNT_NAME: Final = "account_name"
CONF_SIGN_KEY: Final = "sign_key"
CONF_SEAL_KEY: Final = "seal_key"

# Subentry data of one space.
CONF_SPACE_ID: Final = "space_id"
CONF_NAME: Final = "name"
CONF_LATITUDE: Final = "latitude"
CONF_LONGITUDE: Final = "longitude"
CONF_ADDRESS: Final = "address"
CONF_LENGTH_M: Final = "length_m"
CONF_WIDTH_M: Final = "width_m"
CONF_HEIGHT_M: Final = "height_m"
CONF_BARRIER: Final = "barrier"
# Only for a switch: what "on" means for the barrier, "up" or "down". A lock, cover or valve says so itself:
# locked or closed is up (nobody gets in), unlocked or open is down.
CONF_BARRIER_ON_MEANS: Final = "barrier_on_means"
CONF_CAMERA: Final = "camera"
CONF_CAMERA_POWER: Final = "camera_power"
# Zero or more binary sensors, each an independent source that tells a car in the bay.
CONF_OCCUPANCY: Final = "occupancy"
# Binary sensors that see a car come, on the way to the bay: in a booked period they wake the camera.
CONF_VEHICLE: Final = "vehicle"
# Lights that are on while the camera looks.
CONF_LIGHT: Final = "light"
# What happens when a car has left: a gate Raising. "automatic" only with two occupancy sensors.
CONF_RAISING: Final = "raising"
CONF_OWNER: Final = "owner"
CONF_OWNER_PLATE: Final = "owner_plate"
CONF_RANGE_M: Final = "range_m"
# Where in the camera's picture plates are looked for: [left, top, right, bottom] as fractions; absent for all of it.
CONF_REGION: Final = "region"
# How much evidence admits a car: a recognition Level ("strict", "balanced", "lenient").
CONF_LEVEL: Final = "level"
# Other sources of readings beside the camera: a list of mappings, each with its kind.
CONF_SOURCES: Final = "sources"
# How long the best picture of an admission is kept at the house (hours; 0: not at all).
CONF_PICTURE_HOURS: Final = "picture_hours"
# Who is asked and told on their phone: ids of devices of the companion app.
CONF_ASKED: Final = "asked"
# Whom a renter may call when nothing else helped; sent to the backend only then, for that renter.
CONF_PHONE: Final = "phone"
# How long a car may stay after its period before it is told of (minutes).
CONF_GRACE_MIN: Final = "grace_min"
# On which terms the space is let: who agrees to a booking ("instant", "owner"), and times in minutes.
CONF_APPROVAL: Final = "approval"
CONF_SHORTEST: Final = "shortest_min"
CONF_LONGEST: Final = "longest_min"
CONF_NOTICE: Final = "notice_min"
CONF_CANCEL_UNTIL: Final = "cancel_until_min"
CONF_NOSHOW: Final = "noshow_min"
# What renters pay for an hour (entered as an amount; stored in the smallest unit of the currency it was entered in),
# what they have to know to get in, and the plug for their car: a connector word of OCPI 2.3, and kW.
CONF_PRICE: Final = "price"
CONF_PRICE_MINOR: Final = "price_minor"
CONF_CURRENCY: Final = "currency"
CONF_ACCESS_NOTES: Final = "access_notes"
CONF_PLUG: Final = "plug"
CONF_PLUG_KW: Final = "plug_kw"

# Entry options: which reader of plates (readers.ReaderKind), and whether the embedded one reads beside it.
CONF_READER: Final = "reader"
CONF_TOGETHER: Final = "together"
# The reader service: its address, its token (left out of diagnostics), and the id by which it announces itself.
CONF_SERVICE_URL: Final = "service_url"
CONF_SERVICE_TOKEN: Final = "service_token"  # noqa: S105 - the name of an option
CONF_SERVICE_ID: Final = "service_id"
# fast-plate-ocr: names of its hubs' models, or paths of ONNX files.
CONF_OCR: Final = "ocr"
CONF_OCR_CONFIG: Final = "ocr_config"
CONF_DETECTOR: Final = "detector"
