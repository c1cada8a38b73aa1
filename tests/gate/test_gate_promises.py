"""What no sequence of inputs may make the gate do. `scripts/test --long gate` tries very many more of them."""

import os

from hypothesis import HealthCheck, settings

from custom_components.parkshare.gate.table import T
from tests.gate.covered import COVERED, Covered
from tests.gate.days import live
from tests.gate.promises import Promises

TestPromises = Promises.TestCase
TestPromises.settings = settings(
    # Mutation testing asks the same questions a thousand times, and has to do with fewer.
    max_examples=int(os.environ.get("PARKSHARE_GATE_EXAMPLES", "60")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def test_random_days_keep_every_promise() -> None:
    covered = Covered()
    for seed in range(1000, 1040):
        live(seed, covered)
    assert len(covered.states) > 100


def test_every_transition_of_the_table_can_happen() -> None:
    covered = Covered()
    everything = {transition.name for transition in T}
    for seed in range(3000):
        live(seed, covered)
        if covered.transitions >= everything:
            break
    print(f"random days: {covered}")
    print(f"hypothesis: {COVERED}")
    assert covered.transitions == everything
