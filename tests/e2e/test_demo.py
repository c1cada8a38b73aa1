"""The story that scripts/demo plays, every step of it."""

import pytest

from .conftest import Stage
from .timeline import StepFailedError

pytestmark = pytest.mark.e2e


def test_every_step_of_the_mission_happens(stage: Stage) -> None:
    try:
        stage.do(stage.story.play_on(), within=420)
    except StepFailedError:
        pytest.fail(stage.printed.getvalue())
    assert stage.story.timeline.conclude(), stage.printed.getvalue()
    stage.do(stage.story.rain.drive_off(), within=90)
