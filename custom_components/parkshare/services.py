"""The actions of ParkShare."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids
from homeassistant.util import dt as dt_util

from .codes.given import async_given, due_grant
from .const import CONF_REGION, DOMAIN
from .link.facts import format_time
from .recognition import WHOLE, Region
from .record.export import async_setup_export
from .seeing.album import Kept
from .seeing.camera_test import PICTURES, CameraTestError, async_take, async_test, response_of
from .seeing.outcome_words import advice_texts, own_decision
from .space import SpaceRuntime
from .words import async_words

TEST_CAMERA: Final = "test_camera"
ONSITE_CODE: Final = "onsite_code"
ENTER_CODE: Final = "enter_code"
APPROVE_BOOKING: Final = "approve_booking"
DECLINE_BOOKING: Final = "decline_booking"
CODE: Final = "code"
BOOKING: Final = "booking"
TARGET_SCHEMA: Final = cv.make_entity_service_schema({})
BOOKING_SCHEMA: Final[Any] = vol.Schema({vol.Required(BOOKING): cv.string})
CODE_SCHEMA: Final = cv.make_entity_service_schema({vol.Required(CODE): cv.string})


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions. They say themselves when no space is running."""

    async def test_camera(call: ServiceCall) -> ServiceResponse:
        return await _async_test_camera(hass, _space_of(hass, call))

    async def onsite_code(call: ServiceCall) -> ServiceResponse:
        shown = await _space_of(hass, call).codes.async_onsite(dt_util.utcnow().timestamp())
        return {"code": shown.code, "valid_until": format_time(shown.valid_until)}

    async def enter_code(call: ServiceCall) -> None:
        await _async_enter_code(_space_of(hass, call), call.data[CODE])

    async def approve_booking(call: ServiceCall) -> None:
        await _async_answer(hass, call.data[BOOKING], approve=True)

    async def decline_booking(call: ServiceCall) -> None:
        await _async_answer(hass, call.data[BOOKING], approve=False)

    # For administrators: who agrees to a booking lets a stranger onto the space.
    async_register_admin_service(hass, DOMAIN, APPROVE_BOOKING, approve_booking, BOOKING_SCHEMA)
    async_register_admin_service(hass, DOMAIN, DECLINE_BOOKING, decline_booking, BOOKING_SCHEMA)
    # For administrators: what it reads are the plates of whoever stands before the camera.
    async_register_admin_service(
        hass, DOMAIN, TEST_CAMERA, test_camera, TARGET_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )
    # For administrators: who knows the code gets in without being there.
    async_register_admin_service(
        hass, DOMAIN, ONSITE_CODE, onsite_code, TARGET_SCHEMA, supports_response=SupportsResponse.ONLY
    )
    # For automations of everybody: a wrong code opens nothing.
    hass.services.async_register(DOMAIN, ENTER_CODE, enter_code, CODE_SCHEMA)
    async_setup_export(hass, _space_of)


async def _async_test_camera(hass: HomeAssistant, runtime: SpaceRuntime) -> ServiceResponse:
    """Try out the camera of a space; what was read is in the response, and drawn on the picture of the image entity."""
    if runtime.camera is None:
        raise CameraTestError("camera_missing")
    settings = runtime.subentry.data
    region = Region(*settings[CONF_REGION]) if settings.get(CONF_REGION) else WHOLE

    def busy() -> bool:
        return runtime.gate.camera

    pictures = await async_take(hass, runtime.camera, region, most=PICTURES, busy=busy)
    outcome = await async_test(pictures, runtime.hub.reader, runtime.hub.embedded, busy=busy)
    await runtime.album.async_keep(Kept.TEST, outcome.content, outcome.at)
    own = own_decision(outcome.looks, settings)
    return response_of(outcome, own, advice_texts(outcome, await async_words(hass)))


async def _async_answer(hass: HomeAssistant, booking: str, *, approve: bool) -> None:
    """Pass on what the owner says to a booking. Raises ServiceValidationError when none is asked about."""
    booking = booking.strip()
    hubs = [entry.runtime_data for entry in hass.config_entries.async_loaded_entries(DOMAIN)]
    asked = next((hub for hub in hubs if hub.asked.waits(booking)), None)
    if asked is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="nothing_asked")
    await asked.asked.async_answer(booking, approve=approve)


async def _async_enter_code(runtime: SpaceRuntime, code: str) -> None:
    """Take in what was typed at a space. Raises ServiceValidationError, which says why it opens nothing."""
    now = dt_util.utcnow().timestamp()
    grant = due_grant(runtime, now)
    if grant is None:
        raise _refused("no_booking", space=runtime.subentry.title)
    check = await async_given(runtime, grant, code, seen_at=now, on_site=True)
    if not check.right:
        raise _refused(check.why, tries_left=str(check.tries_left))


def _refused(why: str, **words: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=f"code_{why}", translation_placeholders=words
    )


def _space_of(hass: HomeAssistant, call: ServiceCall) -> SpaceRuntime:
    """Return the one space that an action is about; raises ServiceValidationError."""
    target = TargetSelection(call.data)
    selected = async_extract_referenced_entity_ids(hass, target, primary_entities_only=False)
    entities = er.async_get(hass)
    subentries: set[tuple[str, str]] = set()
    for entity_id in selected.referenced | selected.indirectly_referenced:
        entity = entities.async_get(entity_id)
        if entity is not None and entity.platform == DOMAIN and entity.config_entry_id and entity.config_subentry_id:
            subentries.add((entity.config_entry_id, entity.config_subentry_id))
    spaces: list[SpaceRuntime] = [
        runtime
        for entry in hass.config_entries.async_loaded_entries(DOMAIN)
        for subentry_id, runtime in entry.runtime_data.spaces.items()
        if (entry.entry_id, subentry_id) in subentries
    ]
    if len(spaces) != 1:
        key = "one_space_only" if spaces else "no_space"
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
    return spaces[0]
