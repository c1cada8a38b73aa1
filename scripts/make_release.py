"""Zip the integration as the Marketplace unpacks it: the content of custom_components/parkshare at the top.

python scripts/make_release.py FILE
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

INTEGRATION = Path(__file__).parents[1] / "custom_components/parkshare"
READING = INTEGRATION / "recognition"
# What git does not hold, and our own reader's weights: without any of them an installed integration reads nothing.
WANTED = (
    *(f"models/{name}" for name in ("SHA256SUMS", "NOTICE", "charset.txt")),
    *(f"models/{name}.ncnn.{ending}" for name in ("det", "rec") for ending in ("param", "bin")),
    *(f"own_weights/{name}" for name in ("SHA256SUMS", "own.ncnn.param", "own.ncnn.bin")),
)
LARGEST = 30 * 1024 * 1024  # bytes; what a slow line at home fetches without complaint
EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest time a zip can tell: the same tree gives the same bytes


def files() -> Iterator[Path]:
    """Yield what an installed integration needs, in a fixed order."""
    for path in sorted(INTEGRATION.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def main() -> int:
    """Write the file named by the first argument; return an exit status."""
    missing = [name for name in WANTED if not (READING / name).is_file()]
    if missing:
        print(
            f"The reader's models are not complete: {', '.join(missing)} missing. Run scripts/models.", file=sys.stderr
        )
        return 1
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files():
            entry = zipfile.ZipInfo(str(path.relative_to(INTEGRATION)), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    size = target.stat().st_size
    print(f"{target}: {size / 1e6:.1f} MB")
    if size > LARGEST:
        print(f"That is more than {LARGEST / 1e6:.0f} MB. What does not belong into it?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
