"""What places keep of people, and for how long."""

import sqlalchemy as sa

from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.retention import Retention, Rule
from parkshare_backend.places import rows
from parkshare_backend.places.saved import SavedPlaces
from parkshare_backend.places.service import ANSWERS_KEPT
from parkshare_backend.places.tables import PLACE_ANSWERS
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.store.engine import Tx


class PlacePrivacy:
    """Exports and erases saved places and the words of addresses."""

    def __init__(self, saved: SavedPlaces, spaces: Spaces) -> None:
        self._saved = saved
        self._spaces = spaces

    def register(self, erasure: Erasure, retention: Retention) -> None:
        """Answer for the tables of places."""
        erasure.register(
            "places", tables=("saved_places", "space_addresses"), export=self._saved.export, erase=self._erase
        )
        erasure.impersonal("place_answers", "what services said of places; the questions only as hashes, of nobody")
        erasure.impersonal("space_words", "the index over words of addresses, without numbers; follows them at once")
        erasure.impersonal("place_turns", "when a service may be asked next")
        retention.register(
            Rule(
                what="Answers of the address service, under a hash of the question",
                since="after they were given",
                kept_s=ANSWERS_KEPT,
                why="such services want to be asked once",
                sweep=_forget_answers,
            )
        )

    async def _erase(self, tx: Tx, account: str) -> None:
        await self._saved.erase(tx, account)
        await rows.forget_addresses(tx, await self._spaces.ids_of_account(tx, account))


async def _forget_answers(tx: Tx, due: float, limit: int) -> int:
    old = sa.select(PLACE_ANSWERS.c.hash).where(PLACE_ANSWERS.c.at <= due).order_by(PLACE_ANSWERS.c.at).limit(limit)
    return (await tx.execute(sa.delete(PLACE_ANSWERS).where(PLACE_ANSWERS.c.hash.in_(old)))).rowcount
