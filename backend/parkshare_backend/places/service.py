"""From a text to places and from a point to an address.

What needs no service always answers: a pair of numbers, the account's own places and spaces, the streets and towns of
the spaces that are shared. A service, if the operator chose one, is asked beside that; when it fails, is slow or wants
to be left alone, the answer says `degraded` and holds what is known without it.
"""

from dataclasses import dataclass
from typing import Any

import structlog

from parkshare_backend import __version__
from parkshare_backend.clock import Clock
from parkshare_backend.places import rows
from parkshare_backend.places.addresses import folded
from parkshare_backend.places.areas import Known, areas
from parkshare_backend.places.coordinates import read_point
from parkshare_backend.places.found import Found, without_doubles
from parkshare_backend.places.geocoders import Geocoder, ServiceError
from parkshare_backend.places.turns import Turns
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.geometry import Point, area_of, distance_m
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.store.engine import ReadTx, Store

ANSWERS_KEPT = 30 * 86_400.0  # seconds; streets move slowly
PAUSE_S = 30.0  # a service that failed is left alone this long, by every instance
LONGEST_PAUSE_S = 3600.0  # however long it asks for
REVERSE_M = 100.0  # an own place or space this near is where the point is
NEAR_STEP = 1  # decimals of a degree to which `near` counts: people of one town share answers
POINT_STEP = 4  # decimals of a degree of a reverse question, about 11 m

log = structlog.get_logger()


def finder_of(settings: Settings, *, store: Store, spaces: Spaces, clock: Clock) -> Finder:
    """Make the finder that the operator chose, and keep its words of addresses up to date."""
    service: Geocoder | None = None
    if settings.places_service != "none":
        # Here, not above: most servers ask no service, and need not load 6 MB for it.
        from parkshare_backend.places.geopy_geocoder import GeopyGeocoder  # noqa: PLC0415

        contact = f" ({settings.places_contact})" if settings.places_contact else ""
        service = GeopyGeocoder(
            settings.places_service,
            url=settings.places_url,
            user_agent=f"ParkShare/{__version__} {settings.public_url}{contact}",
            timeout_s=settings.places_timeout_s,
            key=settings.places_key.get_secret_value(),
        )
    spaces.on_published(rows.index_address)
    turns = Turns(store, clock, per_second=settings.places_per_second)
    return Finder(store=store, clock=clock, spaces=spaces, turns=turns, service=service)


@dataclass(frozen=True, slots=True)
class Places:
    """Places that were found, whom to name for them, and whether a service was missing."""

    items: list[Found]
    attribution: str | None = None
    degraded: bool = False


@dataclass(slots=True)
class Finder:
    """Finds places."""

    store: Store
    clock: Clock
    spaces: Spaces
    turns: Turns
    service: Geocoder | None = None

    async def search(self, account: str, text: str, *, near: Point | None, limit: int) -> Places:
        """Give places for a text, the surest first."""
        if (point := read_point(text)) is not None:
            return Places([Found(f"{point.lat:g}, {point.lon:g}", point.lat, point.lon, "point", "coordinates")])
        words = folded(text)
        if not words:
            return Places([])
        async with self.store.read() as tx:
            saved = [one for one in await self._saved(tx, account) if _begins(folded(one.label), words)]
            shared = await self._shared(tx, words, near, limit)
        near_key = None if near is None else [round(near.lat, NEAR_STEP), round(near.lon, NEAR_STEP)]
        known = await self._ask(["search", " ".join(words), near_key, limit], text, near, limit)
        return self._answer(saved, known, shared, limit)

    async def reverse(self, account: str, point: Point) -> Places:
        """Give what is at a point: an own place or space, and the address that the service knows."""
        async with self.store.read() as tx:
            own = [*await self._saved(tx, account), *await self._own_spaces(tx, account)]
        here = sorted((distance_m(point, one.place), index) for index, one in enumerate(own))
        mine = [own[index] for away_m, index in here if away_m <= REVERSE_M]
        known = await self._ask(["reverse", round(point.lat, POINT_STEP), round(point.lon, POINT_STEP)], None, point, 1)
        return self._answer(mine, known, [], limit=5)

    async def close(self) -> None:
        """End the connections to the service."""
        if self.service is not None:
            await self.service.close()

    def _answer(self, own: list[Found], known: list[Found] | None, shared: list[Found], limit: int) -> Places:
        items = without_doubles([*own, *(known or []), *shared])[:limit]
        return Places(items, self.service.attribution if self.service and known else None, known is None)

    async def _saved(self, tx: ReadTx, account: str) -> list[Found]:
        return [Found(row.label, row.lat, row.lon, "saved", "saved") for row in await rows.saved_of(tx, account)]

    async def _own_spaces(self, tx: ReadTx, account: str) -> list[Found]:
        own = await self.spaces.get_many(tx, await self.spaces.ids_of_account(tx, account))
        return [
            Found(space.address, space.place.lat, space.place.lon, "address", "spaces")
            for space in own.values()
            if space.address and not space.withdrawn
        ]

    async def _shared(self, tx: ReadTx, words: list[str], near: Point | None, limit: int) -> list[Found]:
        matching = await rows.matching_addresses(tx, words)
        spaces = await self.spaces.get_many(tx, list(matching))
        known = [
            Known(space.account, area_of(space.place), matching[space.id])
            for space in spaces.values()
            if space.sharing and not space.withdrawn
        ]
        return [
            Found(area.label, area.place.lat, area.place.lon, "street" if area.street else "town", "spaces")
            for area in areas(known, near=near, limit=limit)
        ]

    async def _ask(self, question: list[Any], text: str | None, point: Point | None, limit: int) -> list[Found] | None:
        """Give what the service says, from its kept answers or anew; None if it cannot be asked now."""
        if self.service is None:
            return []
        key = rows.hash_of([self.service.name, *question])
        async with self.store.read() as tx:
            kept = await rows.kept_answer(tx, key, since=self.clock.now() - ANSWERS_KEPT)
        if kept is not None:
            return kept
        if not await self.turns.take(self.service.name):
            return None
        try:
            if text is not None:
                found = await self.service.search(text, near=point, limit=limit)
            elif point is not None:
                found = await self.service.reverse(point)
            else:
                found = []
        except ServiceError as error:
            log.warning("places.service_failed", service=self.service.name, reason=error.reason)
            wait_s = PAUSE_S if error.wait_s is None else error.wait_s
            await self.turns.pause(self.service.name, min(max(wait_s, PAUSE_S), LONGEST_PAUSE_S))
            return None

        async def keep() -> None:
            async with self.store.write() as tx:
                await rows.keep_answer(tx, key, found, at=self.clock.now())

        await self.store.again(keep)
        return found


def _begins(label: list[str], words: list[str]) -> bool:
    """Tell whether each word begins some word of the label."""
    return all(any(known.startswith(word) for known in label) for word in words)
