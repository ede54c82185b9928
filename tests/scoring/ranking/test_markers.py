"""Marker error and leaving out markers, by hand."""

import numpy as np
import pytest

from scoring.errors import BadParameters, BadResponses, NotIdentified
from scoring.ranking import leave_out_markers, marker_error, rank_uncertainty


def test_two_markers_on_four_candidates_by_hand():
    """Marks (8, 6), (7, 7), (5, 3), (4, 2): differences 2, 0, 2, 2, mean 1.5.

    Residual mean square of two columns = half the variance of the differences: ((.5² × 3 + 1.5²) / 3) / 2 = 0.5.
    Mean square of markers = n × variance of the column means 6 and 4.5 = 4 × 1.125 = 4.5, so the severity variance is
    (4.5 - 0.5) / 4 = 1. Error of a mean of two marks: 0.5 / 2 on the diagonal, plus 1 / 2 shared by all.
    """
    found = marker_error([[8, 6], [7, 7], [5, 3], [4, 2]])
    assert found.residual_variance == pytest.approx(0.5, abs=1e-8)
    assert found.severity_variance == pytest.approx(1.0, abs=1e-7)
    assert found.degrees_of_freedom == 3
    np.testing.assert_allclose(found.covariance, 0.5 + 0.25 * np.eye(4), atol=1e-7)
    np.testing.assert_allclose(found.mean_mark, [7, 7, 4, 3])


def test_common_markers_do_not_blur_the_order():
    marks = np.array([[8, 6], [7, 7], [5, 3], [4, 2.0]])
    found = marker_error(marks)
    whole = rank_uncertainty(found.mean_mark, covariance=found.covariance, degrees_of_freedom=3)
    own = rank_uncertainty(found.mean_mark, np.sqrt(0.25), degrees_of_freedom=3)
    np.testing.assert_allclose(whole.beats, own.beats, atol=1e-5)


def test_sparse_allocation_shares_error_between_candidates_of_one_marker():
    nan = np.nan
    marks = [[70, 75, nan], [60, nan, 66], [nan, 55, 52], [80, 86, nan], [nan, 62, 60], [50, nan, 55]]
    found = marker_error(marks)
    assert found.degrees_of_freedom == 12 - 6 - 3 + 1
    expected = found.severity_variance / 4
    assert found.covariance[0, 1] == pytest.approx(expected)  # one marker in common, half the weight each
    assert found.covariance[0, 3] == pytest.approx(2 * expected)
    assert found.severity_variance > 0


def test_markers_that_agree_leave_no_error():
    found = marker_error([[5, 5], [7, 7], [9, 9]])
    assert found.severity_variance == found.residual_variance == 0
    assert not found.standard_error.any()
    constant = marker_error([[5, 6], [7, 8], [9, 10]])
    assert constant.residual_variance == 0
    assert constant.severity_variance == pytest.approx(0.5)  # column means 7 and 8


@pytest.mark.parametrize("marks", [[[5, np.nan], [np.nan, 6]], [[5.0], [6.0]], [[5, 6], [7, np.nan]]])
def test_designs_that_say_nothing_about_error(marks):
    with pytest.raises(NotIdentified):
        marker_error(marks)


def test_leaving_out_markers_by_hand():
    """A 9, 5, 7; B 8, 8, 2; C 4, 6, 6 (means 7, 6, 5.33; order A B C).

    Without the first: A 6, B 5, C 6: A and C share the first place. Without the second: 8, 5, 5. Without the third: 7, 8, 5.
    """
    marks = [[9, 5, 7], [8, 8, 2], [4, 6, 6]]
    first, second, third = leave_out_markers(marks, names="ABC", markers=["X", "Y", "Z"])
    np.testing.assert_allclose(first.score, [6, 5, 6])
    assert first.rank.tolist() == [1, 3, 1]
    assert first.first == ("A", "C")
    assert first.moved == 2
    assert first.verdict.code == "marker.decides"
    assert second.rank.tolist() == [1, 2, 2]
    assert second.verdict.code == "marker.reorders"
    assert third.rank.tolist() == [2, 1, 3]
    assert third.first == ("B",)
    assert third.marker == "Z"
    assert third.largest_change == pytest.approx(2.0)


def test_a_sole_marker_is_named_and_other_points_count():
    nan = np.nan
    effects = leave_out_markers([[9, nan], [8, 7], [4, 5]], other=[0, 10, 0], weight=2.0, names="ABC")
    assert effects[0].sole == ("A",)
    assert np.isnan(effects[0].score[0])
    assert effects[0].rank.tolist() == [0, 1, 2]
    assert effects[0].verdict.code == "marker.sole"
    np.testing.assert_allclose(effects[1].score, [18, 26, 8])
    assert effects[1].verdict.code == "marker.no_effect"


def test_bad_marks():
    with pytest.raises(BadResponses):
        leave_out_markers([[1.0], [2.0]])
    with pytest.raises(BadResponses):
        leave_out_markers([[1, 2], [np.nan, np.nan]])
    with pytest.raises(BadParameters):
        leave_out_markers([[1, 2], [3, 4]], other=[1, 2, 3])
