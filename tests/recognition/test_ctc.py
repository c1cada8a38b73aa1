"""The CTC arithmetic against its definition: all paths, written out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from custom_components.parkshare.recognition.ctc import greedy, log_likelihoods

CLASSES = 3  # the blank and two characters
matrices = arrays(np.float64, st.tuples(st.integers(1, 5), st.just(CLASSES)), elements=st.floats(0.01, 1)).map(
    lambda weights: np.log(weights / weights.sum(axis=1, keepdims=True))
)


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(column for column, _ in itertools.groupby(path) if column)


def by_definition(matrix: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Probability of each text: the sum over all paths that collapse to it."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(CLASSES), repeat=len(matrix)):
        text = collapsed(path)
        found[text] = found.get(text, 0.0) + float(np.exp(sum(matrix[t, c] for t, c in enumerate(path))))
    return found


@given(matrices)
@settings(max_examples=60, deadline=None)
def test_the_likelihood_of_a_text_is_the_sum_over_all_its_paths(matrix: NDArray[np.float64]) -> None:
    expected = by_definition(matrix)
    texts = sorted(expected)
    assert np.exp(log_likelihoods(matrix, texts)) == pytest.approx([expected[text] for text in texts], rel=1e-9)


@given(matrices)
@settings(max_examples=60, deadline=None)
def test_the_greedy_text_is_the_collapsed_best_path_with_a_probability_for_each_character(
    matrix: NDArray[np.float64],
) -> None:
    columns, confidences = greedy(matrix)
    assert tuple(columns) == collapsed(tuple(matrix.argmax(axis=1).tolist()))
    assert len(confidences) == len(columns)
    assert all(1 / CLASSES <= confidence <= 1 for confidence in confidences)


@given(matrices)
@settings(max_examples=30, deadline=None)
def test_a_text_longer_than_the_matrix_is_impossible(matrix: NDArray[np.float64]) -> None:
    assert log_likelihoods(matrix, [[1] * (len(matrix) + 1)])[0] < -1e9


def test_a_doubled_character_needs_a_blank_between() -> None:
    sure = np.log(np.array([[0.02, 0.96, 0.02], [0.96, 0.02, 0.02], [0.02, 0.96, 0.02]]))
    assert greedy(sure)[0] == [1, 1]
    one, two = log_likelihoods(sure, [[1], [1, 1]])
    assert two > one
