"""RapidOCR's own pipeline as the yardstick: in an environment and a process of its own, one photograph at a time.

Defaults throughout (PP-OCRv6 small on onnxruntime), two threads like our worker. The program part of this file runs
inside that environment and knows nothing of ours: a path comes in on each line, a JSON object goes out.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".cache" / "bench"
REQUIREMENTS = ROOT / "requirements" / "bench.txt"
THREADS = 2
TOOLCHAIN = Path(os.environ.get("PARKSHARE_TOOLCHAIN") or Path.home() / ".cache" / "parkshare")


def ensure_environment() -> Path:
    """Make the environment from the pinned requirements where it is missing or old; returns its Python."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    uv = shutil.which("uv", path=f"{TOOLCHAIN / 'uv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise SystemExit("There is no uv here. Run scripts/setup: it installs the pinned one.")
    print("making the environment of the peer (.cache/bench)", flush=True)
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, ENVIRONMENT], check=True)  # noqa: S603
    install = [uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", REQUIREMENTS]
    subprocess.run(install, check=True)  # noqa: S603
    stamp.write_text(wanted)
    return python


class Peer:
    """The running peer; close it in the end."""

    def __init__(self) -> None:
        python = ensure_environment()
        # Its threads sleep while they wait, as ours do, else it would slow what is measured in turn with it.
        self._process = subprocess.Popen(  # noqa: S603
            [python, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": ""},
        )

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None  # noqa: S101
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def read(self, photograph: Path | None) -> dict[str, Any]:
        """Return texts (best first), took_ms and peak_mb (resident, so far) for a photograph; None warms it up."""
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(f"{photograph or ''}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


def _peak_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def _serve() -> None:
    """Read what comes in. Only here is the peer imported; what its libraries print must not mix with the answers."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import numpy as np  # noqa: PLC0415
    from rapidocr import RapidOCR  # noqa: PLC0415

    engine = RapidOCR(
        params={
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
            "Global.log_level": "error",
        }
    )
    for line in sys.stdin:
        path = line.strip()
        # Models load with the first picture; that is its start, not its speed.
        content: Any = path or np.full((240, 320, 3), 127, np.uint8)
        began = time.perf_counter()
        result = engine(content)
        took_ms = (time.perf_counter() - began) * 1e3
        texts = list(result.txts or ())
        answers.write(json.dumps({"texts": texts, "took_ms": took_ms, "peak_mb": _peak_mb()}) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
