"""What happened when: the named steps of a story, what each took, and which did not happen."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

REASON_LIMIT = 700  # characters of a reason that are printed


class StepFailedError(RuntimeError):
    """A step of the story did not happen; the timeline knows which and why."""


@dataclass
class Step:
    """One named step. at and took_s are seconds; at counts from the start of the timeline."""

    name: str
    at: float | None = None
    took_s: float | None = None
    happened: bool = False
    reason: str = ""
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Add a line of detail."""
        self.notes.append(text)


class Timeline:
    """The steps of a story in order, all of them named before the first one runs."""

    def __init__(self, names: Sequence[str], *, logs: Sequence[Path] = (), out: TextIO | None = None) -> None:
        """Know the steps; out is where lines go (standard output when left out)."""
        self.steps = {name: Step(name) for name in names}
        self.figures: dict[str, float] = {}
        self.logs = list(logs)
        self._out = out or sys.stdout
        self._begun = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, file=self._out, flush=True)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._begun

    @contextlib.asynccontextmanager
    async def step(self, name: str, *, within: float) -> AsyncIterator[Step]:
        """Run a step: it happened if the block ends in time and without an exception."""
        step = self.steps[name]
        step.at = self.elapsed()
        try:
            async with asyncio.timeout(within):
                yield step
        except Exception as err:
            step.took_s = self.elapsed() - step.at
            late = isinstance(err, TimeoutError) and not str(err)
            step.reason = f"not within {within:.0f} s" if late else f"{type(err).__name__}: {err}"[:REASON_LIMIT]
            self._print(step)
            raise StepFailedError(f"{name}: {step.reason}") from err
        step.took_s = self.elapsed() - step.at
        step.happened = True
        self._print(step)

    def missing(self) -> list[Step]:
        """Return the steps that did not happen."""
        return [step for step in self.steps.values() if not step.happened]

    def conclude(self) -> bool:
        """Print the end of the story; tell whether every step happened."""
        missing = self.missing()
        for name, seconds in self.figures.items():
            self.say(f"{'':20}{name:<52}{seconds:8.3f} s")
        if not missing:
            self.say(f"\nEvery one of the {len(self.steps)} steps happened, in {self.elapsed():.1f} s.")
            return True
        self.say(f"\n{len(missing)} of {len(self.steps)} steps did not happen:")
        for step in missing:
            self.say(f"  - {step.name}" + (f": {step.reason}" if step.reason else " (not reached)"))
        self.say("Logs: " + ", ".join(str(log) for log in self.logs))
        return False

    def write(self, path: Path) -> None:
        """Write the timeline for programs."""
        steps = [asdict(step) for step in self.steps.values()]
        content = {"happened": not self.missing(), "took_s": self.elapsed(), "steps": steps, "figures_s": self.figures}
        path.write_text(json.dumps(content, indent=1) + "\n")

    def _print(self, step: Step) -> None:
        mark = "ok  " if step.happened else "FAIL"
        clock = time.strftime("%H:%M:%S")
        self.say(f"{clock} {step.at or 0:6.1f} s {mark} {step.name} ({step.took_s or 0:.1f} s)")
        for detail in [*step.notes, *([step.reason] if step.reason else [])]:
            self.say(f"{'':23}{detail}")
