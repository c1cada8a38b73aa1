"""The files that the networks are loaded from: all there, and none of them damaged. Standard library only."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

MODEL_FILES: Final = ("charset.txt", "det.ncnn.bin", "det.ncnn.param", "rec.ncnn.bin", "rec.ncnn.param")
OWN_FILES: Final = ("own.ncnn.bin", "own.ncnn.param")


class ModelsError(Exception):
    """A file of the models is missing or damaged; the message names it."""


def check_files(folder: Path, names: Sequence[str]) -> None:
    """Compare files with their folder's SHA256SUMS; raises ModelsError naming the first that does not match."""
    try:
        lines = (folder / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        raise ModelsError(f"{folder.name}/SHA256SUMS is missing") from error
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in names:
        try:
            digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelsError(f"{folder.name}/{name} is missing") from error
        if sums.get(name) != digest:
            raise ModelsError(f"{folder.name}/{name} is damaged")
