"""From a picture to readings: a glance and closer looks, two readers, and an end as soon as a plate is surely read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .box_reader import LIKELY, OWN, PPOCR, SURE, BoxReader, Glimpse, Spelled, agree, merged
from .detect import Detected, TextBox, Window, detect
from .lines import around, is_plate_of_two, stack, stacked
from .network import Network
from .overlay import at_rim, is_lettering, is_stamp, on_one_line
from .own_reader import OwnReader
from .recognise import Recogniser
from .search import FARTHER, LEGIBLE_WIDTH, Search, Step
from .weights import MODEL_FILES, OWN_FILES, check_files

SHAPES: Final = (0.5, 10.0)  # width / height of a line of a plate: "B" above "AB 1234", a long one-line plate
# For each picture, likeliest first: a street full of signs must not take seconds.
MOST_GLIMPSES: Final = 40  # boxes that our own reader looks at, 8 ms each
MOST_READ: Final = 10  # boxes that both readers read, 10 to 60 ms each
MOST_STACKS: Final = 4  # pairs of lines
# Boxes that are looked at at all: a wall full of writing has thousands, photographs of streets a few dozen.
MOST_FOUND: Final = 400
SAME_SIZE: Final = (0.75, 1.35)  # widths of two boxes of one text in two windows
BUSY_BLOCK: Final = (8, 16)  # px of the half-size picture (height, width): about a plate's height when it is far


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The part of a picture that is looked at: where its corner lies in the picture (px), and how high that is (px)."""

    image: Image.Image
    left: int
    top: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A box with the scale at which the detector saw it."""

    box: TextBox
    scale: float

    @property
    def legible(self) -> bool:
        return self.scale >= 1 or self.box.width * self.scale >= LEGIBLE_WIDTH


@dataclass(slots=True)
class _State:
    """One picture, while it is read."""

    view: View
    quick: bool
    nearest: float = 0.0  # px; height of the highest plate that is surely read
    cut_short: bool = False
    found: list[_Found] = field(default_factory=list)
    said: list[Spelled] = field(default_factory=list)
    glimpses: dict[int, Glimpse] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    stacks: set[tuple[int, int]] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        """Whether nothing more can be read, whatever is found."""
        return len(self.glimpses) >= MOST_GLIMPSES


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a picture says, likeliest plates first, in px of its view.

    at_first: it was in the window to begin with; cut_short: smaller texts were left beside it.
    """

    said: list[Spelled]
    at_first: bool
    cut_short: bool = False


class Pipeline:
    """The three networks and the path between them. Loads in about 0.1 s, after checking all files."""

    def __init__(self, models: Path, own: Path, *, threads: int) -> None:
        """Load; raises ModelsError or OSError naming the file."""
        check_files(models, MODEL_FILES)
        check_files(own, OWN_FILES)
        self._detector = Network(models, "det", threads=threads)
        recogniser = Recogniser(Network(models, "rec", threads=threads), models / "charset.txt")
        self._boxes = BoxReader(recogniser, OwnReader(own))

    def read(self, view: View, *, first: Window | None = None, quick: bool = False) -> Seen:
        """Read the plate-like texts of a view; first is a window (px of the view) that may already show the plate.

        Looks closer, where text may be, until a plate is surely read that was large enough to be seen well. quick:
        beside such a plate, texts that are much smaller are left.
        """
        state = _State(view, quick)
        size = view.image.size
        whole = (0.0, 0.0, float(size[0]), float(size[1]))
        search = Search(size)
        sure = False
        starts = [whole] if first is None else [first, whole]
        for index, start in enumerate(starts):
            search.begin(start)
            while not state.is_full and (step := search.urgent()) is not None:
                self._show(state, search, step)
                # What is small is left until a closer look has been taken.
                if quick and self._read_boxes(state, [one for one in _once(state.found) if one.legible]):
                    search.nearest(state.nearest)
            sure = self._read_found(state)
            if sure:
                at_first = index == 0 and first is not None
                return Seen(_ordered(state), at_first=at_first, cut_short=search.cut_short or state.cut_short)
        if not _sure(state, least=LIKELY):
            search.cover(busy(view.image))
        while not sure and not state.is_full and (step := search.next()) is not None:
            self._show(state, search, step)
            sure = self._read_found(state)
        return Seen(_ordered(state), at_first=False)

    def _show(self, state: _State, search: Search, step: Step) -> None:
        seen = detect(self._detector, state.view.image, step.window, step.scale)
        search.after(step, seen)
        state.found += [_Found(box, step.scale) for box in _plate_shaped(seen)]
        del state.found[MOST_FOUND:]

    def _read_found(self, state: _State) -> bool:
        """Read what was found and not read yet; tells whether a plate is sure now."""
        texts = _once(state.found)
        # What was seen too small is read only where nothing better was.
        if self._read_boxes(state, [one for one in texts if one.legible]):
            return True
        return self._read_boxes(state, [one for one in texts if not one.legible])

    def _read_boxes(self, state: _State, found: Sequence[_Found]) -> bool:
        before = len(state.glimpses)
        for one in found:
            if id(one.box) not in state.glimpses and not state.is_full:
                state.glimpses[id(one.box)] = self._boxes.glimpse(state.view.image, one.box)
        seen = [state.glimpses[id(one.box)] for one in found if id(one.box) in state.glimpses]
        for glimpse in sorted(seen, key=lambda glimpse: -glimpse.promise):
            if not glimpse.promise or id(glimpse.box) in state.read or len(state.read) >= MOST_READ:
                continue
            if glimpse.box.height < FARTHER * state.nearest:
                state.cut_short = True
                continue
            state.read.add(id(glimpse.box))
            state.said += self._boxes.read(state.view.image, glimpse)
            if state.quick:
                state.nearest = max((one.box.height for one in _sure(state)), default=0.0)
        if len(state.glimpses) > before:
            self._read_stacks(state, seen)
        legible = {id(one.box) for one in found if one.legible}
        return any(id(one.box) in legible for one in _sure(state))

    def _read_stacks(self, state: _State, seen: Sequence[Glimpse]) -> None:
        for upper, lower in stacked([glimpse.box for glimpse in seen]):
            pair = (id(upper), id(lower))
            if pair in state.stacks or len(state.stacks) >= MOST_STACKS:
                continue
            lines = [self._boxes.line(state.view.image, state.glimpses[line]) for line in pair]
            state.stacks.add(pair)
            box = around(upper, lower)
            state.said += [
                Spelled.of(box, stack(above.matrix, below.matrix), above.source)
                for above, below in zip(*lines, strict=True)
                if is_plate_of_two(above.text, below.text)
            ]


