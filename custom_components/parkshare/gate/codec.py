"""The gate as a JSON document, so that a restart loses nothing. What sensors said is not kept: it must be seen anew."""

from dataclasses import asdict, fields
from typing import Any

from .words import ArmedBy, Cause, Command, Decision, Fault, FaultKind, Gate, Phase, Position, Right, Rung

# Within one version older documents lack fields, and newer ones have more; MINOR counts what was added.
VERSION = 1
MINOR = 2
# Seen anew after a restart. A command in flight is never sent again; last_command only explains a late move.
NOT_KEPT = ("sources", "position", "command", "approach", "unlinked_since", "taken_since", "disagree_since")

# By minor version 2.
ADDED = (
    "stands_since",
    "stands_until",
    "rung",
    "barred",
    "ending_told",
    "overstay_told",
    "left",
    "taken_told",
    "disagree_told",
    "raised_at",
)


def upgrade(minor: int, document: dict[str, Any]) -> dict[str, Any]:
    """Return a document of an earlier minor version as one of this."""
    if minor < 2:  # noqa: PLR2004 - the version that brought these
        document = {key: value for key, value in to_document(Gate()).items() if key in ADDED} | document
    return document


def to_document(gate: Gate) -> dict[str, Any]:
    """Return what is worth keeping."""
    return {key: value for key, value in asdict(gate).items() if key not in NOT_KEPT}


def from_document(document: dict[str, Any]) -> Gate:
    """Return the gate as it was; raises KeyError, TypeError or ValueError for a document that is not one of ours.

    What a newer release has added is left out: a stay must survive that its owner goes back a release.
    """
    kept = _known(Gate, document)
    kept["phase"] = Phase(kept["phase"])
    kept["stood"] = Position(kept["stood"])
    kept["armed_by"] = ArmedBy(kept["armed_by"]) if kept["armed_by"] else None
    kept["last_decision"] = Decision(kept["last_decision"]) if kept["last_decision"] else None
    kept["rights"] = tuple(Right(**_known(Right, right)) for right in kept["rights"])
    kept["right"] = Right(**_known(Right, kept["right"])) if kept["right"] else None
    for bookings in ("watched", "barred", "left", "taken_told"):
        kept[bookings] = tuple(kept[bookings])
    kept["rung"] = Rung(kept["rung"]) if kept["rung"] else None
    kept["fault"] = Fault(FaultKind(kept["fault"]["kind"]), kept["fault"]["since"]) if kept["fault"] else None
    kept["last_command"] = _command(kept["last_command"]) if kept["last_command"] else None
    return Gate(**kept)


def _command(document: dict[str, Any]) -> Command:
    words = {"target": Position(document["target"]), "cause": Cause(document["cause"])}
    return Command(**_known(Command, document) | words)


def _known(kind: Any, document: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {key: value for key, value in document.items() if key in names}
