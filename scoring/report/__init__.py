"""A report on any answer file: one self-contained HTML page in Vietnamese or English, or the same results for machines.

    answers = read_answers(Path("answers.csv").read_bytes(), key=Path("key.csv").read_bytes())
    Path("report.html").write_text(render(analyse(answers)), encoding="utf-8")
"""

from scoring.report.analysis import MODELS, Analysis, GroupComparison, Refusal, ResponseModel, analyse
from scoring.report.document import render, sentences
from scoring.report.files import NOT_ADMINISTERED, Answers, read_answers
from scoring.report.findings import Finding, find
from scoring.report.machine import as_mapping
from scoring.report.wording import LANGUAGES

__all__ = [
    "LANGUAGES",
    "MODELS",
    "NOT_ADMINISTERED",
    "Analysis",
    "Answers",
    "Finding",
    "GroupComparison",
    "Refusal",
    "ResponseModel",
    "analyse",
    "as_mapping",
    "find",
    "read_answers",
    "render",
    "sentences",
]