def _stamps(state: _State) -> set[int]:
    """List the boxes (by id) that the camera wrote into the picture, and those on one line with them."""
    rim = _at_rim(state)
    texts = [one.text for one in rim]
    stamps = [one.box for one in rim if is_stamp(one.text, texts)]
    return {id(one.box) for one in rim if any(on_one_line(one.box, stamp) for stamp in stamps)}


def _at_rim(state: _State) -> list[Spelled]:
    """List the texts that lie where cameras write, whatever they say."""
    view = state.view
    offset = np.array([view.left, view.top])
    return [one for one in state.said if at_rim(TextBox(one.box.corners + offset, one.box.score), view.height)]


def _lettering(state: _State) -> set[int]:
    """List the boxes (by id) that are one of many texts together."""
    boxes = [one.box for one in _once(state.found)]
    # Boxes that say nothing need no judgement; around two lines there is a box that was never found.
    asked = {id(one.box) for one in state.said}
    return {id(one.box) for one in state.found if id(one.box) in asked and is_lettering(one.box, boxes)}


def _sure(state: _State, *, least: float = SURE) -> list[Spelled]:
    """List the texts that are surely read (by their least confidence) and plates, as far as one can tell."""
    plates = [one for one in state.said if one.source == PPOCR and one.is_plate]
    sure = [one for one in plates if one.certainty >= least or _is_agreed(one, state.said)]
    if not sure:
        return []
    # "GARAGE 1" has as many characters as a plate. Written by the camera, it must not end the search for the car's.
    others = {id(one.box) for one in _at_rim(state)} | _lettering(state)
    return [one for one in sure if id(one.box) not in others]


def _is_agreed(dear: Spelled, said: Sequence[Spelled]) -> bool:
    return any(one.source == OWN and one.box is dear.box and agree(dear, one) for one in said)


def _ordered(state: _State) -> list[Spelled]:
    """Return what was said, likeliest plates first, without what the camera wrote."""
    stamps, lettering = _stamps(state), _lettering(state)
    kept = [one for one in state.said if id(one.box) not in stamps]
    return sorted(merged(kept), key=lambda one: (id(one.box) in lettering, not one.is_plate, -one.certainty))


def _once(found: Sequence[_Found]) -> list[_Found]:
    """Keep one box of each text: where windows overlap or a closer look was taken, the one that was seen largest."""
    kept: list[_Found] = []
    least, most = SAME_SIZE
    middles = np.empty((len(found), 2))
    widths = np.empty(len(found))
    for one in sorted(found, key=lambda one: (-one.scale, -one.box.score)):
        middle, width, count = one.box.corners.mean(axis=0), one.box.width, len(kept)
        near = np.linalg.norm(middles[:count] - middle, axis=1) < one.box.height / 2
        if not (near & (widths[:count] >= least * width) & (widths[:count] <= most * width)).any():
            middles[count], widths[count] = middle, width
            kept.append(one)
    return kept


def _plate_shaped(seen: Detected) -> list[TextBox]:
    least, most = SHAPES
    return [box for box in seen.boxes if least <= box.width / max(1.0, box.height) <= most]


def busy(image: Image.Image) -> NDArray[np.float32]:
    """Tell how busy the places of a picture are: the mean step between neighbours, in blocks. Plates are very busy."""
    half = image.convert("L").reduce(2) if min(image.size) > 2 * BUSY_BLOCK[1] else image.convert("L")
    steps = np.abs(np.diff(np.asarray(half, dtype=np.float32), axis=1))
    height, width = (side // block for side, block in zip(steps.shape, BUSY_BLOCK, strict=True))
    blocks = steps[: height * BUSY_BLOCK[0], : width * BUSY_BLOCK[1]]
    means: NDArray[np.float32] = blocks.reshape(height, BUSY_BLOCK[0], width, BUSY_BLOCK[1]).mean(axis=(1, 3))
    return means
