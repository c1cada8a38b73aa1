"""A booking that is made longer while its car stands in the bay."""

import time

import pytest

from tests.home.gate_house import House, house, reader, things
from tests.home.house_facts import fact, offer, proposal

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py


async def test_a_car_that_stands_there_may_stay_longer(house: House) -> None:
    await house.park()
    hub = house.hub
    await offer(hub, time.time() - 3600, time.time() + 86400)
    (grant,) = hub.grants.all()
    longer = proposal(hub, grant.booking, grant.start, grant.end + 1800) | {"revision": 2}
    await hub.on_event(fact("booking.changed", longer))
    assert house.space.occupied_by() == grant.booking
    right = house.space.gate.right
    assert right is not None
    assert right.end == pytest.approx(grant.end + 1800, abs=0.01)
    assert house.told("grant.stored")[-1] == {"booking": grant.booking, "revision": 2}
