"""Tiny ONNX models with the inputs and outputs of fast-plate-ocr 1.1 and open-image-models 0.6, made at test time.

The recogniser reads bands: a crop is cut into as many columns as it has slots, and how bright a column is says which
character stands there. So what it reads depends on every step before it: the box, the crop, its size and its colours.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
SLOTS = 8
HEIGHT, WIDTH = 64, 128
SIDE = 320  # px; the detector's square input

CONFIG = f"""\
max_plate_slots: {SLOTS}
alphabet: '{ALPHABET}'
pad_char: '_'
img_height: {HEIGHT}
img_width: {WIDTH}
keep_aspect_ratio: false
interpolation: linear
image_color_mode: {{mode}}
"""


def _saved(
    path: Path,
    nodes: list[onnx.NodeProto],
    given: onnx.ValueInfoProto,
    wanted: onnx.ValueInfoProto,
    constants: dict[str, np.ndarray],
) -> Path:
    initial = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, path.stem, [given], [wanted], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def recogniser(folder: Path, *, mode: str = "grayscale", probabilities: bool = True) -> tuple[Path, Path]:
    """Make a recogniser and its configuration: N x 64 x 128 x C bytes in, N x slots x characters out."""
    channels = 1 if mode == "grayscale" else 3
    levels = np.arange(len(ALPHABET), dtype=np.float32) * np.float32(255 / (len(ALPHABET) - 1))
    node = helper.make_node
    nodes = [
        node("Cast", ["input"], ["pixels"], to=TensorProto.FLOAT),
        node("Reshape", ["pixels", "columns"], ["cut"]),
        # The middle of each column only: resizing smears its borders.
        node("Slice", ["cut", "from", "to", "axis"], ["middle"]),
        node("ReduceMean", ["middle"], ["bright"], axes=[1, 3, 4], keepdims=0),
        node("Unsqueeze", ["bright", "last"], ["bright3"]),
        node("Sub", ["bright3", "levels"], ["off"]),
        node("Mul", ["off", "off"], ["squared"]),
        node("Mul", ["squared", "sharpness"], ["logits"]),
        node("Softmax", ["logits"], ["plate"], axis=-1) if probabilities else node("Identity", ["logits"], ["plate"]),
    ]
    constants = {
        "columns": np.array([-1, HEIGHT, SLOTS, WIDTH // SLOTS, channels], np.int64),
        "from": np.array([4], np.int64),
        "to": np.array([WIDTH // SLOTS - 4], np.int64),
        "axis": np.array([3], np.int64),
        "last": np.array([2], np.int64),
        "levels": levels.reshape(1, 1, -1),
        "sharpness": np.array(-0.25, np.float32),
    }
    given = helper.make_tensor_value_info("input", TensorProto.UINT8, ["n", HEIGHT, WIDTH, channels])
    wanted = helper.make_tensor_value_info("plate", TensorProto.FLOAT, ["n", SLOTS, len(ALPHABET)])
    config = folder / "bands.yaml"
    config.write_text(CONFIG.format(mode=mode))
    return _saved(folder / "bands.onnx", nodes, given, wanted, constants), config


def detector(folder: Path, boxes: list[tuple[float, float, float, float, float]]) -> Path:
    """Make a detector that finds these boxes (left, top, right, bottom in px of its input, score) in every picture."""
    rows = np.array([[0, *box[:4], 0, box[4]] for box in boxes], np.float32).reshape(-1, 7)
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        node("Mul", ["mean", "nothing"], ["zero"]),
        node("Add", ["rows", "zero"], ["output"]),
    ]
    given = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    wanted = helper.make_tensor_value_info("output", TensorProto.FLOAT, [len(rows), 7])
    constants = {"rows": rows, "nothing": np.array(0, np.float32)}
    return _saved(folder / "boxes.onnx", nodes, given, wanted, constants)


def bands(text: str, size: tuple[int, int]) -> Image.Image:
    """Draw a text as the recogniser reads it."""
    levels = [round(ALPHABET.index(c) * 255 / (len(ALPHABET) - 1)) for c in text.ljust(SLOTS, "_")]
    row = np.repeat(np.array(levels, np.uint8), size[0] // SLOTS)
    return Image.fromarray(np.broadcast_to(row, (size[1], len(row))).copy()).convert("RGB")
