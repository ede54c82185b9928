"""The gate for real-valued tables and labels."""

import numpy as np
import pytest

from scoring.errors import BadParameters, BadResponses
from scoring.responses import read_responses
from scoring.scores import read_levels, read_names, read_scores, read_vector


def test_a_copy_that_cannot_be_changed():
    x = np.array([[1.5, 2], [3, np.nan]])
    table = read_scores(x)
    assert not table.flags.writeable
    x[0, 0] = 9
    assert table[0, 0] == 1.5


def test_masked_none_and_responses_are_missing():
    masked = np.ma.masked_array([[1.0, 2], [3, 4]], [[0, 1], [0, 0]])
    assert np.isnan(read_scores(masked)[0, 1])
    assert np.isnan(read_scores([[1, None], [2, 3]])[0, 1])
    np.testing.assert_array_equal(read_scores(read_responses([[1, np.nan], [0, 2]])), [[1, np.nan], [0, 2]])


@pytest.mark.parametrize(
    "values", [[1, 2], [], [[np.inf, 1]], [["a", 1]], [[1, 2], [np.nan, np.nan]], [[1], [2, 3]]]
)
def test_refused(values):
    with pytest.raises(BadResponses):
        read_scores(values)


def test_levels_are_sorted_and_complete():
    codes, names = read_levels([10, 9, 10, 2], "rater")
    assert names == ("2", "9", "10")
    assert codes.tolist() == [2, 1, 2, 0]
    for labels in ([1, None], ["", "a"], [float("nan")], [1, "1"]):
        with pytest.raises(BadResponses):
            read_levels(labels, "rater")


def test_names_and_vectors():
    assert read_names(None, 2, "items") == ("1", "2")
    np.testing.assert_array_equal(read_vector(2, 3, "weights"), [2, 2, 2])
    for call in (
        lambda: read_names(["a"], 2, "items"),
        lambda: read_vector([1, 2], 3, "weights"),
        lambda: read_vector("x", 3, "weights"),
        lambda: read_vector(0, 3, "weights", positive=True),
        lambda: read_vector(np.inf, 3, "weights"),
    ):
        with pytest.raises(BadParameters):
            call()
