"""The demo's verdict about itself: it must not say that something happened which did not."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from .demo import parse
from .timeline import StepFailedError, Timeline


async def test_a_story_without_failures_happened(tmp_path: Path) -> None:
    timeline = Timeline(["one"], out=io.StringIO())
    async with timeline.step("one", within=1) as step:
        step.note("a detail")
    timeline.write(tmp_path / "timeline.json")
    written = json.loads((tmp_path / "timeline.json").read_text())
    assert timeline.conclude()
    assert written["happened"]
    assert written["steps"][0]["notes"] == ["a detail"]


async def test_a_failed_step_is_named_with_its_reason_and_the_later_ones_count_as_not_reached(tmp_path: Path) -> None:
    out = io.StringIO()
    timeline = Timeline(["one", "two", "three"], logs=[Path("backend.log")], out=out)
    async with timeline.step("one", within=1):
        pass
    with pytest.raises(StepFailedError):
        async with timeline.step("two", within=1):
            raise AssertionError("the lock moved")
    assert not timeline.conclude()
    assert "two: AssertionError: the lock moved" in out.getvalue()
    assert "three (not reached)" in out.getvalue()
    assert "backend.log" in out.getvalue()
    timeline.write(tmp_path / "timeline.json")
    assert [step["happened"] for step in json.loads((tmp_path / "timeline.json").read_text())["steps"]] == [
        True,
        False,
        False,
    ]


async def test_a_step_that_takes_too_long_did_not_happen() -> None:
    timeline = Timeline(["one"], out=io.StringIO())
    with pytest.raises(StepFailedError, match="not within 0 s"):
        async with timeline.step("one", within=0):
            await asyncio.sleep(5)
    assert not timeline.conclude()


def test_a_photograph_without_its_plate_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--photo", __file__])
    assert "--photo needs --plate" in capsys.readouterr().err
