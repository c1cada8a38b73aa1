"""Turns a checkpoint into ncnn files with half-precision weights: python -m training.export CHECKPOINT PACKAGES FOLDER.

PACKAGES is a folder with the pnnx package, whose converter is used as a program. What comes out is compared with
what went in before it is kept.
"""

import argparse
import hashlib
import subprocess
import tempfile
from pathlib import Path

import ncnn
import numpy as np
import torch

from training.crops import Drawer
from training.network import CLASSES, HEIGHT, STEPS, WIDTH, Answering, PlateNet
from training.train import loaded

FILES = ("own.ncnn.param", "own.ncnn.bin")
_CHECKED = 300  # drawn plates on which both must agree
_SLACK = 0.02  # by which a probability may differ: half precision


def main() -> None:
    """Export, check, and write the checksums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("packages", type=Path)
    parser.add_argument("folder", type=Path)
    told = parser.parse_args()
    network = loaded(torch.load(told.checkpoint, weights_only=True))
    with tempfile.TemporaryDirectory() as work:
        made = convert(network, told.packages, Path(work))
        check(network, made)
        keep(made, told.folder)


def convert(network: PlateNet, packages: Path, work: Path) -> Path:
    """Convert by way of ONNX; returns the folder with the two files."""
    network = network.to(memory_format=torch.contiguous_format)
    onnx = work / "own.onnx"
    example = torch.zeros(1, 1, HEIGHT, WIDTH)
    torch.onnx.export(
        Answering(network).eval(), (example,), onnx, input_names=["crop"], output_names=["chances"], dynamo=False
    )
    converter = packages / "pnnx" / "pnnx"
    command = [converter, onnx.name, f"inputshape=[1,1,{HEIGHT},{WIDTH}]", "fp16=1"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if not all((work / name).exists() for name in FILES):
        raise RuntimeError(f"The converter made nothing:\n{done.stdout}\n{done.stderr}")
    return work


def check(network: PlateNet, folder: Path) -> None:
    """Compare both on drawn plates; raises AssertionError where they would read something else."""
    net = ncnn.Net()
    net.opt.num_threads = 1
    if net.load_param(str(folder / FILES[0])) or net.load_model(str(folder / FILES[1])):
        raise AssertionError("ncnn can't load what was exported.")
    drawer, furthest, same, columns = Drawer(5), 0.0, 0, 0
    for number in range(_CHECKED):
        # ncnn only borrows the values: they need a name of their own.
        values = np.ascontiguousarray(drawer.sample(number, hardness=0.5).crop.astype(np.float32)[None] / 255 - 0.5)
        with torch.no_grad():
            wanted = Answering(network)(torch.from_numpy(values)[None])[0].numpy()
        extractor = net.create_extractor()
        extractor.input("in0", ncnn.Mat(values))
        given = np.array(extractor.extract("out0")[1]).reshape(CLASSES, STEPS)
        sure = wanted.max(0) > 0.5 + _SLACK
        furthest = max(furthest, float(np.abs(wanted - given).max()))
        same += int((wanted.argmax(0) == given.argmax(0))[sure].sum())
        columns += int(sure.sum())
    print(f"exported: {same} of {columns} sure columns agree, probabilities differ by {furthest:.4f} at most")
    if same != columns or furthest > 3 * _SLACK:
        raise AssertionError("The exported network reads differently.")


def keep(made: Path, folder: Path) -> None:
    """Put the files and their checksums into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    sums = []
    for name in FILES:
        content = (made / name).read_bytes()
        (folder / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    main()
