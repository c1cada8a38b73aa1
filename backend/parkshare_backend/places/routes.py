"""Places over HTTP."""

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id, Place
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.places.saved import TOO_MANY_PLACES, SavedPlace
from parkshare_backend.places.schemas import (
    FoundAnswer,
    PlacesAnswer,
    PlaceSearchRequest,
    SavedPlaceAnswer,
    SavedPlaceRequest,
    SavedPlacesAnswer,
)
from parkshare_backend.places.service import Places
from parkshare_backend.spaces.geometry import Point
from parkshare_backend.spaces.models import PointAnswer

routes = Routes()


@routes.post(
    "/api/v1/places/search",
    scope=Scope.SEARCH,
    request=PlaceSearchRequest,
    response=PlacesAnswer,
    rate=Rate.SEARCH,
)
async def search_places(ctx: Context, body: PlaceSearchRequest) -> PlacesAnswer:
    """Find places for a text: an address, a saved place, a pair of numbers."""
    near = None if body.near is None else _point(body.near)
    return _places(await ctx.app[keys.PLACES].search(ctx.account, body.text, near=near, limit=body.limit))


@routes.post("/api/v1/places/reverse", scope=Scope.SEARCH, request=Place, response=PlacesAnswer, rate=Rate.SEARCH)
async def reverse_place(ctx: Context, body: Place) -> PlacesAnswer:
    """Find the address at a point, for the owner of a new space."""
    return _places(await ctx.app[keys.PLACES].reverse(ctx.account, _point(body)))


@routes.get("/api/v1/account/places", scope=Scope.ACCOUNT, response=SavedPlacesAnswer)
async def saved_places(ctx: Context) -> SavedPlacesAnswer:
    """List the account's saved places."""
    return SavedPlacesAnswer(items=[_saved(place) for place in await ctx.app[keys.SAVED_PLACES].listed(ctx.account)])


@routes.post(
    "/api/v1/account/places",
    scope=Scope.ACCOUNT,
    request=SavedPlaceRequest,
    response=SavedPlaceAnswer,
    status=201,
    creates=True,
    problems=(TOO_MANY_PLACES,),
)
async def save_place(ctx: Context, body: SavedPlaceRequest) -> SavedPlaceAnswer:
    """Save a place."""
    saved = await ctx.app[keys.SAVED_PLACES].add(
        ctx.account, kind=body.kind, label=body.label, place=_point(body.position)
    )
    return _saved(saved)


@routes.delete(
    "/api/v1/account/places/{place}",
    scope=Scope.ACCOUNT,
    path_types={"place": Id},
    status=204,
    problems=(NOT_FOUND,),
)
async def forget_place(ctx: Context) -> None:
    """Forget a saved place."""
    await ctx.app[keys.SAVED_PLACES].remove(ctx.account, ctx.path["place"])


def _point(place: Place) -> Point:
    return Point(place.lat, place.lon)


def _places(places: Places) -> PlacesAnswer:
    return PlacesAnswer(
        items=[
            FoundAnswer(label=one.label, position=PointAnswer.of(one.place), kind=one.kind, source=one.source)
            for one in places.items
        ],
        attribution=places.attribution,
        degraded=places.degraded,
    )


def _saved(place: SavedPlace) -> SavedPlaceAnswer:
    return SavedPlaceAnswer(
        id=place.id,
        kind=place.kind,
        label=place.label,
        position=PointAnswer.of(place.place),
        created_at=place.created_at,
    )
