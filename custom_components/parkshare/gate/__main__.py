"""Print docs/gate.md: `python -m custom_components.parkshare.gate > docs/gate.md`."""

import sys

from .page import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown())
