"""The network: a grey crop of 144 x 48 pixels in, the chances of 36 columns out. 0.77 million parameters.

Plain convolutions, batch normalisation and ReLU only: what every runtime runs quickly on small processors.
"""

from typing import Final

import torch
from torch import Tensor, nn

CHARACTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CLASSES: Final = 1 + len(CHARACTERS)  # class 0 is the CTC blank
WIDTH: Final = 144  # px
HEIGHT: Final = 48  # px
STEPS: Final = 36  # columns of the answer, 4 px each


def _convolution(
    inward: int, outward: int, size: tuple[int, int] = (3, 3), stride: tuple[int, int] = (1, 1), *, high: bool = True
) -> nn.Sequential:
    """Convolve, normalise, cut off; high says whether rows are padded (they are columns' only way to shrink)."""
    padding = (size[0] // 2 if high else 0, size[1] // 2)
    return nn.Sequential(
        nn.Conv2d(inward, outward, size, stride, padding, bias=False), nn.BatchNorm2d(outward), nn.ReLU(inplace=True)
    )


class _Along(nn.Module):
    """Looks along the line of text, with a bypass: what stands beside a character helps to see where it ends."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels, (1, 5))
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, (1, 5), 1, (0, 2 * dilation), dilation=(1, dilation), bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, values: Tensor) -> Tensor:
        return torch.relu(values + self.second(self.first(values)))


class PlateNet(nn.Module):
    """N x 1 x 48 x 144 (grey / 255 - 0.5) to N x 37 x 36 logits."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(
            _convolution(1, 18, stride=(2, 2)),
            _convolution(18, 30),
            _convolution(30, 48, stride=(2, 2)),
            _convolution(48, 72),
            _convolution(72, 96, stride=(2, 1)),
            _convolution(96, 96),
            _convolution(96, 120, stride=(2, 1)),
            _convolution(120, 144, (3, 1), high=False),
        )
        self.read = nn.Sequential(_Along(144, 1), _Along(144, 2), nn.Dropout(0.1))
        self.tell = nn.Conv2d(144, CLASSES, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Return logits."""
        return self.tell(self.read(self.see(values)))[:, :, 0]


class Answering(nn.Module):
    """The network as it is exported: probabilities instead of logits."""

    def __init__(self, network: PlateNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, values: Tensor) -> Tensor:
        """Return probabilities."""
        return torch.softmax(self.network(values), 1)
