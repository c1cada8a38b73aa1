"""The AsyncAPI 3.0 document of the stream of changes, made from the models that it speaks."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from parkshare_backend.changes import stream
from parkshare_backend.changes.models import CLIENT_FRAMES, SERVER_FRAMES, StreamQuery

_CLOSES = {
    stream.Close.BAD_FRAME: "the first frame is not `auth`",
    stream.Close.UNAUTHENTICATED: "the token is wrong, revoked or expired: sign in again",
    stream.Close.FORBIDDEN: "the token lacks the scope `bookings`",
    stream.Close.NO_AUTH: "no token within ten seconds",
    stream.Close.GONE: "what follows `after` is not kept: load everything anew, then follow from `head`",
    stream.Close.TOO_SLOW: "nothing was read for 20 s: come back with `after`",
    stream.Close.TOO_MANY: "the account has 16 streams",
    stream.Close.RESTARTING: "the server goes down: come back in a moment with `after`",
}


def document() -> dict[str, Any]:
    """Give the document."""
    models = (*CLIENT_FRAMES, *SERVER_FRAMES)
    references, definitions = models_json_schema(
        [(model, "validation" if model in CLIENT_FRAMES else "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    closes = "\n".join(f"- {int(code)}: {meaning}" for code, meaning in _CLOSES.items())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ParkShare: changes of an account",
            "version": "1",
            "description": "The same changes as `GET /api/v1/changes`, as they happen. Close codes:\n" + closes,
        },
        "channels": {
            "changes": {
                "address": stream.PATH,
                "description": "A WebSocket. A client that can't set `Authorization` says `auth` first.",
                "messages": {_name(model): {"$ref": f"#/components/messages/{_name(model)}"} for model in models},
                "bindings": {"ws": {"method": "GET", "query": StreamQuery.model_json_schema()}},
            }
        },
        "operations": {
            "authenticate": _operation("receive", CLIENT_FRAMES),
            "follow": _operation("send", SERVER_FRAMES),
        },
        "components": {
            "messages": {
                _name(model): {
                    "name": _name(model),
                    "summary": (model.__doc__ or "").partition("\n")[0],
                    "contentType": "application/json",
                    "payload": references[model, "validation" if model in CLIENT_FRAMES else "serialization"],
                }
                for model in models
            },
            "schemas": definitions.get("$defs", {}),
        },
    }


def _operation(action: str, models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    messages = [{"$ref": f"#/channels/changes/messages/{_name(model)}"} for model in models]
    return {"action": action, "channel": {"$ref": "#/channels/changes"}, "messages": messages}


def _name(model: type[BaseModel]) -> str:
    return model.__name__.removesuffix("Frame").lower()
