"""Looking at bookings: who may see which, and which are live when. service.py adds what changes them."""

from parkshare_backend.accounts.installs import Install
from parkshare_backend.bookings import rows, trail
from parkshare_backend.bookings.rows import Booking
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.spaces.periods import Period
from parkshare_backend.spaces.service import Space, Spaces
from parkshare_backend.store.engine import ReadTx, Store


class BookingLookup:
    """The bookings of all renters, as renters, owners and the other features see them."""

    def __init__(self, *, store: Store, spaces: Spaces) -> None:
        self._store = store
        self._spaces = spaces

    async def find(self, account: str, booking: str) -> tuple[Booking, Space]:
        """Give a booking to its renter or to the owner of its space; for anybody else there is none."""
        async with self._store.read() as tx:
            return await self._find(tx, account, booking)

    async def trail_of(self, account: str, booking: str) -> list[trail.Entry]:
        """Give everything that happened to a booking to its renter or to the owner of its space, oldest first."""
        async with self._store.read() as tx:
            found, _ = await self._find(tx, account, booking)
            return await trail.read(tx, found.id)

    async def listed(
        self, account: str, *, role: str, before: str | None, limit: int
    ) -> tuple[list[tuple[Booking, Space]], str | None]:
        """Give a page of bookings, newest first, and the cursor of the next page."""
        async with self._store.read() as tx:
            if role == "owner":
                owned = await self._spaces.ids_of_account(tx, account)
                found = await rows.list_on_spaces(tx, owned, before=before, limit=limit + 1)
            else:
                found = await rows.list_of_account(tx, account, before=before, limit=limit + 1)
            page = found[:limit]
            spaces = await self._spaces.get_many(tx, {booking.space for booking in page})
        cursor = page[-1].id if len(found) > limit else None
        return [(booking, spaces[booking.space]) for booking in page], cursor

    async def get_with_space(self, tx: ReadTx, booking: str) -> tuple[Booking, Space] | None:
        """Give a booking and its space to another part of the backend."""
        found = await rows.get(tx, booking)
        return (found, await self._space_of(tx, found)) if found else None

    async def of_renter(self, tx: ReadTx, account: str, booking: str) -> tuple[Booking, Space]:
        """Give a booking to its renter; for anybody else there is none."""
        return await self._find(tx, account, booking, renter_only=True)

    async def of_house(self, tx: ReadTx, install: Install, booking: str) -> tuple[Booking, Space]:
        """Give a booking on a space of this house. Raises Problem NOT_FOUND for any other."""
        found = await self.get_with_space(tx, booking)
        if found is None or not await self._spaces.speaks_for(tx, install, found[1]):
            raise Problem(NOT_FOUND, "The house has no such booking.", pointer="/d/booking")
        return found

    async def waiting_on(self, tx: ReadTx, space: str) -> list[Booking]:
        """Give the bookings of a space that wait for their car, earliest first."""
        return [booking for booking in await rows.live_on_spaces(tx, [space]) if booking.waiting]

    async def live_of_renter(self, tx: ReadTx, account: str, around: Period) -> list[tuple[Booking, Space]]:
        """Give the renter's live bookings whose period overlaps the given one, with their spaces."""
        return await self._with_spaces(tx, await rows.live_of_account(tx, account, around))

    async def live_on_own(self, tx: ReadTx, account: str, around: Period) -> list[tuple[Booking, Space]]:
        """Give the live bookings of others on the account's spaces whose period overlaps the given one."""
        owned = await self._spaces.ids_of_account(tx, account)
        found = await rows.live_on_spaces(tx, owned, around) if owned else []
        return await self._with_spaces(tx, [booking for booking in found if booking.account != account])

    async def _find(
        self, tx: ReadTx, account: str, booking: str, *, renter_only: bool = False
    ) -> tuple[Booking, Space]:
        found = await rows.get(tx, booking)
        if found is None:
            raise Problem(NOT_FOUND)
        space = await self._space_of(tx, found)
        if account != found.account and (renter_only or account != space.account):
            raise Problem(NOT_FOUND)
        return found, space

    async def _space_of(self, tx: ReadTx, booking: Booking) -> Space:
        space = await self._spaces.get(tx, booking.space)
        if space is None:
            raise RuntimeError("a booking without its space")  # the foreign key forbids it
        return space

    async def _with_spaces(self, tx: ReadTx, found: list[Booking]) -> list[tuple[Booking, Space]]:
        spaces = await self._spaces.get_many(tx, {booking.space for booking in found})
        return [(booking, spaces[booking.space]) for booking in found]
