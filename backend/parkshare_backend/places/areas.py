"""Streets and towns that may be shown, from the addresses of spaces that are shared.

Pure: standard library only. The address of one space is private until it is booked, while its area (rounded to about
100 m) stands in every search. So nothing is shown that one owner alone wrote: a street or town appears when at least
OWNERS different people wrote the same one within VICINITY_M of each other, without house numbers, and its position is
the middle of those areas. With fewer owners the street is not found, and its town only if enough of them wrote that.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from parkshare_backend.places.addresses import Address
from parkshare_backend.spaces.geometry import Point, area_of, distance_m

OWNERS = 3
VICINITY_M = 3000.0  # two streets with one name and town farther apart are two


@dataclass(frozen=True, slots=True)
class Known:
    """The address of one shared space: who owns it, and its area, never its place."""

    owner: str
    area: Point
    address: Address


@dataclass(frozen=True, slots=True)
class Area:
    """A street or town that may be shown."""

    label: str
    place: Point
    street: bool


def areas(found: Sequence[Known], *, near: Point | None, limit: int) -> list[Area]:
    """Give the streets, and the towns of the others, nearest first, or those of most spaces first."""
    streets = _grouped(found, lambda known: known.address.street_key if known.address.street else "")
    shown = [_area(group, street=True) for group in streets if _enough(group)]
    rest = [known for group in streets if not _enough(group) for known in group]
    towns = _grouped(rest, lambda known: known.address.town_key)
    shown += [_area(group, street=False) for group in towns if _enough(group)]
    if near is not None:
        shown.sort(key=lambda area: distance_m(near, area.place))
    return shown[:limit]


def _grouped(found: Iterable[Known], key_of: Callable[[Known], str]) -> list[list[Known]]:
    """Put together what has one key and lies together, largest group first; what has no key is left out."""
    groups: dict[str, list[list[Known]]] = {}
    for known in found:
        if not (key := key_of(known)):
            continue
        near = groups.setdefault(key, [])
        for group in near:
            if distance_m(group[0].area, known.area) <= VICINITY_M:
                group.append(known)
                break
        else:
            near.append([known])
    return sorted((group for near in groups.values() for group in near), key=len, reverse=True)


def _enough(group: Sequence[Known]) -> bool:
    return len({known.owner for known in group}) >= OWNERS


def _area(group: Sequence[Known], *, street: bool) -> Area:
    address = group[0].address
    label = ", ".join(part for part in (address.street, address.town) if part) if street else address.town
    # Within a few kilometres the mean of degrees is the middle; the antimeridian runs through no street.
    lat = sum(known.area.lat for known in group) / len(group)
    lon = sum(known.area.lon for known in group) / len(group)
    return Area(label, area_of(Point(lat, lon)), street)
