"""Questions to begin with for the kinds that no form shows: native TOML of each, to be changed into one's own."""

from __future__ import annotations

from dataclasses import dataclass

from examsvc.base.errors import N_

PICTURE = "0" * 64
"""Stands where the author puts the digest of a picture of his own."""


@dataclass(frozen=True)
class Example:
    """``name`` as authors call the kind; ``pictured`` where it needs a picture, sound or film first."""

    name: str
    toml: str
    pictured: bool = False


def _general(interaction: str, base: str, cardinality: str, correct: str = "", *, more: str = "", method: str = "all-or-nothing") -> str:
    right = f", correct = [{correct}]" if correct else ""
    return f"""kind = "composite"
topic = ""
level = "understand"
marks = "1"
prompt = {{ vi = "Câu hỏi", en = "The question" }}
explanation = {{ vi = "Vì sao đáp án đúng", en = "Why the key is right" }}
interaction = [
  {{ response = "RESPONSE", {interaction} }},
]
response = [{{ id = "RESPONSE", base = "{base}", cardinality = "{cardinality}"{right}{more} }}]
rule = [{{ response = "RESPONSE", method = "{method}" }}]
"""


_ON = f'picture = {{ media = "media/{PICTURE}", width = 300, height = 240, alternative = {{ vi = "Hình vẽ gì", en = "What the picture shows" }} }}'
_AREAS = """targets = [
    { id = "north", text = { vi = "Bắc", en = "North" }, shape = "rect", coordinates = [20, 20, 120, 80], match_max = 1 },
    { id = "south", text = { vi = "Nam", en = "South" }, shape = "circle", coordinates = [200, 160, 40], match_max = 1 },
  ]"""
_AREA = ', areas = { entries = [{ shape = "circle", coordinates = [200, 120, 40], value = "1" }], default = "0" }'
_THINGS = """choices = [
    { id = "t1", text = { vi = "Kho", en = "Store" }, match_max = 1 },
    { id = "t2", text = { vi = "Trạm", en = "Station" }, match_max = 1 },
  ]"""

