"""Trains the tiny reader: python -m training.train (scripts/train-reader gives it its environment).

The schedule counts steps, not seconds: which samples a step sees depends on its number and the seed alone, so a run
is repeated by the same command, up to the rounding of sums that threads share differently.
"""

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.crops import Drawer
from training.network import CHARACTERS, STEPS, PlateNet
from training.stream import LONGEST, Stream

_TRIAL_SEED = 1_000_003  # of the samples that are never trained on
_TRIALS = 400
_ALIGNED_FOR = 450  # steps: how long the places of the characters are taught too
_WARM_UP = 100  # steps
_SAVED_EVERY = 250  # steps
_NICENESS = 5


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what comes out."""

    first: int = 3200  # steps of the first round
    again: int = 1000  # steps of a second, shorter and gentler one
    batch: int = 128
    fresh: float = 0.55  # new samples for each one trained on; the rest is seen again
    head_start: int = 4096  # samples before the first step
    peak_rate: float = 2.5e-3
    cooling: float = 0.35  # of the first round, its end, in which the learning rate falls to nothing
    again_rate: float = 8e-4  # at which the second round begins; it falls to nothing too
    decay: float = 0.02
    average: float = 0.998  # of the weights that are kept
    seed: int = 2026

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return self.first + self.again

    @property
    def samples(self) -> int:
        """How many samples are drawn in all."""
        return self.head_start + int(self.steps * self.batch * self.fresh)

    def seen_until(self, step: int) -> int:
        """How many samples step number `step` chooses from."""
        return min(self.samples, self.head_start + int(step * self.batch * self.fresh))

    def rate(self, step: int) -> float:
        """The learning rate: a short climb, a long plateau, down; then a part of it again, and down.

        Nothing before the way down depends on the number of steps: a longer run may go on from a shorter one's.
        """
        if step >= self.first:
            return self.again_rate * (self.steps - step) / self.again
        left = (self.first - step) / (self.first * self.cooling)
        return self.peak_rate * min(1.0, (step + 1) / _WARM_UP) * min(1.0, left)


def main() -> None:
    """Train and write checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the checkpoint goes")
    parser.add_argument("--fonts", type=Path, help="folder of @fontsource packages; without it strokes alone")
    parser.add_argument("--steps", type=int, help="one round of so many steps instead of the recipe's two")
    parser.add_argument("--minutes", type=float, help="as many steps as fit; what comes out depends on the machine")
    parser.add_argument("--go-on", type=Path, help="a run-N.pt of the same recipe to go on from")
    parser.add_argument("--drawers", type=int, default=1, help="processes that draw plates")
    parser.add_argument("--threads", type=int, default=1, help="threads that train")
    told = parser.parse_args()
    os.nice(_NICENESS)
    told.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(told.threads)
    recipe = Recipe()
    if told.steps or told.minutes:
        recipe = Recipe(first=told.steps or _steps_in(told.minutes), again=0)
    (told.folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n")
    run = begin(recipe)
    if told.go_on:
        run.go_on_from(told.go_on)
    with Stream(
        told.folder, seed=recipe.seed, count=recipe.samples, fonts=told.fonts, processes=told.drawers
    ) as stream:
        train(run, recipe, stream, _trials(told.fonts), told.folder)


def _steps_in(minutes: float) -> int:
    """Guess how many steps fit, from a few on nothing while the drawers are not yet running."""
    network, images = _fresh_network(0), torch.rand(128, 1, 48, 144)
    started = time.monotonic()
    for _ in range(10):
        with torch.autocast("cpu", torch.bfloat16):
            answer = network(images)
        answer.float().square().mean().backward()
    each = (time.monotonic() - started) / 10
    return max(200, int(minutes * 60 / each / 1.8))  # drawing takes its part of the same cores


def _fresh_network(seed: int) -> PlateNet:
    torch.manual_seed(seed)
    return PlateNet().to(memory_format=torch.channels_last)


@dataclass(slots=True)
class _Run:
    """Where a run stands: all that a later one needs to go on."""

    network: PlateNet
    optimizer: torch.optim.Optimizer
    average: dict[str, Tensor]
    step: int = 0

    def save(self, folder: Path) -> None:
        """Save everything, and the averaged weights on their own."""
        everything = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "chance": torch.get_rng_state(),
        }
        for content, name in ((everything, f"run-{self.step}.pt"), (self.average, "own.pt")):
            torch.save(content, folder / "new")  # a reader never finds half a file
            (folder / "new").replace(folder / name)

    def go_on_from(self, file: Path) -> None:
        """Take over where another run stood."""
        everything = torch.load(file, weights_only=True)
        self.network.load_state_dict(everything["network"])
        self.optimizer.load_state_dict(everything["optimizer"])
        self.average, self.step = everything["average"], everything["step"]
        torch.set_rng_state(everything["chance"])


