"""The commands on files: reports, forms, JSON, refusals in one sentence, and nothing of the web loaded."""

import csv
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from report_answers import exam, scored

from examsvc.cli import examsvc
from examsvc.commands import analysis as commands

POOL = "item,topic,b,a,words\n" + "\n".join(
    f"T{i},{'AB'[i % 2]},{-2 + i / 10:.2f},{0.8 + (i % 5) / 10:.1f},{20 + i}" for i in range(40)
)
BLUEPRINT = 'length = 10\nforms = 2\n[objective]\nkind = "maximin"\ntheta = [-1, 0, 1]\n[counts.topic]\nA = [4, 6]\n'


@pytest.fixture
def files(tmp_path):
    data, key, _ = exam(n=220)
    (tmp_path / "answers.csv").write_bytes(data)
    (tmp_path / "key.csv").write_bytes(key)
    (tmp_path / "scored.csv").write_bytes(scored(30, 6)[0])
    (tmp_path / "pool.csv").write_text(POOL)
    (tmp_path / "plan.toml").write_text(BLUEPRINT)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(examsvc, [str(one) for one in arguments])


def test_analyse_writes_a_report(files):
    out = files / "report.html"
    done = run("analyse", files / "answers.csv", "--key", files / "key.csv", "--group", "Giới tính", "-o", out, "--language", "en")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    text = out.read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    assert "Câu 7 (" in text


def test_analyse_prints_findings_in_both_languages(files):
    vi = run("analyse", files / "answers.csv", "--key", files / "key.csv")
    en = run("analyse", files / "answers.csv", "--key", files / "key.csv", "--language", "en", "--ignore", "Giới tính")
    assert vi.exit_code == 1
    assert "Giới tính" in vi.stderr  # a column of texts is no item
    assert en.exit_code == 0
    assert en.stdout.startswith("Act: Check the key of Câu 7")


def test_analyse_speaks_json(files):
    done = run("analyse", files / "scored.csv", "--json", "--model", "rasch")
    assert done.exit_code == 0, done.output
    out = json.loads(done.stdout)
    assert (out["persons"], len(out["items"])) == (30, 6)
    assert {row["model"] for row in out["model"]["items"]} == {"Rasch"}


def test_assemble_writes_forms(files):
    out = files / "forms.csv"
    done = run("assemble", files / "pool.csv", files / "plan.toml", "-o", out)
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [sum(row["form"] == form for row in rows) for form in "12"] == [10, 10]
    assert len({row["item"] for row in rows}) == 20
    assert "2 form(s) of 10, 10 items: objective" in done.stdout
    printed = run("assemble", files / "pool.csv", files / "plan.toml")
    assert printed.stdout == out.read_text()
    assert "objective" in printed.stderr
    found = json.loads(run("assemble", files / "pool.csv", files / "plan.toml", "--json", "-o", out).stdout)
    assert found["status"] == "optimal"
    assert [form["items"] for form in found["forms"]] == [[row["item"] for row in rows if row["form"] == form] for form in "12"]
    topic = next(one for one in found["forms"][0]["limits"] if one["name"] == "topic A")
    assert topic["least"] <= topic["reached"] <= topic["most"]


def test_a_lot_has_no_objective(files):
    (files / "lot.toml").write_text('length = 5\n[objective]\nkind = "lot"\nseed = 3\n')
    done = run("assemble", files / "pool.csv", files / "lot.toml", "-o", files / "form.csv")
    assert "drawn by lot" in done.stdout
    assert json.loads(run("assemble", files / "pool.csv", files / "lot.toml", "--json").stdout)["objective"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyse", "none.csv"], "does not exist"),
        (["analyse", "scored.csv", "--model", "4PL"], "4PL"),
        (["analyse", "answers.csv"], "Line 2, column Giới tính"),
        (["analyse", "scored.csv", "--group", "sex"], "no column 'sex'"),
        (["analyse", "scored.csv", "--reference", "x"], "needs the column of groups"),
        (["analyse", "scored.csv", "-o", "missing/report.html"], "No such file"),
        (["analyse", "scored.csv", "--delimiter", "xx"], "cannot be read as CSV"),
        (["assemble", "scored.csv", "plan.toml"], "column 'item'"),
        (["assemble", "pool.csv", "pool.csv"], "not valid TOML"),
        (["assemble", "pool.csv", "contradiction.toml"], "Relax one of them"),
        (["assemble", "pool.csv", "utf16.toml"], "not UTF-8"),
    ],
)
def test_refusals_are_one_sentence_with_a_status(files, monkeypatch, arguments, words):
    monkeypatch.chdir(files)
    (files / "contradiction.toml").write_text("length = 10\n[counts.topic]\nA = 8\nB = 8\n")
    (files / "utf16.toml").write_bytes("length = 10\n".encode("utf-16"))
    done = run(*arguments)
    assert done.exit_code != 0
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["analyse", "assemble"])
def test_help_has_an_example(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert f"Example: examsvc {command} " in " ".join(done.stdout.split())


def test_neither_web_nor_database_is_loaded(files):
    code = (
        "import sys; sys.argv = ['examsvc', 'analyse', 'scored.csv']; from examsvc.cli import main; main();"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'flask', 'sqlalchemy', 'wtforms', 'werkzeug'}))"
    )
    root = Path(commands.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=files, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert done.stderr == ""  # no bar where nobody looks


def test_a_bar_appears_on_a_terminal_after_a_while_only():
    """On a pseudo-terminal: nothing for quick work, a bar for work beyond the patience."""
    code = (
        "import time; from examsvc.commands import analysis as a; a.PATIENCE = 0.2\n"
        "with a.progress_bar() as advance:\n    advance('items', 0.5); time.sleep({seconds})"
    )
    seen = {}
    for seconds in (0.0, 1.2):
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", code.format(seconds=seconds)],
            stderr=follower,
            env={**os.environ, "TERM": "xterm", "PYTHONPATH": str(Path(commands.__file__).parents[2])},
        )
        process.wait(timeout=60)
        os.close(follower)
        text = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            text += part
        os.close(leader)
        seen[seconds] = text
        assert process.returncode == 0
    assert b"items" not in seen[0.0]
    assert b"items" in seen[1.2]
