"""What no sequence of inputs may make the gate do. `scripts/test --long gate` tries very many more of them."""

from hypothesis import HealthCheck, settings

from custom_components.parkshare.gate.table import T
from tests.gate.covered import COVERED, Covered
from tests.gate.days import live
from tests.gate.promises import Promises

TestPromises = Promises.TestCase
TestPromises.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def test_every_transition_of_the_table_can_happen() -> None:
    covered = Covered()
    for seed in range(300):
        live(seed, covered)
    print(f"random days: {covered}")
    print(f"hypothesis: {COVERED}")
    assert covered.transitions == {transition.name for transition in T}
