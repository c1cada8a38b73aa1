"""The weights of our own tiny reader that lie in the tree: whole, small, and able to read."""

import hashlib
from pathlib import Path

import ncnn
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from custom_components.parkshare.recognition.alphabet import FOLDED, LATIN
from custom_components.parkshare.recognition.ctc import greedy
from tests.recognition.drawing import plate, scene

WEIGHTS = Path(__file__).parents[2] / "custom_components" / "parkshare" / "recognition" / "own_weights"
PLATES = ("B AB 1234", "KA 482 XY", "7ABC 593", "WX 66 EFG", "ZRH 9205", "MN 3478 PT", "LUV 580", "5 JHG 724")


@pytest.fixture(scope="module")
def net() -> ncnn.Net:
    net = ncnn.Net()
    net.opt.num_threads = 1
    assert not net.load_param(str(WEIGHTS / "own.ncnn.param"))
    assert not net.load_model(str(WEIGHTS / "own.ncnn.bin"))
    return net


def read(net: ncnn.Net, picture: Image.Image) -> NDArray[np.float32]:
    """Return 36 x 37 probabilities."""
    grey = np.asarray(picture.convert("L").resize((144, 48), Image.Resampling.BILINEAR), np.float32)
    values = np.ascontiguousarray(grey[None] / 255 - 0.5)  # ncnn only borrows it
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(values))
    failed, answer = extractor.extract("out0")
    assert not failed
    return np.array(answer).reshape(1 + len(LATIN), 36).T


def text(chances: NDArray[np.float32]) -> str:
    """Return the best path's text, characters that no reader can tell apart folded."""
    columns, _ = greedy(np.log(chances + 1e-9))
    return "".join(LATIN[column - 1] for column in columns).translate(str.maketrans(FOLDED))


def wanted(written: str) -> str:
    return written.replace(" ", "").translate(str.maketrans(FOLDED))


def right(net: ncnn.Net, crops: list[Image.Image]) -> int:
    return sum(text(read(net, crop)) == wanted(written) for crop, written in zip(crops, PLATES, strict=True))


def test_the_weights_are_those_that_were_trained() -> None:
    lines = (WEIGHTS / "SHA256SUMS").read_text().splitlines()
    sums = {name: sum_ for sum_, name in (line.split() for line in lines)}
    assert sorted(sums) == ["own.ncnn.bin", "own.ncnn.param"]
    for name, sum_ in sums.items():
        assert hashlib.sha256((WEIGHTS / name).read_bytes()).hexdigest() == sum_, name


def test_there_are_fewer_than_a_million_of_them_in_half_precision() -> None:
    assert (WEIGHTS / "own.ncnn.bin").stat().st_size / 2 < 1_000_000


def test_the_card_lies_beside_them() -> None:
    assert (WEIGHTS.parents[3] / "docs" / "model-card.md").exists()
    assert "docs/model-card.md" in (WEIGHTS / "MODEL_CARD.md").read_text()


def test_each_column_is_a_distribution(net: ncnn.Net) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (60, 200), dtype=np.uint8))
    for picture in (noise, Image.new("L", (100, 30), 255), plate("ABC 123")):
        chances = read(net, picture)
        assert chances.min() >= 0
        assert chances.sum(axis=1) == pytest.approx(1, abs=0.01)


def test_an_empty_surface_reads_as_nothing(net: ncnn.Net) -> None:
    assert text(read(net, Image.new("L", (144, 48), 140))) == ""


def test_it_reads_whole_plates_in_letters_it_was_not_trained_on(net: ncnn.Net) -> None:
    assert right(net, [plate(written) for written in PLATES]) >= len(PLATES) - 1


def test_it_reads_the_line_of_text_alone(net: ncnn.Net) -> None:
    crops = []
    for written in PLATES:
        whole = plate(written, height=80)
        crops.append(whole.crop((30, 8, whole.width - 30, whole.height - 6)))
    assert right(net, crops) >= len(PLATES) - 1


def test_it_reads_small_blurred_and_slightly_turned_plates(net: ncnn.Net) -> None:
    crops = []
    for written in PLATES:
        small = plate(written, height=24)
        seen = scene(small, size=(640, 360), degrees=2)
        x, y = 320 - small.width // 2 - 2, 180 - 2
        crops.append(seen.crop((x, y, x + small.width + 4, y + small.height + 6)))
    assert right(net, crops) >= len(PLATES) - 2


def test_it_reads_bright_letters_on_dark_ground(net: ncnn.Net) -> None:
    crops = [plate(written).convert("L").point(lambda value: 255 - value) for written in PLATES]
    assert right(net, crops) >= len(PLATES) - 2
