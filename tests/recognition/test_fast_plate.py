"""fast-plate-ocr with its real packages in its real worker process, on tiny models that the test makes."""

import itertools
import math
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from custom_components.parkshare.recognition import (
    BadPicture,
    Decision,
    Picture,
    ReaderTimeout,
    ReaderUnavailable,
    Region,
    judge,
)
from custom_components.parkshare.recognition.alphabet import COLUMN
from custom_components.parkshare.recognition.ctc import log_likelihoods
from custom_components.parkshare.recognition.fast_plate import DETECTORS, MODELS, FastPlateModels, FastPlateReader
from custom_components.parkshare.recognition.fast_plate_worker import downloaded, matrix_of, said
from tests.recognition.drawing import encoded
from tests.recognition.onnx_models import SIDE, bands, detector, recogniser

TEXT = "B0XK429"
PICTURE_SIZE = (640, 640)  # the detector's input, twice
PLATE = (200, 300, 440, 360)  # in the picture


def picture(text: str = TEXT, region: Region | None = None) -> Picture:
    """A picture with a plate of bands in it."""
    left, top, right, bottom = PLATE
    scene = Image.new("RGB", PICTURE_SIZE, (90, 120, 60))
    scene.paste(bands(text, (right - left, bottom - top)), (left, top))
    return Picture(encoded(scene, "PNG"), 5.0, region or Region())


@pytest.fixture
def local(tmp_path: Path) -> FastPlateModels:
    """Models as files; the detector finds the plate."""
    ocr, config = recogniser(tmp_path)
    scale = SIDE / PICTURE_SIZE[0]
    box = tuple(side * scale for side in PLATE)
    found = detector(tmp_path, [(*box, 0.9), (1.0, 1.0, 3.0, 3.0, 0.8), (0.0, 0.0, 50.0, 50.0, 0.1)])
    return FastPlateModels(ocr=str(ocr), ocr_config=str(config), detector=str(found))


def is_gone(pid: int | None) -> bool:
    return not Path(f"/proc/{pid}").exists()


type Make = Callable[..., FastPlateReader]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[FastPlateReader] = []

    def make(models: FastPlateModels, **options: object) -> FastPlateReader:
        made.append(FastPlateReader(models, **options))
        return made[-1]

    yield make
    for reader in made:
        await reader.stop()


async def test_local_models_read_a_plate_where_it_stands(make: Make, local: FastPlateModels) -> None:
    look = await make(local).read(picture())
    (reading,) = look.readings  # the tiny box and the unsure one are no plates
    assert (reading.text, reading.source, reading.taken_at) == (TEXT, "fast_plate_ocr", 5.0)
    assert reading.box == ((200.0, 300.0), (440.0, 300.0), (440.0, 360.0), (200.0, 360.0))
    assert len(reading.confidences) == len(TEXT)
    assert min(reading.confidences) > 0.9
    assert judge([look], TEXT).decision is Decision.ADMIT
    assert judge([look], "B0XK428").decision is not Decision.ADMIT


async def test_without_a_detector_the_region_is_the_plate(make: Make, tmp_path: Path) -> None:
    ocr, config = recogniser(tmp_path, mode="rgb")
    models = FastPlateModels(ocr=str(ocr), ocr_config=str(config), detector="")
    left, top, right, bottom = PLATE
    region = Region(left / 640, top / 640, right / 640, bottom / 640)
    look = await make(models).read_best([picture("OTHER"), picture(region=region)])
    assert [reading.text for reading in look.readings] == [TEXT]


async def test_the_picture_is_refused_where_it_is_none_and_the_worker_lives_on(
    make: Make, local: FastPlateModels
) -> None:
    reader = make(local)
    await reader.start()
    pid = reader.pid
    with pytest.raises(BadPicture):
        await reader.read(Picture(b"<html>", 0.0))
    assert (await reader.read(picture())).readings
    assert reader.pid == pid


async def test_a_crash_costs_one_picture_and_three_make_it_rest(make: Make, local: FastPlateModels) -> None:
    now = 1000.0
    reader = make(local, clock=lambda: now, read_timeout=5.0)
    for _ in range(3):
        await reader.start()
        assert reader.pid is not None
        os.kill(reader.pid, signal.SIGSEGV)
        with pytest.raises((ReaderTimeout, ReaderUnavailable)):
            await _until_it_fails(reader)
    with pytest.raises(ReaderUnavailable, match="rests") as told:
        await reader.read(picture())
    assert "another reader" in told.value.remedy
    now += 601
    assert (await reader.read(picture())).readings


async def _until_it_fails(reader: FastPlateReader) -> None:
    """Read; a worker that ended unnoticed between two pictures is replaced without a word, which is right."""
    await reader.read(picture())
    raise ReaderTimeout("it was replaced")


