"""How much the way round the network costs: recognition of one crop against the bare inference of the same input.

In a process with the worker's environment: threads that spin instead of sleeping would measure the other processes.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import ncnn
import numpy as np

from custom_components.parkshare.recognition.alphabet import CHARACTERS
from custom_components.parkshare.recognition.ctc import greedy
from custom_components.parkshare.recognition.detect import TextBox
from custom_components.parkshare.recognition.embedded import MODELS, MOST_THREADS, TUNING
from custom_components.parkshare.recognition.network import Network
from custom_components.parkshare.recognition.pictures import open_picture
from custom_components.parkshare.recognition.recognise import HEIGHT, Recogniser, crop
from custom_components.parkshare.recognition.working import environment

ROUNDS = 60


def one_crop(photograph: Path) -> dict[str, float]:
    """Measure in a process of its own; see _measured."""
    command = [sys.executable, "-m", "benchmarks.reading.crops", str(photograph)]
    done = subprocess.run(  # noqa: S603
        command, env=environment(TUNING), check=True, capture_output=True, text=True, timeout=300
    )
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _measured(photograph: Path) -> dict[str, float]:
    """Time a crop of a plate's size, cut, read and spelled by us, and the bare network on such an input (median ms)."""
    picture = open_picture(photograph.read_bytes())
    width, height = min(picture.width, 128.0), min(picture.height, 32.0)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    box = TextBox(corners, 1.0)
    recogniser = Recogniser(Network(MODELS, "rec", threads=MOST_THREADS), MODELS / "charset.txt")
    columns = crop(picture, box).width
    net = _bare("rec")
    values = np.zeros((3, HEIGHT, columns), dtype=np.float32)

    def ours() -> None:
        chosen, _ = greedy(recogniser.read(crop(picture, box)))
        "".join(CHARACTERS[column - 1] for column in chosen)

    def bare() -> None:
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(values))
        extractor.extract("out0")

    took = _in_turn(ours, bare)
    return {"ours_ms": took[0], "bare_ms": took[1], "ratio": took[0] / took[1], "input_width": float(columns)}


def _bare(name: str) -> ncnn.Net:
    net = ncnn.Net()
    net.opt.num_threads = MOST_THREADS
    for load, ending in ((net.load_param, "param"), (net.load_model, "bin")):
        if load(str(MODELS / f"{name}.ncnn.{ending}")):
            raise SystemExit(f"ncnn can't load {name}: run scripts/models")
    return net


def _in_turn(*calls: Callable[[], None]) -> list[float]:
    """Time calls by turns, so that what else runs hits all; returns each one's median (ms)."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, took in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            took.append((time.perf_counter() - began) * 1e3)
    return [statistics.median(took) for took in times]


if __name__ == "__main__":
    print(json.dumps(_measured(Path(sys.argv[1]))))
