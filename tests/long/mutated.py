"""Runs mutmut over a copy of the gate's core and tells what survived. tests/long/mutants starts it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".cache/mutants"
PROJECT = WORK / "project"
WORKERS = os.cpu_count() or 1
GATE = Path("custom_components/parkshare/gate")
# What decides. The words have no behaviour, and the page is compared with docs/gate.md as a whole.
MODULES = (
    "rules",
    "told",
    "decided",
    "timed",
    "ladder",
    "ends",
    "clock",
    "seen",
    "steps",
    "core",
    "transition",
    "codec",
    "nearness",
)


SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["tests/gate"]
pythonpath = ["."]
addopts = "-q -p no:cacheprovider --hypothesis-seed=1"

[tool.mutmut]
source_paths = ["{gate}"]
only_mutate = [{only}]
also_copy = ["docs"]
pytest_add_cli_args = ["--deselect={promises}"]
pytest_add_cli_args_test_selection = ["tests/gate"]
"""
# The quick tests come first. What none of them notices has to get past random days and hypothesis too.
PROMISES = "tests/gate/test_gate_promises.py"
LIMIT = 300.0  # s; for the promises of one mutant
FEW = {"PARKSHARE_GATE_EXAMPLES": "8"}


@dataclass(frozen=True)
class Mutant:
    """One change. was and now are the changed lines of the function, joined where there are several."""

    module: str
    function: str
    was: str
    now: str
    outcome: str


def prepare(modules: tuple[str, ...]) -> None:
    """Lay out a project of its own: the core without its parent package, its tests, and the page they compare with."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    leave_out = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for folder in (GATE, Path("tests/gate")):
        shutil.copytree(ROOT / folder, PROJECT / folder, ignore=leave_out)
    (PROJECT / "docs").mkdir()
    shutil.copy(ROOT / "docs/gate.md", PROJECT / "docs")
    only = ", ".join(f'"*/{module}.py"' for module in modules)
    (PROJECT / "pyproject.toml").write_text(SETTINGS.format(gate=GATE, only=only, promises=PROMISES))


def run() -> None:
    """Let mutmut try all of them; its progress goes to the terminal."""
    mutmut = Path(sys.executable).with_name("mutmut")
    ended = subprocess.run([mutmut, "run", "--max-children", str(WORKERS)], cwd=PROJECT, check=False)
    if ended.returncode not in (0, 1):
        sys.exit(f"mutmut ended with {ended.returncode}")


def breaks_a_promise(name: str) -> bool:
    """Tell whether a mutant that mutmut let live breaks a promise on some random day or sequence.

    The quick tests are asked again: here the mutant is there from the start, also for what runs once at the import.
    """
    skip = f"{PROMISES}::test_every_transition_of_the_table_can_happen"
    command = [sys.executable, "-m", "pytest", "-x", "tests/gate", f"--deselect={skip}"]
    environment = os.environ | FEW | {"MUTANT_UNDER_TEST": name}
    try:
        ended = subprocess.run(
            command, cwd=PROJECT / "mutants", env=environment, check=False, capture_output=True, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return True
    return ended.returncode != 0


def outcomes(module: str) -> dict[str, int | None]:
    """Return mutmut's exit code for each mutant of a module."""
    meta = PROJECT / "mutants" / GATE / f"{module}.py.meta"
    return json.loads(meta.read_text())["exit_code_by_key"] if meta.is_file() else {}


def outcome(code: int | None) -> str:
    """Name what became of a mutant."""
    match code:
        case 0:
            return "survived"
        case 33:
            return "untested"
        case None:
            return "not run"
        case 1 | 3:
            return "killed"
        case _:
            return "endless"


def describe(module: str, name: str, code: int | None) -> Mutant:
    """Read from mutmut's difference what a mutant changed."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(name).splitlines()
    was = [line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---")]
    now = [line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++")]
    function = name.rpartition(".")[2].partition("__mutmut_")[0].removeprefix("x_")
    return Mutant(module, function, " ".join(was), " ".join(now), outcome(code))


def explained(mutant: Mutant) -> str | None:
    """Return why a survivor is accepted: the first reason one of whose patterns is found in its change."""
    reasons = tomllib.loads((ROOT / "tests/long/survivors.toml").read_text())["reason"]
    change = f"{mutant.module}.{mutant.function}: {mutant.was} -> {mutant.now}"
    return next((each["why"] for each in reasons if any(re.search(found, change) for found in each["found"])), None)


def survivors(modules: tuple[str, ...]) -> dict[str, str]:
    """Return which mutants nothing noticed, each with its module."""
    alive = {
        name: module
        for module in modules
        for name, code in outcomes(module).items()
        if outcome(code) not in ("killed", "endless")
    }
    print(f"{len(alive)} that the quick tests let live: random days and hypothesis now", flush=True)
    if breaks_a_promise("none"):
        sys.exit("the promises of tests/gate do not hold without any change")
    with ThreadPoolExecutor(WORKERS) as pool:
        broken = dict(zip(alive, pool.map(breaks_a_promise, alive), strict=True))
    return {name: module for name, module in alive.items() if not broken[name]}


def report(modules: tuple[str, ...], alive: dict[str, str]) -> int:
    """Write the report; returns how many survivors nobody explained."""
    os.chdir(PROJECT)
    counts = {
        module: {"mutants": len(outcomes(module)), "survived": sum(each == module for each in alive.values())}
        for module in modules
    }
    lines = ["| module | mutants | noticed | survived |", "|---|---|---|---|"]
    total = {key: sum(count[key] for count in counts.values()) for key in ("mutants", "survived")}
    for module, count in [*counts.items(), ("all", total)]:
        lines.append(
            f"| {module} | {count['mutants']} | {count['mutants'] - count['survived']} | {count['survived']} |"
        )
    lines += ["", "| function | was | became | why no test notices |", "|---|---|---|---|"]
    mutants = [describe(module, name, outcomes(module)[name]) for name, module in alive.items()]
    unexplained = 0
    for each in mutants:
        why = explained(each)
        unexplained += why is None
        cells = (f"{each.module}.{each.function}", each.was, each.now, why or f"**{each.outcome}, not explained**")
        lines.append("| {} | `{}` | `{}` | {} |".format(*(cell.replace("|", "\\|") for cell in cells)))
    text = "\n".join(lines) + "\n"
    (WORK / "report.md").write_text(text)
    (WORK / "report.json").write_text(
        json.dumps({"counts": counts, "survivors": [asdict(each) for each in mutants]}, indent=2) + "\n"
    )
    print(text)
    return unexplained


def main() -> None:
    """Mutate the modules that the command line names, or all."""
    modules = tuple(sys.argv[1:]) or MODULES
    if unknown := set(modules) - set(MODULES):
        sys.exit(f"no such module: {', '.join(unknown)}; there are {', '.join(MODULES)}")
    prepare(modules)
    run()
    if not any(code is not None for module in modules for code in outcomes(module).values()):
        sys.exit("mutmut tried nothing: do the tests of tests/gate pass without any change?")
    if unexplained := report(modules, survivors(modules)):
        sys.exit(f"{unexplained} survivors that tests/long/survivors.toml does not explain")


if __name__ == "__main__":
    main()
