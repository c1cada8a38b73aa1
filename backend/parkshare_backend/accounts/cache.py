"""Who is behind a token, remembered for a moment, so that a busy phone does not ask the database each time.

A token that is revoked must open nothing from then on: whoever revokes calls `forget` in that transaction. This
instance drops what it remembers with the commit, the others when they are told; LIFE bounds how long one that was
not told could be wrong.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from parkshare_backend.http.auth import Principal
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.engine import Tx

TOPIC = "token-forgotten"  # on which the instances tell each other; the payload is the account
LIFE = 10.0  # seconds
MAX_KNOWN = 20_000  # tokens, about 10 MB; the one that was looked up longest ago makes room


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float


class TokenCache:
    """Principals by the hash of their token; the token itself is not kept."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._of_account: dict[str, set[bytes]] = {}
        self._drops = 0
        self._tell: Callable[[str], None] = self.drop

    def join(self, bus: Bus) -> None:
        """Tell the other instances on the database what is forgotten here, and hear them."""
        bus.subscribe(TOPIC, self.drop)
        bus.on_missed(self.clear)
        self._tell = lambda account: bus.publish(TOPIC, account)

    def get(self, hashed: bytes, now: float) -> Principal | None:
        """Give the principal if it is known."""
        known = self._known.get(hashed)
        if known is None or known.until <= now:
            return None
        return known.principal

    def mark(self) -> int:
        """Give what `keep` needs: take it before you look into the database."""
        return self._drops

    def keep(self, hashed: bytes, principal: Principal, *, until: float, mark: int) -> None:
        """Remember; not if something was dropped since the mark, for then what was read may be old."""
        if mark != self._drops:
            return
        self._known[hashed] = _Known(principal, until)
        self._known.move_to_end(hashed)
        self._of_account.setdefault(principal.account, set()).add(hashed)
        while len(self._known) > MAX_KNOWN:
            oldest, known = self._known.popitem(last=False)
            self._unlist(known.principal.account, oldest)

    def forget(self, tx: Tx, account: str) -> None:
        """Drop the account's tokens everywhere once the transaction is on disk."""
        tx.after_commit(lambda: self._tell(account))

    def drop(self, account: str) -> None:
        """Drop the account's tokens here."""
        self._drops += 1
        for hashed in self._of_account.pop(account, ()):
            self._known.pop(hashed, None)

    def clear(self) -> None:
        """Drop everything: something may have been forgotten that this instance was not told."""
        self._drops += 1
        self._known.clear()
        self._of_account.clear()

    def _unlist(self, account: str, hashed: bytes) -> None:
        hashes = self._of_account.get(account, set())
        hashes.discard(hashed)
        if not hashes:
            self._of_account.pop(account, None)
