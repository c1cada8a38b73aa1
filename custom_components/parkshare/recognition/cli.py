"""Reading pictures by hand: `python -m custom_components.parkshare.recognition read IMAGE... [--expect PLATE]`.

With --region only a part of each picture is looked at: left, top, right, bottom as fractions or percent.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .embedded import EmbeddedReader
from .normalise import check_plate
from .types import WHOLE, Look, Picture, PlateError, ReaderError, Region
from .verdict import judge


def main(arguments: Sequence[str]) -> int:
    """Run the command line; exit code 0, 1 if any picture could not be read, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        expected = check_plate(options.expect) if options.expect is not None else None
    except PlateError as error:
        parser.error(str(error))
    return asyncio.run(_read_all(options.images, expected, options.region, as_json=options.json, models=options.models))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recognition", description="ParkShare's plate reader.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    read = commands.add_parser("read", help="read the plates in pictures")
    read.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="a JPEG, PNG or WebP file")
    read.add_argument("--expect", metavar="PLATE", help="say of each picture whether it shows this plate")
    read.add_argument("--region", type=_region, default=WHOLE, metavar="L,T,R,B", help="look only there: 0.2,0.5,0.8,1")
    read.add_argument("--json", action="store_true", help="one JSON object a line")
    read.add_argument("--models", type=Path, help="folder of the models (default: the installed ones)")
    return parser


def _region(text: str) -> Region:
    try:
        sides = [float(part.rstrip("%")) / (100 if part.endswith("%") else 1) for part in text.split(",")]
        left, top, right, bottom = sides
        return Region(left, top, right, bottom)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            "give left, top, right and bottom between 0 and 1, for example 0.2,0.5,0.8,1"
        ) from error


async def _read_all(
    images: Sequence[Path], expected: str | None, region: Region, *, as_json: bool, models: Path | None
) -> int:
    reader = EmbeddedReader(models)
    failed = False
    try:
        for index, image in enumerate(images):
            result = await _read(reader, image, index, expected, region)
            failed = failed or "error" in result
            # One by one as they come: a long run can be watched and cut short.
            sys.stdout.write((json.dumps(result, ensure_ascii=False) if as_json else _for_people(result)) + "\n")
            sys.stdout.flush()
    finally:
        await reader.stop()
    return int(failed)


async def _read(
    reader: EmbeddedReader, image: Path, index: int, expected: str | None, region: Region
) -> dict[str, Any]:
    try:
        content = await asyncio.to_thread(image.read_bytes)
        look = await reader.read(Picture(content, float(index), region))
    except OSError as error:
        return {"image": str(image), "error": f"The file cannot be read ({error.strerror})."}
    except ReaderError as error:
        return {"image": str(image), "error": str(error)}
    return {"image": str(image), **_described(look, expected)}


def _described(look: Look, expected: str | None) -> dict[str, Any]:
    readings = [{"text": r.text, "confidences": r.confidences, "box": r.box, "source": r.source} for r in look.readings]
    if expected is None:
        return {"readings": readings}
    verdict = judge([look], expected)
    return {"readings": readings, "verdict": {"decision": verdict.decision.value, "reason": verdict.reason}}


def _for_people(result: dict[str, Any]) -> str:
    lines = [result["image"]]
    if "error" in result:
        lines.append(f"  error: {result['error']}")
    for reading in result.get("readings", ()):
        (left, top), _, (right, bottom), _ = reading["box"]
        least = min(reading["confidences"], default=0.0)
        place = f"{left:.0f},{top:.0f} to {right:.0f},{bottom:.0f}"
        lines.append(f"  {reading['text']:<14} {least:4.0%} sure  {reading['source']:<6} {place}")
    if not result.get("readings", True):
        lines.append("  no text found")
    if "verdict" in result:
        lines.append(f"  {result['verdict']['decision']}: {result['verdict']['reason']}")
    return "\n".join(lines)
