"""Answer files as spreadsheets and people write them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_answers import exam, scored, written

from scoring.errors import BadResponses
from scoring.report import read_answers

TABLE = [["SBD", "Q1", "Q2", "Q3"], ["a1", "1", "0", "1"], ["a2", "0", "0", "1"], ["a3", "1", "1", ""]]
CODES = np.array([[1, 0, 1], [0, 0, 1], [1, 1, np.nan]])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_byte_order_marks(delimiter, encoding):
    read = read_answers(written(TABLE, delimiter, encoding), name="x.csv")
    np.testing.assert_array_equal(read.scores, CODES)
    assert read.items == ("Q1", "Q2", "Q3")
    assert read.persons == ("a1", "a2", "a3")
    assert (read.id_column, read.delimiter, read.header) == ("SBD", delimiter, True)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(3, 12).flatmap(
        lambda width: st.lists(
            st.lists(st.sampled_from(["0", "1", "2", "", "NA"]), min_size=width, max_size=width), min_size=2, max_size=9
        )
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_what_was_written_is_read(rows, delimiter, header):
    rows = [["1", *row] for row in rows]
    head = [[f"item {j}" for j in range(len(rows[0]))]] if header else []
    read = read_answers(written([*head, *rows], delimiter), header=header)
    given_scores = np.array([[np.nan if cell in ("", "NA") else float(cell) for cell in row] for row in rows])
    kept = ~np.isnan(given_scores).all(axis=0)
    np.testing.assert_array_equal(read.scores, given_scores[:, kept])
    assert len(read.left_out_items) == int((~kept).sum())


def test_a_missing_header_is_noticed():
    read = read_answers(written([row[1:] for row in TABLE[1:]]))
    assert not read.header
    assert read.items == ("1", "2", "3")
    assert read.persons == ("1", "2", "3")
    options = [list("ABCDA"), list("BBCDA"), list("ACCDB"), list("ABDDA")]
    read = read_answers(written(options), key=written([[str(j + 1), k] for j, k in enumerate("ABCDA")]))
    assert not read.header
    assert read.scores[0].tolist() == [1] * 5


def test_a_first_column_that_cannot_be_a_score_holds_the_numbers():
    assert read_answers(written([["x", "Q1", "Q2"], ["901", "1", "0"], ["902", "1", "1"], ["903", "0", "1"]])).id_column == "x"
    assert read_answers(written([["x", "Q1", "Q2"], ["3", "1", "0"], ["2", "1", "1"], ["1", "0", "1"]])).id_column is None
    named = read_answers(written([["x", "Q1", "Q2"], ["3", "1", "0"], ["2", "1", "1"]]), id_column="x")
    assert named.persons == ("3", "2")
    assert named.items == ("Q1", "Q2")


def test_options_are_marked_and_omissions_are_wrong_but_not_administered_is_not():
    data = written([["id", "Q1", "Q2", "E"], ["1", "a", "B", "2,5"], ["2", "C", "", "3"], ["3", "A", "NA", "-"]], ";")
    read = read_answers(data, key=written([["item", "key", "maximum"], ["Q1", "A", ""], ["Q2", "b", ""], ["E", "", "5"]]))
    np.testing.assert_array_equal(read.scores, [[1, 1, 2.5], [0, 0, 3], [1, np.nan, np.nan]])
    assert read.options[0] == ("A", "C", "A")  # single letters in one case
    assert read.options[1] == ("B", None, None)
    assert read.key == {0: "A", 1: "B"}
    assert read.maximum.tolist() == [1, 1, 5]


def test_keys_may_stand_in_two_columns_or_below_their_items():
    data = written([["SBD", "Q1", "Q2"], ["x1", "A", "B"], ["x2", "C", "B"], ["x3", "A", "D"]])
    expected = [[1, 1], [0, 1], [1, 0]]
    for key in ([["Q1", "A"], ["Q2", "B"]], [["Q1", "Q2"], ["A", "B"]], [["Câu hỏi", "Đáp án"], ["Q2", "B"], ["Q1", "A"]]):
        assert read_answers(data, key=written(key)).scores.tolist() == expected


def test_a_real_spreadsheet_with_groups():
    data, key, _ = exam()
    read = read_answers(data, key=key, group_column="Giới tính")
    assert read.scores.shape == (320, 30)
    assert set(read.groups) == {"Nam", "Nữ"}
    assert read.id_column == "SBD"
    assert read.delimiter == ";"


def test_excel_names_its_delimiter_and_empty_lines_do_not_count():
    data = b"sep=;\r\nid;Q1;Q2\r\n\r\nx;1;0\r\n;;\r\ny;0;1\r\nz;;\r\n"
    read = read_answers(data)
    assert read.delimiter == ";"
    assert read.persons == ("x", "y")
    assert read.left_out_lines == (7,)


def test_repeated_numbers_are_named():
    assert read_answers(written([["id", "Q1"], ["x", "1"], ["x", "0"], ["y", "1"]])).repeated == ("x",)


@pytest.mark.parametrize(
    ("data", "options", "words"),
    [
        (b"", {}, "is empty"),
        (b"  \n \n", {}, "is empty"),
        (b"\xff\xffabc", {}, "not UTF-8"),
        (b"PK\x03\x04\x00\x00", {}, "not a text file"),
        (b"id,Q1\n", {"header": True}, "no candidate"),
        (b"id,Q1\nx,1\ny,1,0\n", {}, "Line 3 of the answer file has 3 cells"),
        (b"id,Q1,Q1\nx,1,0\ny,0,1\n", {}, "called 'Q1'"),
        (b"id,,Q2\nx,1,0\n", {"header": True}, "Column 2"),
        (b"id,Q1\nx,yes\ny,no\n", {}, "Line 2, column Q1: 'yes' is not a score; give the key file"),
        (b"id,Q1\nx,-1\ny,2\n", {}, "Line 2, column Q1: a score of -1 is below 0"),
        (b"id,Q1\nx,1\n", {"group_column": "sex"}, "no column 'sex'; the columns are id, Q1"),
        (b"id,Q1\nx,1\n", {"ignore": ("Q1",)}, "No column is left"),
        (b"id,Q1\nx,\ny,NA\n", {}, "Every cell is empty"),
        (b'id,Q1\nx,"1\n', {}, "cannot be read as CSV"),
        (b"id,Q1\nx,A\n", {"key": b"Q9,A\n"}, "no item 'Q9'"),
        (b"id,Q1\nx,A\n", {"key": b"Q1,A\nQ1,B\n"}, "stands there twice"),
        (b"id,Q1\nx,A\n", {"key": b"item,key\nQ1,\n"}, "has no key"),
        (b"id,Q1\nx,A\n", {"key": b"item,key,maximum\nQ1,A,two\n"}, "not a number of points"),
        (b"id,Q1\nx,A\n", {"key": b"item,key,maximum\nQ1,A,2\n"}, "counts 1 point"),
        (b"id,Q1\nx,A\n", {"key": b"a,b,c\nd,e,f\ng,h,i\n"}, "columns item and key"),
        (b"id,Q1\nx,A\n", {"key": b""}, "The key file is empty"),
        (b"id,Q1,Q2\nx,A,B\n", {"key": b"Q1,A\n", "header": True}, "Q2: 'B' is not a score; name its key"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(data, options, words):
    with pytest.raises(BadResponses, match=words) as refused:
        read_answers(data, **options)
    assert str(refused.value).endswith((".", "…"))
    assert "\n" not in str(refused.value)


def test_a_large_file_is_read_as_it_is():
    data, x = scored(3_000, 20)
    read = read_answers(data)
    np.testing.assert_array_equal(read.scores, x)
