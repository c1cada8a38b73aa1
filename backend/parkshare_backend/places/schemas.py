"""What the routes of places read and answer."""

from typing import Annotated

from pydantic import Field, StringConstraints

from parkshare_backend.http.models import Answer, Id, Name, Place, Request, UtcTime, Whole
from parkshare_backend.places.saved import Kind
from parkshare_backend.spaces.models import PointAnswer

Sought = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class PlaceSearchRequest(Request):
    """An address, a name of a saved place, or a pair of numbers; `near` is preferred, not asked for."""

    text: Sought
    near: Place | None = None
    limit: Annotated[Whole, Field(ge=1, le=20)] = 5


class FoundAnswer(Answer):
    """One place. `kind`: point, saved, address, street or town; `source` names who knew it."""

    label: str
    position: PointAnswer
    kind: str
    source: str


class PlacesAnswer(Answer):
    """Places, the surest first. Show `attribution` beside them; `degraded`: a service did not help this time."""

    items: list[FoundAnswer]
    attribution: str | None
    degraded: bool


class SavedPlaceRequest(Request):
    """A place to keep."""

    kind: Kind = Kind.OTHER
    label: Name
    position: Place


class SavedPlaceAnswer(Answer):
    """A saved place."""

    id: Id
    kind: Kind
    label: str
    position: PointAnswer
    created_at: UtcTime


class SavedPlacesAnswer(Answer):
    """The account's saved places, oldest first."""

    items: list[SavedPlaceAnswer]
