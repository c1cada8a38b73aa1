"""Convert PP-OCRv6 from the RapidOCR package to the ncnn models of the embedded reader.

Usage: convert_models.py PACKAGES MODELS, where PACKAGES holds the unpacked rapidocr and pnnx packages and MODELS is
the folder to make. Standard library only, beside our own alphabet. Run by scripts/models.
"""

import hashlib
import importlib
import shutil
import struct
import subprocess
import sys
import tempfile
import types
import unicodedata
from collections.abc import Sequence
from pathlib import Path

# Our own modules, without the packages above them: those need Home Assistant.
_package = types.ModuleType("recognition")
_package.__path__ = [str(Path(__file__).parent.parent / "custom_components" / "parkshare" / "recognition")]
sys.modules["recognition"] = _package
CHARACTERS: str = importlib.import_module("recognition.alphabet").CHARACTERS
normalise = importlib.import_module("recognition.normalise").normalise

# Separators are classes of their own to the network; dropping them would push a hyphen's probability to some letter.
SEPARATORS = " -.·•:/|'’_–—°"  # noqa: RUF001

# ncnn writes this word before an array of half-precision floats.
HALF_PRECISION_TAG = struct.pack("<I", 0x01306B47)

NOTICE = """\
Models of the embedded plate reader of ParkShare

det.ncnn.* and rec.ncnn.* are derived from PP-OCRv6 (small) of PaddleOCR, as distributed in ONNX form by
RapidOCR {version}.

    PaddleOCR: Copyright (c) PaddlePaddle Authors and Baidu, Inc. All rights reserved.
    RapidOCR: Copyright (c) RapidOCR Authors. All rights reserved.

Both are licensed under the Apache License, Version 2.0. You may obtain a copy of the licence at
https://www.apache.org/licenses/LICENSE-2.0

Changes made: converted to the ncnn format with half-precision weights; the last layer of the recognition model was
reduced to the {classes} classes in charset.txt (the first class, which has no line, is the CTC blank). No weight was
trained or altered otherwise.
"""


def main(packages: Path, models: Path) -> None:
    """Make the models folder."""
    models.mkdir(parents=True)
    onnx = packages / "rapidocr" / "models"
    with tempfile.TemporaryDirectory() as scratch:
        det = convert(packages, onnx / "PP-OCRv6_det_small.onnx", ("[1,3,640,352]", "[1,3,352,640]"), Path(scratch))
        rec = convert(packages, onnx / "PP-OCRv6_rec_small.onnx", ("[1,3,48,320]", "[1,3,48,480]"), Path(scratch))
        for name, files in (("det", det), ("rec", rec)):
            for made, ending in zip(files, ("param", "bin"), strict=True):
                shutil.copyfile(made, models / f"{name}.ncnn.{ending}")
    characters = [*dictionary((onnx / "PP-OCRv6_rec_small.onnx").read_bytes()), " "]
    kept = [index for index, character in enumerate(characters) if belongs_on_plates(character)]
    prune(models / "rec.ncnn.param", models / "rec.ncnn.bin", 1 + len(characters), [0, *(1 + index for index in kept)])
    (models / "charset.txt").write_text("".join(f"{characters[index]}\n" for index in kept), encoding="utf-8")
    version = next(packages.glob("rapidocr-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    (models / "NOTICE").write_text(NOTICE.format(version=version, classes=len(kept)), encoding="utf-8")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(models.iterdir())]
    (models / "SHA256SUMS").write_text("".join(sums), encoding="ascii")


def convert(packages: Path, model: Path, shapes: Sequence[str], scratch: Path) -> tuple[Path, Path]:
    """Run pnnx on an ONNX model; returns the ncnn param and bin. Two input shapes keep width and height free."""
    shutil.copyfile(model, scratch / model.name)
    inputs = [f"inputshape={shapes[0]}", f"inputshape2={shapes[1]}"]
    ran = subprocess.run(
        [packages / "pnnx" / "pnnx", model.name, *inputs], cwd=scratch, capture_output=True, text=True, check=False
    )
    stem = model.stem.replace("-", "_")
    param, weights = scratch / f"{stem}.ncnn.param", scratch / f"{stem}.ncnn.bin"
    if ran.returncode or not param.exists() or not weights.exists():
        raise SystemExit(f"pnnx could not convert {model.name}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return param, weights


def dictionary(onnx: bytes) -> list[str]:
    """Find the characters in the ONNX file's metadata: protobuf entry key (field 1) "character", value (field 2)."""
    key = b"\x0a\x09character\x12"
    at = onnx.rindex(key) + len(key)
    length = shift = 0
    while True:
        length |= (onnx[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if onnx[at - 1] < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return onnx[at : at + length].decode().split("\n")


def belongs_on_plates(character: str) -> bool:
    """Tell whether a class is kept: what normalises to one of our characters, and separators."""
    if character in SEPARATORS:
        return True
    if unicodedata.normalize("NFKC", character) != character or (character.islower() and not character.isascii()):
        return False
    normalised = normalise(character)
    return len(normalised) == 1 and normalised in CHARACTERS


def prune(param: Path, weights: Path, classes: int, kept: Sequence[int]) -> None:
    """Keep only some classes of the last layer, a Gemm of [classes x features] weights and a bias, in place.

    Its arrays are the last ones of the file: tag, weights, tag, bias, all half precision, each padded to 4 bytes.
    """
    lines = param.read_text(encoding="ascii").splitlines()
    layer = max(index for index, line in enumerate(lines) if line.startswith("Gemm"))
    settings = dict(field.split("=") for field in lines[layer].split() if "=" in field)
    features = int(settings["9"])
    if int(settings["8"]) != classes or settings["3"] != "1":
        raise SystemExit(f"The recognition model has another last layer than expected: {lines[layer]}")
    lines[layer] = lines[layer].replace(f" 8={classes} ", f" 8={len(kept)} ")
    param.write_text("\n".join(lines) + "\n", encoding="ascii")

    content = weights.read_bytes()
    tag = len(HALF_PRECISION_TAG)
    bias_at = len(content) - padded(2 * classes)
    rows_at = bias_at - tag - padded(2 * classes * features)
    if content[bias_at - tag : bias_at] != HALF_PRECISION_TAG or content[rows_at - tag : rows_at] != HALF_PRECISION_TAG:
        raise SystemExit("The recognition model's weights are not laid out as expected; is this another pnnx?")
    row = 2 * features
    rows = b"".join(content[rows_at + index * row : rows_at + (index + 1) * row] for index in kept)
    bias = b"".join(content[bias_at + index * 2 : bias_at + (index + 1) * 2] for index in kept)
    weights.write_bytes(
        content[:rows_at]
        + rows.ljust(padded(len(rows)), b"\0")
        + HALF_PRECISION_TAG
        + bias.ljust(padded(len(bias)), b"\0")
    )


def padded(size: int) -> int:
    """Round up to whole words of 4 bytes."""
    return (size + 3) // 4 * 4


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
