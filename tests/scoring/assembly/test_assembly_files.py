"""Pools and blueprints from files: read, assembled, written."""

import csv
import io

import numpy as np
import pytest

from scoring.assembly import Maximin, assemble, read_blueprint, read_pool, write_forms
from scoring.errors import BadParameters

BLUEPRINT = """
title = "Paper for the practice round"
length = 8
forms = 2
exclude = ["q1"]

[objective]
kind = "maximin"
theta = [-1, 0, 1]
values = [0.8, 1, 0.8]

[enemies]
column = "enemy"
groups = [["q2", "q3"]]

[exposure]
column = "used"
maximum = 3

[counts.topic]
law = [2, 4]

[grid]
rows = "topic"
columns = "level"
cells = { management = { recall = { least = 1 }, apply = [1, 6] } }

[totals]
seconds = { most = 800 }

[[constraint]]
name = "easy items"
where = { b = { below = 0.2 } }
least = 2

[[constraint]]
name = "mean difficulty"
measure = "mean"
of = "b"
least = -0.5
most = 0.5
"""


def pool_text(n: int = 60) -> str:
    rng = np.random.default_rng(4)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["item", "a", "b", "c", "topic", "level", "seconds", "used", "enemy", "note"])
    for j in range(n):
        writer.writerow([
            f"q{j}", round(float(np.exp(rng.normal(0, 0.2))), 3), round(float(rng.normal()), 3), 0.2,
            rng.choice(["law", "management"]), rng.choice(["recall", "apply"]), int(rng.integers(40, 120)),
            int(rng.integers(0, 6)), int(j % 20) if j < 40 else "", "=SUM(A1)" if j == 5 else "ghi chú",
        ])  # fmt: skip
    return out.getvalue()


def test_a_blueprint_file_is_met_by_its_forms():
    read = read_blueprint(BLUEPRINT, read_pool(pool_text()))
    assert read.forms == 2
    assert isinstance(read.blueprint.objective, Maximin)
    made = assemble(read.pool, read.blueprint, read.forms)
    rows = list(csv.DictReader(io.StringIO(write_forms(made))))
    assert len(rows) == 16
    source = {row["item"]: row for row in csv.DictReader(io.StringIO(pool_text()))}
    for form in ("1", "2"):
        mine = [row for row in rows if row["form"] == form]
        assert [row["position"] for row in mine] == [str(p) for p in range(1, 9)]
        assert "q1" not in {row["item"] for row in mine}
        assert 2 <= sum(row["topic"] == "law" for row in mine) <= 4
        assert sum(float(row["seconds"]) for row in mine) <= 800
        assert all(int(row["used"]) <= 3 for row in mine)
        assert sum(float(row["b"]) < 0.2 for row in mine) >= 2
        assert abs(np.mean([float(row["b"]) for row in mine])) <= 0.5
        enemies = [row["enemy"] for row in mine if row["enemy"] not in ("", "0")]
        assert len(set(enemies)) == len(enemies)
        for row in mine:
            original = source[row["item"]]
            assert (row["a"], row["b"]) == (original["a"], original["b"])
    assert len({row["item"] for row in rows}) == 16


def test_a_text_that_a_spreadsheet_would_run_is_written_as_text():
    pool = read_pool(pool_text(6))
    read = read_blueprint('length = 6\n[objective]\nkind = "lot"\nseed = 3', pool)
    text = write_forms(assemble(read.pool, read.blueprint))
    assert "'=SUM(A1)" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs a length"),
        ("length = ", "not valid TOML"),
        ("length = 3\nlenght = 3", "unknown entry 'lenght'"),
        ("length = [1, 2, 3]", r"\[least, most\]"),
        ('length = 3\n[objective]\nkind = "best"\ntheta = [0]', "kind is"),
        ('length = 3\n[objective]\nkind = "target"\ntheta = [0]', "needs its values"),
        ('length = 3\n[objective]\nkind = "maximin"', "either theta"),
        ("length = 3\n[counts.subject]\nlaw = 2", "no column 'subject'"),
        ('length = 3\n[[constraint]]\nname = "x"\nleast = 1\nwhere = { b = { under = 1 } }', "a condition is"),
        ('length = 3\n[[constraint]]\nleast = 1', "has no name"),
        ('length = 3\n[exposure]\ncolumn = "topic"\nmaximum = 1', "holds text"),
        ("length = true", "give a number"),
    ],
)  # fmt: skip
def test_a_blueprint_that_cannot_be_read_is_refused(text, words):
    def read_and_assemble():
        read = read_blueprint(text, read_pool(pool_text(10)))
        assemble(read.pool, read.blueprint)

    with pytest.raises(BadParameters, match=words):
        read_and_assemble()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name,b\nq1,2", "column 'item'"),
        ("item,b\nq1", "Line 2"),
        ("item,b\nq1,1\nq1,2", "twice"),
        ("item,b,b\nq1,1,2", "same name"),
        ("item,b\n,1", "no name"),
    ],
)
def test_a_pool_that_cannot_be_read_is_refused(text, words):
    with pytest.raises(BadParameters, match=words):
        read_pool(text)


def test_columns_are_numbers_only_when_every_cell_is():
    pool = read_pool("\ufeffitem,grade,code\nq1,1,1\nq2,,x\nq3,2.5,nan\n")
    assert pool.attributes["grade"] == (1.0, None, 2.5)
    assert pool.attributes["code"] == ("1", "x", "nan")
