"""Asking the owner on their phone: may this car come in, shall the barrier rise. And telling what can't wait.

The phones are devices of Home Assistant's companion app. An answer is worth something once, for ten minutes, in one run
of Home Assistant, and only while what was asked is still so: an owner who taps "Let in" has one car in mind.
"""

from .asking import Asking, View
from .phones import COMPANION
from .questions import Asked

__all__ = ["COMPANION", "Asked", "Asking", "View"]
