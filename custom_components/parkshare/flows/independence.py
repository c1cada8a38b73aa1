"""Whether two sensors look on their own: one that is made from another is no second witness."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

ENTITY: Final = re.compile(r"\b[a-z_]+\.[a-z0-9_]+\b")
DEEPEST: Final = 5  # groups of groups; more is a circle


@callback
def are_independent(hass: HomeAssistant, entity_ids: Iterable[str]) -> bool:
    """Tell whether no two of these are the same, made one from the other, or both from a third.

    Groups and helpers are looked into. What an integration makes of its own hardware is not known.
    """
    made_of = [_made_of(hass, entity_id) for entity_id in entity_ids]
    return all(one.isdisjoint(other) for one, other in combinations(made_of, 2))


def _made_of(hass: HomeAssistant, entity_id: str) -> set[str]:
    """Return an entity and all from which it is made."""
    found, new = {entity_id}, {entity_id}
    for _ in range(DEEPEST):
        new = {part for each in new for part in _parts(hass, each)} - found
        found |= new
    return found


def _parts(hass: HomeAssistant, entity_id: str) -> set[str]:
    state, registry = hass.states.get(entity_id), er.async_get(hass)
    members = state.attributes.get(ATTR_ENTITY_ID) if state else None
    parts = {str(member) for member in members} if isinstance(members, list | tuple | set) else set[str]()
    # A helper names what it is made from in its options, by itself or within a template, by entity id or registry id.
    entry = registry.async_get(entity_id)
    helper = hass.config_entries.async_get_entry(entry.config_entry_id) if entry and entry.config_entry_id else None
    if helper is not None:
        for text in _texts(helper.options):
            named = registry.entities.get_entry(text)
            parts |= {named.entity_id} if named else set(ENTITY.findall(text))
    return {part for part in parts if hass.states.get(part) is not None or registry.async_get(part) is not None}


def _texts(options: Any) -> Iterator[str]:
    if isinstance(options, str):
        yield options
    elif isinstance(options, Mapping):
        for value in options.values():
            yield from _texts(value)
    elif isinstance(options, list | tuple):
        for value in options:
            yield from _texts(value)
