"""Who listens while nobody is looked for: a source that is on anyhow sees cars before a bay that is taken."""

from collections.abc import Callable
from typing import override

from custom_components.parkshare.recognition import Look, Verdict

from .looking import Listener


class Bystander(Listener):
    """Hears what is read while a car stands in the bay: nothing to admit, perhaps something odd."""

    def __init__(self, wonder: Callable[[Look], None], source_failed: Callable[[str, str], None]) -> None:
        self._wonder = wonder
        self._source_failed = source_failed

    @override
    def looked(self, verdict: Verdict, look: Look) -> None:
        """Wonder."""
        self._wonder(look)

    @override
    def source_failed(self, name: str, words: str) -> None:
        """Tell the owner as always."""
        self._source_failed(name, words)
