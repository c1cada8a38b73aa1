"""What the owner has to do, as repair issues. Each goes away by itself when its cause does."""

from collections.abc import Iterable
from typing import Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.helpers.start import async_at_started

from .barrier_kinds import unfit
from .const import CONF_BARRIER, CONF_SPACE_ID, CONF_URL, DOMAIN, SUBENTRY_SPACE
from .renames import equipment_of

BACKEND_UNREACHABLE: Final = "backend_unreachable"
UPGRADE_NEEDED: Final = "upgrade_needed"
INSTALL_REFUSED: Final = "install_refused"
WRONG_HOST: Final = "wrong_host"
CERTIFICATE_UNTRUSTED: Final = "certificate_untrusted"
TAKEN_OVER: Final = "taken_over"
ENTITY_MISSING: Final = "entity_missing"
PUBLISH_REFUSED: Final = "publish_refused"
READER_FALLBACK: Final = "reader_fallback"
CLOCK_WRONG: Final = "clock_wrong"
# Shown with the text of the reason, see barrier_kinds.Unfit.
BARRIER_UNFIT: Final[str] = "barrier_unfit"


@callback
def async_raise(hass: HomeAssistant, entry: ConfigEntry, kind: str) -> None:
    """Tell of something that concerns the whole entry."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{kind}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING if kind == BACKEND_UNREACHABLE else ir.IssueSeverity.ERROR,
        translation_key=kind,
        translation_placeholders={"title": entry.title, "url": entry.data[CONF_URL]},
    )


@callback
def async_clear(hass: HomeAssistant, entry: ConfigEntry, *kinds: str) -> None:
    """The cause is gone."""
    for kind in kinds:
        ir.async_delete_issue(hass, DOMAIN, f"{kind}_{entry.entry_id}")


@callback
def async_reader_trouble(hass: HomeAssistant, entry: ConfigEntry, reason: str) -> None:
    """Tell that the chosen reader does not work, and why; empty when it does. The embedded one reads meanwhile."""
    issue_id = f"{READER_FALLBACK}_{entry.entry_id}"
    if not reason:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=READER_FALLBACK,
        translation_placeholders={"title": entry.title, "reason": reason},
    )


@callback
def async_raise_clock_wrong(hass: HomeAssistant, entry: ConfigEntry, *, minutes: int) -> None:
    """Tell that the clock of the house differs from that of the backend."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{CLOCK_WRONG}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=CLOCK_WRONG,
        translation_placeholders={"title": entry.title, "minutes": str(minutes)},
    )


@callback
def async_raise_publish_refused(hass: HomeAssistant, entry: ConfigEntry, space: str, *, reason: str) -> None:
    """The backend does not take a space or its windows."""
    title = next((sub.title for sub in entry.subentries.values() if sub.data.get(CONF_SPACE_ID) == space), entry.title)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{PUBLISH_REFUSED}_{space}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=PUBLISH_REFUSED,
        translation_placeholders={"space": title, "reason": reason},
    )


@callback
def async_clear_publish_refused(hass: HomeAssistant, _entry: ConfigEntry, space: str) -> None:
    """The backend took it."""
    ir.async_delete_issue(hass, DOMAIN, f"{PUBLISH_REFUSED}_{space}")


def configured_entities(subentry: ConfigSubentry) -> list[str]:
    """The entities that a space needs. Its plate sources tell by themselves when theirs is missing."""
    return list(dict.fromkeys(equipment_of(subentry.data)))


@callback
def async_check_entities(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Tell of each space that names entities which are no longer there."""
    registry = er.async_get(hass)
    for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE):
        issue_id = f"{ENTITY_MISSING}_{subentry.subentry_id}"
        missing = [
            entity_id
            for entity_id in configured_entities(subentry)
            if hass.states.get(entity_id) is None and _is_gone(registry.async_get(entity_id))
        ]
        if not missing:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ENTITY_MISSING,
            translation_placeholders={"space": subentry.title, "entities": ", ".join(missing)},
        )


@callback
def async_check_barriers(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Tell of each barrier that can't be one as it is: the flow refuses it, but it may have changed since."""
    for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE):
        barrier = subentry.data[CONF_BARRIER]
        issue_id = f"{BARRIER_UNFIT}_{subentry.subentry_id}"
        if (reason := unfit(hass, barrier)) is None:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
            continue
        ir.async_create_issue(
            hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            severity=ir.IssueSeverity.ERROR,
            translation_key=reason.value,
            translation_placeholders={"space": subentry.title, "entity": barrier},
        )


def _is_gone(entry: er.RegistryEntry | None) -> bool:
    """Tell whether an entity without a state will not come by itself: one that starts late is in the registry."""
    return entry is None or entry.disabled


@callback
def async_watch_entities(hass: HomeAssistant, entry: ConfigEntry) -> CALLBACK_TYPE:
    """Check the entities once everything has started, and whenever the registry changes."""

    @callback
    def check(_: object) -> None:
        if hass.is_running:
            async_check_entities(hass, entry)
            async_check_barriers(hass, entry)

    @callback
    def barrier_changed(event: Event[EventStateChangedData]) -> None:
        # What it can do comes with its state: late after a start, and anew when it is set up differently.
        before, now = event.data["old_state"], event.data["new_state"]
        if hass.is_running and now and (before is None or before.attributes != now.attributes):
            async_check_barriers(hass, entry)

    barriers = [subentry.data[CONF_BARRIER] for subentry in entry.get_subentries_of_type(SUBENTRY_SPACE)]
    ends = (
        async_at_started(hass, check),
        hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, check),
        async_track_state_change_event(hass, barriers, barrier_changed),
    )

    def done() -> None:
        for end in ends:
            end()

    return done


@callback
def async_clear_all(hass: HomeAssistant, entry: ConfigEntry, subentries: Iterable[ConfigSubentry]) -> None:
    """The entry is unloaded: nothing of it is to be repaired now. subentries are those that it had when it began."""
    async_clear(
        hass,
        entry,
        BACKEND_UNREACHABLE,
        UPGRADE_NEEDED,
        INSTALL_REFUSED,
        WRONG_HOST,
        CERTIFICATE_UNTRUSTED,
        TAKEN_OVER,
        READER_FALLBACK,
        CLOCK_WRONG,
    )
    for subentry in subentries:
        ir.async_delete_issue(hass, DOMAIN, f"{ENTITY_MISSING}_{subentry.subentry_id}")
        ir.async_delete_issue(hass, DOMAIN, f"{BARRIER_UNFIT}_{subentry.subentry_id}")
        ir.async_delete_issue(hass, DOMAIN, f"{PUBLISH_REFUSED}_{subentry.data[CONF_SPACE_ID]}")
