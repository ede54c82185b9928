"""The gate: what it refuses, and that what passes is what was given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scoring.errors import BadResponses
from scoring.responses import collapse_rows, read_responses

REFUSED = {
    "one dimension": ([1, 0, 1], {}),
    "three dimensions": (np.zeros((2, 2, 2)), {}),
    "no persons": (np.zeros((0, 3)), {}),
    "no items": (np.zeros((3, 0)), {}),
    "ragged": ([[1, 0], [1]], {}),
    "text": ([["A", "B"]], {}),
    "text among objects": (np.array([["A", 1]], dtype=object), {}),
    "half a mark": ([[0.5, 1.0]], {}),
    "infinite": ([[np.inf, 1.0]], {}),
    "negative": ([[-1, 1]], {}),
    "negative float": ([[-99.0, 1.0]], {}),
    "too many categories": ([[40_000, 1]], {}),
    "beyond the declared categories": ([[0, 3]], {"categories": 2}),
    "fractional number of categories": ([[0, 1]], {"categories": 2.5}),
    "wrong number of category counts": ([[0, 1]], {"categories": [2, 2, 2]}),
    "zero categories": ([[0, 1]], {"categories": [0, 2]}),
    "short weights": ([[0, 1]], {"weights": [1, 1]}),
    "negative weights": ([[0, 1]], {"weights": [-1]}),
    "zero weights": ([[0, 1]], {"weights": [0]}),
    "infinite weights": ([[0, 1]], {"weights": [np.inf]}),
    "text weights": ([[0, 1]], {"weights": ["a"]}),
    "names": ([[0, 1]], {"items": ["a"]}),
    "repeated names": ([[0, 1]], {"items": ["a", "a"]}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_a_sentence(name):
    matrix, options = REFUSED[name]
    with pytest.raises(BadResponses, match=r"\w+ .*"):
        read_responses(matrix, **options)


matrices = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 5)),
    elements=st.sampled_from([0.0, 1.0, 2.0, np.nan]),
)


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_what_passes_is_what_was_given(matrix):
    matrix.setflags(write=False)
    read = read_responses(matrix)
    np.testing.assert_array_equal(read.matrix(), matrix)
    assert read.complete == (not np.isnan(matrix).any())
    assert (read.categories == np.nanmax(np.c_[matrix.T, -np.ones(matrix.shape[1])], axis=1) + 1).all()
    assert not read.codes.flags.writeable
    assert read_responses(read) is read


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_collapsing_and_spreading_out_again_changes_nothing(matrix):
    read = read_responses(matrix, weights=np.arange(1.0, matrix.shape[0] + 1))
    collapsed = collapse_rows(read, always=True)
    assert collapsed is not None
    np.testing.assert_array_equal(collapsed.responses.codes[collapsed.row], read.codes)
    distinct, where = np.unique(read.codes, axis=0, return_inverse=True)
    assert collapsed.responses.n_persons == distinct.shape[0]
    by_pattern = np.bincount(where.reshape(-1), weights=read.weights)
    assert sorted(by_pattern) == sorted(collapsed.responses.weights)


def test_rows_are_merged_only_where_it_pays():
    rng = np.random.default_rng(5)
    assert collapse_rows(read_responses(rng.integers(0, 2, (3000, 30)))) is None
    few = collapse_rows(read_responses(rng.integers(0, 2, (3000, 5))))
    assert few is not None
    assert few.responses.n_persons == 32


@pytest.mark.parametrize(
    "given_as",
    [
        lambda m: m.tolist(),
        lambda m: m.astype(object),
        lambda m: np.ma.masked_invalid(m),
        lambda m: np.asfortranarray(m.astype(np.float32)),
        lambda m: [[None if np.isnan(v) else int(v) for v in row] for row in m],
    ],
)
def test_the_same_matrix_in_other_clothes(given_as):
    matrix = np.array([[0, 1, np.nan], [3, np.nan, 1], [np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(read_responses(given_as(matrix)).matrix(), matrix)


def test_whole_numbers_and_booleans():
    np.testing.assert_array_equal(read_responses(np.array([[True, False]])).codes, [[1, 0]])
    wide = read_responses(np.array([[0, 200]]))
    assert wide.codes.dtype == np.int16
    assert wide.categories.tolist() == [1, 201]
    assert read_responses([[0, 1]], categories=4).categories.tolist() == [4, 4]
    assert read_responses([0, 1, None], single_row=True).codes.tolist() == [[0, 1, -1]]


def test_selecting_persons():
    read = read_responses([[0, 1], [np.nan, 1], [1, 0]], weights=[1, 2, 3], items=["a", "b"])
    some = read.select(np.array([2, 1]))
    np.testing.assert_array_equal(some.matrix(), [[1, 0], [np.nan, 1]])
    assert some.weights.tolist() == [3, 2]
    assert not some.complete
    assert read.select(np.array([0])).complete
