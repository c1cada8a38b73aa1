"""After a visit: its bay's next booking works, and the owner's button ends it."""

import contextlib

from tests.simulators.barrier import Position

from .light import LightCar
from .street import UNREACHABLE, Bay, Street
from .visit import STATE_S, becomes

PATIENCE_S = 120.0  # all bays have their next car at the same time, and one reader reads them all


async def come_again(street: Street, bay: Bay, earlier: str) -> list[str]:
    """Book, come, park and leave once more; returns what did not work. earlier is the booking of the visit."""
    lock, booking = bay.lock, ""
    # What the faults left open would be in the way.
    await _clear_away(bay, earlier)
    try:
        booking = await street.book(bay)
        await bay.renter.here(booking)
        car = LightCar(bay.renter.plate)
        await car.drive_up(lock, start=6.0, speed=4.0)
        await car.park(lock, patience=PATIENCE_S)
        await bay.renter.booking_in_state(booking, "active", within=STATE_S)
        await car.leave(lock)
        for sensor in ("radar", "magnetic"):
            await street.home.api.seen(lock.entity(sensor), lambda change: change.state == "off")
        await street.press(bay, "raise")
        if not await becomes(lambda: lock.barrier.position is Position.UP, 30):
            raise TimeoutError("the bow did not rise")
        await bay.renter.booking_in_state(booking, "fulfilled", within=STATE_S)
    except (*UNREACHABLE, RuntimeError) as error:
        lock.in_view = None
        await lock.set_car_in_bay(False)
        await _clear_away(bay, booking)
        return [f"the next booking did not work: {type(error).__name__} {str(error)[:160]}"]
    return []


async def _clear_away(bay: Bay, booking: str) -> None:
    """Take back what was not fulfilled, so that the bay can be booked again."""
    with contextlib.suppress(RuntimeError, *UNREACHABLE):
        if booking and (await bay.renter.booking(booking))["state"] not in ("fulfilled", "cancelled"):
            await bay.renter.account.call("POST", f"/bookings/{booking}/cancel")
