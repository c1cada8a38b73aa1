"""The command line of a record: is it whole, and what does it say? Needs no Home Assistant.

Exit codes: 0 it is whole; 1 it is not, or the plate is another; 2 it cannot be examined.
"""

import argparse
import hmac
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from custom_components.parkshare.gate.table import T
from custom_components.parkshare.link.keys import to_bytes

from .chain import BadLineError, Sealed, parse
from .commitment import commitment
from .examine import Broken, Report
from .kinds import Kind
from .proof import verify
from .summary import Happened, rendered, sentence, summary

FINE, BROKEN, NOT_EXAMINED = 0, 1, 2
TRANSLATIONS: Final = Path(__file__).parent.parent / "translations"
LANGUAGES: Final = ("en", "de")


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        content = options.file.read_bytes().decode()
        lines = content.removesuffix("\n").split("\n") if content else []
        return int(options.command(options, lines))
    except (OSError, ValueError) as err:
        sys.stderr.write(f"{options.file}: {_said(err)}\n")
        return NOT_EXAMINED


def _verify(options: argparse.Namespace, lines: list[str]) -> int:
    report = verify(lines, *options.key, head=options.head)
    _say(report.words)
    if report.broken is Broken.TOO_OLD:
        return NOT_EXAMINED
    if not report.ok:
        return BROKEN
    _say(f"Head: {report.head}")
    if not options.head:
        _say("Without a head that was told to you earlier (--head) nobody can see whether the end was cut off.")
    return FINE if options.plate is None else _plate(options, report)


def _plate(options: argparse.Namespace, report: Report) -> int:
    # Here, not above: it needs numpy, which nothing else of this does.
    from custom_components.parkshare.recognition.normalise import fold, normalise  # noqa: PLC0415

    if not options.plate_key:
        raise ValueError("--plate needs the --plate-key that the house gave out for the booking")
    own = commitment(to_bytes(options.plate_key), options.plate, lambda plate: fold(normalise(plate)))
    committed = [
        entry
        for entry in report.entries
        if entry.kind == Kind.DECISION and (options.booking is None or entry.booking == options.booking)
    ]
    same = [entry.seq for entry in committed if hmac.compare_digest(str(entry.d.get("plate")), own)]
    if not same:
        _say("The plate is not the booked one of any entry here, or the key is that of another booking.")
        return BROKEN
    _say("The plate is the booked one of: " + ", ".join(f"entry {seq}" for seq in same))
    return FINE


def _show(options: argparse.Namespace, lines: list[str]) -> int:
    entries, words = [_parsed(line) for line in lines], _words(options.language)
    if options.booking is not None:
        told = summary(entries, options.booking)
        if not told.happened:
            raise ValueError("nothing of this booking is here")
        _say(rendered(told, words))
        return FINE
    for entry in entries:
        _say(_line(entry, words))
    return FINE


def _line(entry: Sealed, words: Callable[..., str]) -> str:
    if not entry.kind:
        return f"{entry.seq:>6}  (hidden)"
    if entry.kind == Kind.TRANSITION:
        name = str(entry.d.get("name"))
        why = T[name].value.why if name in T.__members__ else ""
        said = f"{entry.d.get('from')} -> {entry.d.get('to')} ({name}) {why}"
    else:
        said = sentence(Happened(at=entry.at, kind=entry.kind, d=dict(entry.d)), words)
    return f"{entry.seq:>6}  {entry.at}  {entry.booking or '-'}  {said}"


def _parsed(line: str) -> Sealed:
    try:
        return parse(line)
    except BadLineError as err:
        raise ValueError("this is no record; verify says more") from err


def _words(language: str) -> Callable[..., str]:
    """Return the texts of the integration in a language."""
    texts: dict[str, Any] = json.loads((TRANSLATIONS / f"{language}.json").read_text(encoding="utf-8"))["common"]

    def words(key: str, /, **values: object) -> str:
        return str(texts[key]).format(**values)

    return words


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _said(err: Exception) -> str:
    match err:
        case UnicodeDecodeError():
            return "this is no text"
        case OSError():
            return err.strerror or type(err).__name__
    return str(err)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="record", description="Check or read the record of a parking space (docs/record.md)."
    )
    commands = parser.add_subparsers(required=True)
    check = commands.add_parser("verify", help="tell whether anything was changed, removed, moved or put in")
    check.add_argument("file", type=Path, help="the exported lines")
    check.add_argument(
        "--key",
        required=True,
        action="append",
        metavar="BASE64",
        help="public key of the house; more than once if it was paired again",
    )
    check.add_argument("--head", metavar="SEQ:HASH", help="a head that was told to you earlier")
    check.add_argument("--plate", metavar="TEXT", help="a plate that may be the booked one")
    check.add_argument("--plate-key", metavar="BASE64", help="the key to the plate of a booking")
    check.add_argument("--booking", metavar="ID", help="look for the plate in this booking only")
    check.set_defaults(command=_verify)
    show = commands.add_parser("show", help="say what happened; does not check it")
    show.add_argument("file", type=Path, help="the exported lines")
    show.add_argument("--booking", metavar="ID", help="what concerns this booking")
    show.add_argument("--language", choices=LANGUAGES, default="en")
    show.set_defaults(command=_show)
    return parser
