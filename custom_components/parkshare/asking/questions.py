"""The questions that are open on an owner's phone, and what an answer is worth. One answer counts.

Pure: standard library only; time comes in with every word. What binds an answer to its question is a random token:
nobody who was not asked knows it, and a token of another run of Home Assistant is in no list here.
"""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

VALID_S: Final = 600.0  # s; who answers later does not know any more what stands there now
TOKEN_BYTES: Final = 16
PREFIX: Final = "PARKSHARE"
MOST_REMEMBERED: Final = 32  # questions that are over, so that a late answer can be told how it ended


class Asked(StrEnum):
    """What is asked. Of each there is at most one question open."""

    LET_IN = "LETIN"
    RAISE = "RAISE"


class Choice(StrEnum):
    """What may be answered."""

    YES = "YES"
    NO = "NO"


class Worth(StrEnum):
    """What an answer is worth."""

    COUNTS = "counts"
    ANSWERED = "answered"  # somebody else was quicker
    LATE = "late"  # the time is over, the question was taken back, or it was asked before a restart


@dataclass(frozen=True, slots=True)
class Question:
    """One question; asked_at is UTC epoch seconds.

    other stands for the plate that was read when it was asked, where that was not the booked one. again counts how
    often this owner was asked anew because another car came.
    """

    kind: Asked
    token: str = field(repr=False)
    asked_at: float
    booking: str = ""
    alias: str = ""
    other: bytes = field(default=b"", repr=False)
    again: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """A tap on a button. question is None for one that this run never asked; choice is what the tap said.

    first is what was answered before, where somebody was quicker.
    """

    worth: Worth
    kind: Asked
    choice: Choice
    question: Question | None = None
    first: Choice | None = None


class Questions:
    """The questions of one space; name tells spaces apart (letters and digits)."""

    def __init__(self, name: str, *, token: Callable[[int], str] = secrets.token_hex) -> None:
        self._name = name
        self._token = token
        self._open: dict[Asked, Question] = {}
        self._over: deque[tuple[Question, Choice | None]] = deque(maxlen=MOST_REMEMBERED)

    def ask(
        self, kind: Asked, now: float, *, booking: str = "", alias: str = "", other: bytes = b"", again: int = 0
    ) -> Question:
        """Ask; a question of the same kind that is open is over."""
        self.take_back(kind)
        question = Question(kind, self._token(TOKEN_BYTES), now, booking, alias, other, again)
        self._open[kind] = question
        return question

    def open(self, kind: Asked) -> Question | None:
        """Return the question of a kind that nobody has answered."""
        return self._open.get(kind)

    def take_back(self, kind: Asked) -> Question | None:
        """Nobody is asked any more; returns the question that was open."""
        if (question := self._open.pop(kind, None)) is not None:
            self._over.append((question, None))
        return question

    def action(self, question: Question, choice: Choice) -> str:
        """Return the id of a button."""
        return f"{PREFIX}_{self._name}_{question.kind}_{choice}_{question.token}"

    def answered(self, action: str, now: float) -> Answer | None:
        """Take an answer, which is the one that counts if it is; None if the button is none of this space."""
        match action.split("_"):
            case [prefix, name, kind, choice, token] if prefix == PREFIX and name == self._name:
                if kind in Asked and choice in Choice:
                    return self._weighed(Asked(kind), Choice(choice), token, now)
        return None

    def _weighed(self, kind: Asked, choice: Choice, token: str, now: float) -> Answer:
        question = self._open.get(kind)
        if question is not None and _same(question.token, token):
            del self._open[kind]
            # A clock that was set back in between makes a question no younger.
            in_time = abs(now - question.asked_at) <= VALID_S
            self._over.append((question, choice if in_time else None))
            return Answer(Worth.COUNTS if in_time else Worth.LATE, kind, choice, question)
        for before, first in self._over:
            if before.kind is kind and _same(before.token, token):
                worth = Worth.LATE if first is None else Worth.ANSWERED
                return Answer(worth, kind, choice, before, first)
        return Answer(Worth.LATE, kind, choice)


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())
