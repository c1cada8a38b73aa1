"""Connectionist temporal classification, read backwards: from a matrix to a text, and how likely is a given text.

Pure: numpy only. A matrix is T x K natural-log probabilities, column 0 the blank (Graves et al., 2006).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_IMPOSSIBLE = -1e30  # stands for log 0 without the warnings of -inf


def greedy(matrix: NDArray[np.floating]) -> tuple[list[int], list[float]]:
    """Return the columns of the best path (repeats and blanks dropped), and each one's best probability."""
    best = matrix.argmax(axis=1)
    columns: list[int] = []
    confidences: list[float] = []
    previous = 0
    for step, column in enumerate(best.tolist()):
        if column:
            probability = float(np.exp(matrix[step, column]))
            if column == previous:
                confidences[-1] = max(confidences[-1], probability)
            else:
                columns.append(column)
                confidences.append(probability)
        previous = column
    return columns, confidences


def log_likelihoods(matrix: NDArray[np.floating], texts: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Return log P(text | matrix) of each text (as columns), summed over all its alignments.

    Texts of one length are scored together: about 1 ms for 100 plates.
    """
    result = np.full(len(texts), _IMPOSSIBLE)
    by_length: dict[int, list[int]] = {}
    for index, text in enumerate(texts):
        by_length.setdefault(len(text), []).append(index)
    for length, indices in by_length.items():
        columns = np.array([texts[index] for index in indices], dtype=np.intp).reshape(len(indices), length)
        result[indices] = _forward(matrix, columns)
    return result


def _forward(matrix: NDArray[np.floating], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    """Run the forward recursion for B texts of n columns each; returns B log-likelihoods."""
    count, length = columns.shape
    # States: blank, first, blank, second, ... blank.
    states = np.zeros((count, 2 * length + 1), dtype=np.intp)
    states[:, 1::2] = columns
    # A character may follow another without a blank between, unless they are equal.
    may_skip = np.zeros(states.shape, dtype=bool)
    may_skip[:, 3::2] = columns[:, 1:] != columns[:, :-1]
    alpha = np.full(states.shape, _IMPOSSIBLE)
    alpha[:, 0] = matrix[0, 0]
    if length:
        alpha[:, 1] = matrix[0, columns[:, 0]]
    for step in range(1, len(matrix)):
        one_back = np.full(states.shape, _IMPOSSIBLE)
        one_back[:, 1:] = alpha[:, :-1]
        two_back = np.full(states.shape, _IMPOSSIBLE)
        two_back[:, 2:] = alpha[:, :-2]
        two_back[~may_skip] = _IMPOSSIBLE
        alpha = np.logaddexp(np.logaddexp(alpha, one_back), two_back) + matrix[step][states]
    return np.logaddexp(alpha[:, -1], alpha[:, -2]) if length else alpha[:, -1]