EXAMPLES: dict[str, Example] = {
    "matrix": Example(
        N_("a table: one column for each statement"),
        _general(
            """kind = "match", max_choices = 0, choices = [
    { id = "r1", text = { vi = "Nhận định một", en = "Statement one" }, match_max = 1 },
    { id = "r2", text = { vi = "Nhận định hai", en = "Statement two" }, match_max = 1 },
  ], targets = [
    { id = "yes", text = { vi = "Đúng", en = "True" }, match_max = 0 },
    { id = "no", text = { vi = "Sai", en = "False" }, match_max = 0 },
  ]""",
            "directedPair",
            "multiple",
            '"r1 yes", "r2 no"',
        ),
    ),
    "hottext": Example(
        N_("marking words in a text"),
        _general(
            """kind = "hottext", max_choices = 1, prompt = { vi = "Giấy mời [[a]] họp [[b]] ba ngày.", en = "Invitations go out [[a]] days [[b]] the meeting." }, targets = [
    { id = "a", text = { vi = "gửi", en = "three" } },
    { id = "b", text = { vi = "sau", en = "after" } },
  ]""",
            "identifier",
            "single",
            '"b"',
        ),
    ),
    "gap-match": Example(
        N_("putting words into gaps"),
        _general(
            """kind = "gap-match", max_choices = 0, prompt = { vi = "Văn phòng [[g1]], giám đốc [[g2]].", en = "The office [[g1]], the director [[g2]]." }, choices = [
    { id = "w1", text = { vi = "dự thảo", en = "drafts" }, match_max = 1 },
    { id = "w2", text = { vi = "ký", en = "signs" }, match_max = 1 },
    { id = "w3", text = { vi = "lưu", en = "files" }, match_max = 1 },
  ], targets = [{ id = "g1" }, { id = "g2" }]""",
            "directedPair",
            "multiple",
            '"w1 g1", "w2 g2"',
        ),
    ),
    "associate": Example(
        N_("pairs within one list"),
        _general(
            """kind = "associate", max_choices = 2, choices = [
    { id = "a", text = { vi = "Thu", en = "Income" } },
    { id = "b", text = { vi = "Nộp", en = "Paying in" } },
    { id = "c", text = { vi = "Chi", en = "Spending" } },
    { id = "d", text = { vi = "Cấp phát", en = "Paying out" } },
  ]""",
            "pair",
            "multiple",
            '"a b", "c d"',
        ),
    ),
    "slider": Example(
        N_("a number on a scale"), _general('kind = "slider", lower = 0, upper = 100, step = 5', "float", "single", '"40"')
    ),
    "composite": Example(
        N_("several answers in one question"),
        """kind = "composite"
topic = ""
level = "understand"
marks = "2"
prompt = { vi = "Chọn câu đúng, rồi ghi số.", en = "Choose the right one, then write the number." }
explanation = { vi = "Vì sao đáp án đúng", en = "Why the key is right" }
interaction = [
  { response = "FIRST", kind = "choice", shuffle = true, choices = [
    { id = "A", text = { vi = "Phương án đúng", en = "The right option" } },
    { id = "B", text = { vi = "Phương án sai", en = "The wrong option" } },
  ] },
  { response = "SECOND", kind = "extended-text", lines = 3 },
]
response = [
  { id = "FIRST", base = "identifier", cardinality = "single", correct = ["A"] },
  { id = "SECOND", base = "string", cardinality = "single" },
]
rule = [
  { response = "FIRST", method = "all-or-nothing" },
  { response = "SECOND", method = "text", answers = [{ value = "15" }] },
]
""",
    ),
    "description": Example(
        N_("a text without a question"),
        """kind = "description"
topic = ""
prompt = { vi = "Đoạn văn dùng cho các câu sau.", en = "A text that belongs to the questions after it." }
""",
    ),
    "hotspot": Example(
        N_("choosing areas of a picture"), _general(f'kind = "hotspot", {_ON}, max_choices = 1, {_AREAS}', "identifier", "single", '"north"'), True
    ),
    "select-point": Example(
        N_("pointing at a place in a picture"),
        _general(f'kind = "select-point", {_ON}, max_choices = 1', "point", "single", more=_AREA, method="mapping"),
        True,
    ),
    "graphic-order": Example(
        N_("putting areas of a picture in order"),
        _general(f'kind = "graphic-order", {_ON}, max_choices = 0, {_AREAS}', "identifier", "ordered", '"south", "north"'),
        True,
    ),
    "graphic-associate": Example(
        N_("pairs of areas of a picture"),
        _general(f'kind = "graphic-associate", {_ON}, max_choices = 1, {_AREAS}', "pair", "multiple", '"north south"'),
        True,
    ),
    "graphic-gap-match": Example(
        N_("putting labels on areas of a picture"),
        _general(f'kind = "graphic-gap-match", {_ON}, max_choices = 0, {_THINGS}, {_AREAS}', "directedPair", "multiple", '"t1 north", "t2 south"'),
        True,
    ),
    "position-object": Example(
        N_("placing an object on a picture"),
        _general(
            f'kind = "position-object", {_ON}, max_choices = 1, choices = [{{ id = "object", picture = {{ media = "media/{PICTURE}", width = 24, height = 24,'
            ' alternative = { vi = "Vật", en = "Object" } } }]',
            "point",
            "single",
            more=_AREA,
            method="mapping",
        ),
        True,
    ),
    "media": Example(
        N_("listening or watching, then answering"),
        f"""kind = "composite"
topic = ""
level = "understand"
marks = "1"
prompt = {{ vi = "Nghe rồi trả lời.", en = "Listen, then answer." }}
explanation = {{ vi = "Vì sao đáp án đúng", en = "Why the key is right" }}
interaction = [
  {{ response = "PLAYED", kind = "media", max_choices = 2, picture = {{ media = "media/{PICTURE}", alternative = {{ vi = "Bài phát biểu", en = "The speech" }} }} }},
  {{ response = "RESPONSE", kind = "choice", shuffle = true, choices = [
    {{ id = "A", text = {{ vi = "Phương án đúng", en = "The right option" }} }},
    {{ id = "B", text = {{ vi = "Phương án sai", en = "The wrong option" }} }},
  ] }},
]
response = [
  {{ id = "PLAYED", base = "integer", cardinality = "single" }},
  {{ id = "RESPONSE", base = "identifier", cardinality = "single", correct = ["A"] }},
]
rule = [{{ response = "RESPONSE", method = "all-or-nothing" }}]
""",
        True,
    ),
}
