"""The tests of the gate's core: plain pytest, a second or two, no Home Assistant."""

import tests.gate.alone  # noqa: F401 - before any test module imports the core
