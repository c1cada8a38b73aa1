"""The demo: the whole story with real parts on this machine. Run scripts/demo; it prepares what this needs."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import signal
import sys
from pathlib import Path
from typing import TextIO

from tests.simulators.car import Photo
from tests.simulators.ground_lock import Fault
from tests.simulators.home import SECRET
from tests.simulators.process import REPOSITORY

from .story import STEPS, Story
from .timeline import StepFailedError, Timeline
from .world import LOCK, World

# Seconds for the whole story; it takes about 270, more where Home Assistant starts for the first time.
TIME_LIMIT = 600.0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the story: 0 only if every step happened")
    parser.add_argument("--photo", type=Path, metavar="FILE", help="a photograph for the renter's car")
    parser.add_argument("--plate", metavar="TEXT", help="the renter's plate; with --photo: what is on it")
    parser.add_argument("--fault", choices=list(Fault), type=Fault, help="something is wrong with Olivia's ground lock")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the timeline for programs")
    parser.add_argument("--folder", type=Path, default=REPOSITORY / ".demo", help="state and logs, made anew")
    parser.add_argument("--limit", type=float, default=TIME_LIMIT, metavar="S", help="time limit of the story")
    options = parser.parse_args(arguments)
    if options.photo and not options.plate:
        parser.error("--photo needs --plate: the plate that the renter gives")
    if options.photo and not options.photo.is_file():
        parser.error(f"--photo: there is no file {options.photo}")
    return options


def claim(folder: Path) -> TextIO | None:
    """Take the folder for this demo, until the answer is closed; None when another demo has it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


async def run(options: argparse.Namespace) -> int:
    """Play the story; return the exit code."""
    # Resolved before any process starts in a folder of its own.
    folder = options.folder.resolve()
    if (lock := claim(folder)) is None:
        print(f"Another demo runs in {folder}. End it, or choose another --folder.", file=sys.stderr)
        return 2
    with lock:
        return await _play(options, World(folder))


async def _play(options: argparse.Namespace, world: World) -> int:
    timeline = Timeline(STEPS, logs=world.logs)
    if options.plate:
        world.renter.plate = options.plate
    if options.fault:
        await world.olivia.lock.set_fault(options.fault, on=True)
    story = Story(world, timeline, Photo(options.photo.resolve()) if options.photo else None)
    try:
        try:
            async with asyncio.timeout(options.limit):
                await story.play()
        except StepFailedError:
            pass  # the timeline tells
        except TimeoutError:
            timeline.say(f"The story did not end within {options.limit:.0f} s.")
        happened = timeline.conclude()
        if options.json:
            timeline.write(options.json)
        if not options.once:
            await _stay(world, timeline)
    finally:
        await world.stop()
    return 0 if happened else 1


async def _stay(world: World, timeline: Timeline) -> None:
    """Leave everything running and tell where it is, until Ctrl-C."""
    timeline.say(f"\nHome Assistant  {world.home.url}  user {world.home.user}, password {SECRET}")
    timeline.say(f"Backend         {world.server.url}  (API description: /api/v1/openapi.json)")
    for account in (world.olivia.account, world.nora.account, world.renter.account):
        timeline.say(f"  {account.name:8}      {account.email}, password {SECRET}")
    timeline.say(f"Broker          mqtt://127.0.0.1:{world.broker.port}")
    example = json.dumps({"plate": world.renter.plate, "distance": 2.5})
    timeline.say(
        f"                a car: mosquitto_pub -p {world.broker.port} -t sim/olivia_bay/control -m '{example}'"
    )
    timeline.say(f"Logs            {', '.join(str(log) for log in world.logs)}")
    timeline.say("Everything runs until Ctrl-C.")
    await asyncio.Event().wait()


async def _main(options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None
    ending = False

    def end() -> None:
        # Once: an impatient second Ctrl-C must not leave half of the processes behind.
        nonlocal ending
        if not ending:
            ending = True
            print("\nEnding everything that was started ...", file=sys.stderr)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        return await run(options)
    return 130


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(parse(sys.argv[1:]))))
