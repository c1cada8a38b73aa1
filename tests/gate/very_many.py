"""Very many days and sequences: `scripts/test --long gate`."""

import argparse
import time

import tests.gate.alone  # noqa: F401 - before anything imports the core

# isort: split
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from custom_components.parkshare.gate.table import T
from tests.gate.covered import COVERED, Covered
from tests.gate.days import STEPS, live
from tests.gate.promises import Promises


def days(count: int) -> Covered:
    """Live through so many random days."""
    covered = Covered()
    for number in range(count):
        live(number, covered)
        if number % 2000 == 1999:
            print(f"  {number + 1} days: {covered}", flush=True)
    return covered


def sequences(count: int, number: int) -> None:
    """Let hypothesis look for so many sequences."""
    limits = settings(
        max_examples=count,
        stateful_step_count=50,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Promises), settings=limits)


def main() -> None:
    """Run both, and tell what they came through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=20_000)
    parser.add_argument("--sequences", type=int, default=2_000, help="for each seed")
    parser.add_argument("--seeds", type=int, default=3)
    chosen = parser.parse_args()
    began = time.monotonic()
    covered = days(chosen.days)
    print(f"{chosen.days} random days of {STEPS} events: {covered} ({time.monotonic() - began:.0f} s)")
    for number in range(chosen.seeds):
        began = time.monotonic()
        sequences(chosen.sequences, number)
        print(
            f"{chosen.sequences} sequences, seed {number}: {COVERED} so far ({time.monotonic() - began:.0f} s)",
            flush=True,
        )
    missing = {transition.name for transition in T} - covered.transitions - COVERED.transitions
    both = covered.states | COVERED.states
    pairs = covered.pairs | COVERED.pairs
    print(
        f"Together: {covered.steps + COVERED.steps} steps, {len(both)} states, {len(pairs)} pairs; no promise broken."
    )
    print(f"Transitions never taken: {', '.join(sorted(missing)) or 'none'} of {len(T)}.")


if __name__ == "__main__":
    main()