def begin(recipe: Recipe) -> _Run:
    """Return a run that stands at its first step."""
    network = _fresh_network(recipe.seed)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.peak_rate, weight_decay=recipe.decay)
    return _Run(network, optimizer, {name: value.clone() for name, value in network.state_dict().items()})


def train(run: _Run, recipe: Recipe, stream: Stream, trials: tuple[Tensor, list[str]], folder: Path) -> None:
    """Train by the recipe; everything is saved in the folder from time to time and at the end."""
    smooth, first, started = 0.0, run.step, time.monotonic()
    while run.step < recipe.steps:
        loss = _step(run, recipe, stream)
        smooth = loss if run.step == first else 0.98 * smooth + 0.02 * loss
        run.step += 1
        if run.step % 50 == 0:
            pace = (run.step - first) * recipe.batch / (time.monotonic() - started)
            print(f"step {run.step} of {recipe.steps}: loss {smooth:.3f}, {pace:.0f} crops/s", flush=True)
        if run.step % _SAVED_EVERY == 0 or run.step == recipe.steps:
            run.save(folder)
            print(f"  {exact(run.average, trials):.1%} of {_TRIALS} unseen plates are read exactly", flush=True)


def _step(run: _Run, recipe: Recipe, stream: Stream) -> float:
    """Take one step; returns the loss before it."""
    seen = recipe.seen_until(run.step)
    stream.wait_for(seen)
    chosen = np.sort(np.random.default_rng([recipe.seed, run.step]).integers(0, seen, recipe.batch))
    for group in run.optimizer.param_groups:
        group["lr"] = recipe.rate(run.step)
    aligned = max(0.0, 1 - run.step / _ALIGNED_FOR)
    loss = _loss(run.network, _as_input(stream.crops[chosen]), stream.labels[chosen], aligned)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.network.parameters(), 5.0)
    run.optimizer.step()
    _average(run.average, run.network, min(recipe.average, 1 - 10 / (run.step + 11)))
    return loss.item()


def _as_input(crops: np.ndarray) -> Tensor:
    images = torch.from_numpy(crops[:, None].astype(np.float32)).div_(255).sub_(0.5)
    return images.contiguous(memory_format=torch.channels_last)


def _loss(network: PlateNet, images: Tensor, labels: np.ndarray, aligned: float) -> Tensor:
    """Return the CTC loss, at first joined by a loss that knows where each character stands.

    CTC alone spends its first 100,000 crops on finding out that characters have places at all.
    """
    with torch.autocast("cpu", torch.bfloat16):
        answer = network(images)
    chances = answer.float().log_softmax(1)
    lengths = torch.from_numpy(labels[:, 0].astype(np.int64))
    texts = torch.from_numpy(labels[:, 1 : 1 + LONGEST].astype(np.int64))
    steps = torch.full((len(labels),), STEPS, dtype=torch.long)
    loss = functional.ctc_loss(chances.permute(2, 0, 1), texts, steps, lengths, zero_infinity=True)
    if aligned:
        loss = loss + aligned * functional.nll_loss(chances, torch.from_numpy(_places(labels)), ignore_index=-1)
    return loss


def _places(labels: np.ndarray) -> np.ndarray:
    """Return which class each column should have: characters at their centres, blank halfway between, else -1."""
    wanted = np.full((len(labels), STEPS), -1, dtype=np.int64)
    for row, (length, *rest) in zip(wanted, labels, strict=True):
        columns = rest[LONGEST : LONGEST + length]
        for one, other in pairwise(columns):
            if other - one > 1:
                row[(int(one) + int(other)) // 2] = 0
        row[columns] = rest[:length]
    return wanted


def _average(average: dict[str, Tensor], network: nn.Module, kept: float) -> None:
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            average[name].lerp_(value, 1 - kept)
        else:
            average[name].copy_(value)


def _trials(fonts: Path | None) -> tuple[Tensor, list[str]]:
    """Draw samples of another seed, with all conditions."""
    drawer = Drawer(_TRIAL_SEED, fonts)
    samples = [drawer.sample(number, hardness=1.0) for number in range(_TRIALS)]
    return _as_input(np.stack([sample.crop for sample in samples])), [sample.text for sample in samples]


def loaded(state: dict[str, Tensor]) -> PlateNet:
    """Return a network with these weights, ready to read."""
    network = PlateNet().to(memory_format=torch.channels_last)
    network.load_state_dict(state)
    return network.eval()


def exact(state: dict[str, Tensor], trials: tuple[Tensor, list[str]]) -> float:
    """Return the part of the trials that the best path reads exactly."""
    images, texts = trials
    with torch.no_grad():
        best = torch.cat([loaded(state)(part).argmax(1) for part in images.split(250)])
    return float(np.mean([_text(row) == text for row, text in zip(best.tolist(), texts, strict=True)]))


def _text(classes: list[int]) -> str:
    return "".join(CHARACTERS[one - 1] for at, one in enumerate(classes) if one and (at == 0 or one != classes[at - 1]))


if __name__ == "__main__":
    main()
