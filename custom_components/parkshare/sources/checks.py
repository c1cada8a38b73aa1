"""What is wrong with what an owner entered for a source, by field. The words are keys of the flow's errors."""

from collections.abc import Mapping
from typing import Any, Final

from .frigate.api import BusyError, CertificateError, FrigateError, LoginError, UnreachableError, is_segment
from .frigate.card import Card
from .frigate.settings import (
    CONF_FRIGATE_CAMERA,
    CONF_PASSWORD,
    CONF_PICTURES,
    CONF_PREFIX,
    CONF_URL,
    CONF_VERIFY_SSL,
    CONF_ZONES,
)
from .generic.recipe import (
    CONF_CAMERA_PATH,
    CONF_CAMERAS,
    CONF_EACH_PATH,
    CONF_ONLY,
    CONF_ONLY_PATH,
    CONF_PLATE_PATH,
    CONF_SCORE_PATH,
    CONF_SCORE_SCALE,
    CONF_TIME_PATH,
    Scale,
)
from .paths import BadPathError, parse_path

PATHS: Final = (CONF_PLATE_PATH, CONF_EACH_PATH, CONF_SCORE_PATH, CONF_CAMERA_PATH, CONF_ONLY_PATH, CONF_TIME_PATH)


def recipe_errors(given: Mapping[str, Any]) -> dict[str, str]:
    """Check the paths, and that what belongs together is there."""
    errors: dict[str, str] = {}
    for field in PATHS:
        try:
            if given.get(field):
                parse_path(given[field])
        except BadPathError:
            errors[field] = "path_not_usable"
    if given.get(CONF_SCORE_SCALE, Scale.NONE) != Scale.NONE and not given.get(CONF_SCORE_PATH):
        errors[CONF_SCORE_PATH] = "score_path_missing"
    for path, values in ((CONF_CAMERA_PATH, CONF_CAMERAS), (CONF_ONLY_PATH, CONF_ONLY)):
        if given.get(values) and not given.get(path):
            errors[path] = "path_missing"
        # A filter that lets everything through is none: the plate of any camera would open this barrier.
        elif given.get(path) and not given.get(values):
            errors[values] = "values_missing"
    return errors


def connection_error(err: FrigateError) -> dict[str, str]:
    """Say which field of the connection is wrong, and how."""
    match err:
        case UnreachableError():
            return {CONF_URL: "frigate_unreachable"}
        case CertificateError():
            return {CONF_VERIFY_SSL: "frigate_certificate"}
        case LoginError():
            return {CONF_PASSWORD: "frigate_login"}
        case BusyError():
            return {"base": "frigate_busy"}
    return {CONF_URL: "not_frigate"}


def card_errors(card: Card, given: Mapping[str, Any]) -> dict[str, str]:
    """Compare the first form with what Frigate says about itself."""
    if not card.mqtt:
        return {"base": "frigate_mqtt_off"}
    if not card.reads_plates:
        return {"base": "frigate_lpr_off"}
    if card.prefix and card.prefix != given[CONF_PREFIX].strip("/"):
        return {CONF_PREFIX: "frigate_prefix"}
    return {}


def camera_errors(card: Card | None, given: Mapping[str, Any]) -> dict[str, str]:
    """Compare the second form with what Frigate says about the camera; without an address nothing is known of it."""
    if not is_segment(given[CONF_FRIGATE_CAMERA]):
        # It becomes a part of topics and addresses, where a sign with a meaning would lead elsewhere.
        return {CONF_FRIGATE_CAMERA: "frigate_camera_missing"}
    if card is None:
        return {CONF_PICTURES: "frigate_pictures_url"} if given.get(CONF_PICTURES) else {}
    camera = card.cameras.get(given[CONF_FRIGATE_CAMERA])
    if camera is None or not camera.enabled or not camera.reads_plates:
        wrong = "missing" if camera is None else "lpr_off" if camera.enabled else "off"
        return {CONF_FRIGATE_CAMERA: f"frigate_camera_{wrong}"}
    if given.get(CONF_ZONES) and camera.dedicated:
        # Frigate tells no zones of what a dedicated plate camera sees.
        return {CONF_ZONES: "frigate_zones_dedicated"}
    if not set(given.get(CONF_ZONES) or ()) <= set(camera.zones):
        return {CONF_ZONES: "frigate_zone_missing"}
    return {}