async def test_a_worker_that_was_stopped_leaves_no_process(make: Make, local: FastPlateModels) -> None:
    reader = make(local)
    await reader.start()
    pid = reader.pid
    await reader.stop()
    await reader.stop()
    assert is_gone(pid)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ocr": "/nowhere/model.onnx"}, "is not there"),
        ({"ocr_config": "/nowhere/config.yaml"}, "is not there"),
        ({"detector": "/nowhere/detector.onnx"}, "cannot be used"),
        ({"ocr": "no-such-model"}, "cannot be used"),
        ({"detector": "no-such-detector"}, "cannot be used"),
    ],
)
async def test_a_model_that_is_missing_is_named_with_what_to_do(
    make: Make, local: FastPlateModels, change: dict[str, str], reason: str
) -> None:
    models = FastPlateModels(**{"ocr": local.ocr, "ocr_config": local.ocr_config, "detector": local.detector} | change)
    with pytest.raises(ReaderUnavailable, match=reason) as told:
        await make(models).start()
    assert "options" in told.value.remedy


async def test_files_that_do_not_belong_together_fail_at_the_start(make: Make, tmp_path: Path) -> None:
    ocr, config = recogniser(tmp_path, probabilities=False)
    with pytest.raises(ReaderUnavailable, match="no probabilities"):
        await make(FastPlateModels(ocr=str(ocr), ocr_config=str(config), detector="")).start()
    ocr.write_bytes(b"not a model")
    with pytest.raises(ReaderUnavailable, match="cannot be used"):
        await make(FastPlateModels(ocr=str(ocr), ocr_config=str(config), detector="")).start()


async def test_a_download_that_fails_says_so(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody listens there: the internet is not asked.
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(ReaderUnavailable, match="downloaded") as told:
        await make(FastPlateModels(folder=str(tmp_path / "models"))).start()
    assert "internet" in told.value.remedy
    assert not list((tmp_path / "models").rglob("*.*"))


def test_a_download_that_was_cut_off_is_begun_anew(tmp_path: Path) -> None:
    asked: list[Path] = []
    cut_off = True

    def download(name: str, save_directory: Path) -> Path:
        """As the hubs do: a file that is there is taken for a whole one."""
        save_directory.mkdir(parents=True, exist_ok=True)
        file = save_directory / f"{name}.onnx"
        if not file.exists():
            asked.append(file)
            file.write_text("half" if cut_off else "whole")
            if cut_off:
                raise SystemExit  # the power is gone
        return file

    with pytest.raises(SystemExit):
        downloaded(download, "model", str(tmp_path))
    cut_off = False
    for _ in range(2):
        assert downloaded(download, "model", str(tmp_path)).read_text() == "whole"
    assert len(asked) == 2


async def test_missing_packages_say_where_the_reader_can_run_instead(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('libonnxruntime: wrong C library')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ReaderUnavailable, match="wrong C library") as told:
        await make(FastPlateModels()).start()
    assert "reader service" in told.value.remedy


async def test_what_prepares_the_reader_may_say_that_it_cannot(make: Make, local: FastPlateModels) -> None:
    async def prepare() -> None:
        raise ReaderUnavailable("No packages.", "Get some.")

    reader = make(local, prepare=prepare)
    with pytest.raises(ReaderUnavailable, match="No packages"):
        await reader.read(picture())
    assert reader.pid is None


def test_the_models_that_are_offered_are_those_of_the_hubs() -> None:
    from fast_plate_ocr.inference.hub import AVAILABLE_ONNX_MODELS
    from open_image_models.detection.core.hub import DETECTION_MODELS

    assert set(MODELS) <= AVAILABLE_ONNX_MODELS.keys()
    assert set(DETECTORS) <= DETECTION_MODELS.keys()


# Slots as a CTC matrix


@given(
    numbers=st.lists(st.lists(st.floats(0.01, 1.0), min_size=4, max_size=4), min_size=1, max_size=4),
    text=st.text("AB1", max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_the_matrix_gives_each_text_the_probability_that_the_slots_give_it(
    numbers: list[list[float]], text: str
) -> None:
    alphabet = "AB1_"
    slots = np.array(numbers)
    slots /= slots.sum(axis=1, keepdims=True)
    exact = sum(
        math.prod(slots[index, alphabet.index(c)] for index, c in enumerate(choice))
        for choice in itertools.product(alphabet, repeat=len(slots))
        if "".join(choice).replace("_", "") == text
    )
    (log,) = log_likelihoods(matrix_of(slots, alphabet, "_"), [[COLUMN[c] for c in text]])
    assert math.exp(log) == pytest.approx(exact, rel=1e-3, abs=2e-5)


def test_equal_neighbours_stay_two_and_separators_are_empty() -> None:
    alphabet = "A-_"
    slots = np.array([[0.98, 0.01, 0.01], [0.01, 0.98, 0.01], [0.98, 0.01, 0.01], [0.0, 0.0, 1.0]])
    assert said(slots, alphabet, "_") == ("AA", (0.98, 0.98))
    one, two = log_likelihoods(matrix_of(slots, alphabet, "_"), [[COLUMN["A"]], [COLUMN["A"]] * 2])
    assert two > math.log(0.9)
    assert one < math.log(0.1)
