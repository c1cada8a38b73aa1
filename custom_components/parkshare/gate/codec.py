"""The gate as a JSON document, so that a restart loses nothing. What sensors said is not kept: it must be seen anew."""

from dataclasses import asdict
from typing import Any

from .words import ArmedBy, Cause, Command, Decision, Fault, FaultKind, Gate, Phase, Position, Right

VERSION = 1
# Seen anew after a restart. A command in flight is never sent again; last_command only explains a late move.
NOT_KEPT = ("sources", "position", "command", "approach", "unlinked_since")


def to_document(gate: Gate) -> dict[str, Any]:
    """Return what is worth keeping."""
    return {key: value for key, value in asdict(gate).items() if key not in NOT_KEPT}


def from_document(document: dict[str, Any]) -> Gate:
    """Return the gate as it was; raises KeyError, TypeError or ValueError for a document that is not one of ours."""
    kept = dict(document)
    kept["phase"] = Phase(kept["phase"])
    kept["stood"] = Position(kept["stood"])
    kept["armed_by"] = ArmedBy(kept["armed_by"]) if kept["armed_by"] else None
    kept["last_decision"] = Decision(kept["last_decision"]) if kept["last_decision"] else None
    kept["rights"] = tuple(Right(**right) for right in kept["rights"])
    kept["right"] = Right(**kept["right"]) if kept["right"] else None
    kept["watched"] = tuple(kept["watched"])
    kept["fault"] = Fault(FaultKind(kept["fault"]["kind"]), kept["fault"]["since"]) if kept["fault"] else None
    kept["last_command"] = _command(kept["last_command"]) if kept["last_command"] else None
    return Gate(**kept)


def _command(document: dict[str, Any]) -> Command:
    return Command(**document | {"target": Position(document["target"]), "cause": Cause(document["cause"])})
