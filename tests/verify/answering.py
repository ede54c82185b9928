"""Items of every kind with responses to them, all from a seed, for holding two ways of marking against each other.

Right ones, nearly right ones, wrong ones, and what no browser would send. Each document is a native one, as keys hold it.
"""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from question_banks import Bank, Item, Text, kinds, write_bank
from question_banks.declarations import (
    Answer,
    AreaEntry,
    AreaMapped,
    Choice,
    Interaction,
    MapEntry,
    Mapped,
    OutcomeDeclaration,
    Picture,
    ResponseDeclaration,
    Rule,
    TemplateDeclaration,
)
from question_banks.kinds import Gap, Option
from question_banks.model import Criterion, Level
from question_banks.values import show, to_fraction

LETTERS = "ABCDEF"
CREDITS = [
    Fraction(1),
    Fraction(1, 2),
    Fraction(1, 3),
    Fraction(0),
    Fraction(-1, 4),
    Fraction(-1),
    Fraction(2, 3),
]
WORDS = [
    "Hà Nội", "HÀ NỘI", "hà  nội", "Ha Noi", "đường", "duong", "Đường", "STRASSE", "Straße", "ﬁle", "FILE", "Σίσυφος", "ΣΊΣΥΦΟΣ", "İstanbul", "istanbul",
    "ı", "I", "Ꭰꭰ", "e\u0323\u0302", "ệ", "①", "1", "a*b", "a\\b", "*", "Ｈａ　Ｎｏｉ", "x\u00a0y", "x y", "phân cấp", "phân quyền", "กำ", "ŉ", "ẞ", "ss", "ᾳ", "αι", "🎓 học", "한글", "A\u0334\u0301",
]  # fmt: skip
NUMBERS = [
    "12.5", "12,5", "-3", "−3", "+3", "1/3", "2/6", "1 234,5", "1.234,5", "1,234.5", "1.234.567", "1234567", "1_000", "1e3", "1E-2", ".5", "5.", "1e400", "0", "-0", "12.50", "abc",
    "1/0", "3 m", "300 cm", "$3", "3 M", "3m", "m", "１２", "٣", "1 23", "12 345 678", "1.23", "1,234", "0x10", "", " 7 ", "7\u2003", "1 /3", "--3", "3 mét", "3 MÉT", "3.0", "3,000", "2 1/2",
]  # fmt: skip
STRANGE: list[Any] = [
    None, "", [], {}, True, False, 0, 1, -1, 3, 10**15, [""], ["A", ""], ["A", "A"], [None], [["A"]], {"a": "A"}, "A", "a b", "A B C", "10 20", "10.5 20.5", "11.5 -0.5", "1e1 2e1", "true", "1",
    " false ", "A\u2003B", ["A B", "B A"], [True, False], [1, 2], "c0123456789ab", "x" * 300,
]  # fmt: skip


class Author:
    """Draws items and responses; every value follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(f"answering {seed}")

    def text(self) -> Text:
        source = self.draw.choice([*WORDS, "Câu *hỏi*", 'Trích "dẫn"', "hai\ndòng", "a\\nb", "tab\there"])
        made = {"vi": source} if self.draw.random() < 0.6 else {"vi": source, "en": source + "?"}
        return Text.of(made, self.draw.choice(["markdown", "markdown", "html"]))

    def some(self) -> Text:
        return self.text() if self.draw.random() < 0.3 else Text()

    def picture(self) -> Picture | None:
        if self.draw.random() < 0.8:
            return None
        return Picture("media/" + "ab" * 32, self.draw.randrange(300), 0, self.some())

    def choices(self, most: int = 5, prefix: str = "") -> list[Choice]:
        names = [f"{prefix}{letter}" for letter in LETTERS[: self.draw.randrange(2, most + 1)]]
        if self.draw.random() < 0.2:
            names = [f"{name}-đ" for name in names]
        return [
            Choice(n, self.text(), fixed=self.draw.random() < 0.2, why=self.some(), picture=self.picture())
            for n in names
        ]

    def credit(self) -> Fraction:
        return self.draw.choice(CREDITS)

    def options(self, how: str) -> list[Option]:
        found = self.choices()
        if how == "one":
            right = self.draw.randrange(len(found))
            return [Option(choice, Fraction(n == right)) for n, choice in enumerate(found)]
        credits = [Fraction(self.draw.random() < 0.5) if how == "some" else self.credit() for _ in found]
        credits[0] = max(credits[0], Fraction(1, 2) if how == "credits" else Fraction(1))
        return [Option(choice, credit) for choice, credit in zip(found, credits, strict=True)]

    def numbers(self) -> tuple[Answer, ...]:
        found = []
        for _ in range(self.draw.choice([1, 1, 2, 3])):
            value = to_fraction(self.draw.choice(["12.5", "-3", "1/3", "0", "1000", "3", "1234.5", "7"]))
            kind = self.draw.random()
            if kind < 0.2:
                answer = Answer(
                    show(value), self.credit(), upper=show(value + self.draw.choice([0, 1, Fraction(1, 3)]))
                )
            elif kind < 0.25:
                answer = Answer("*", self.credit(), wildcard=True)
            else:
                margin = self.draw.choice([Fraction(0), Fraction(1, 2), Fraction(1, 3), Fraction(10)])
                answer = Answer(
                    show(value),
                    self.credit() if found else Fraction(1),
                    margin,
                    self.draw.random() < 0.4,
                    feedback=self.some(),
                )
            found.append(answer)
        return tuple(found)

    def units(self) -> tuple[tuple[str, Fraction], ...]:
        names = self.draw.sample(["m", "cm", "$", "mét", "km/h", "c"], self.draw.choice([0, 0, 1, 3]))
        return tuple(
            (name, self.draw.choice([Fraction(1), Fraction(1, 100), Fraction(1000), Fraction(1, 3)]))
            for name in names
        )

    def accepted(self) -> tuple[Answer, ...]:
        found = []
        for _ in range(self.draw.choice([1, 2, 4])):
            if self.draw.random() < 0.35:
                value = self.draw.choice(
                    ["phân *", "*cấp", "h*n*i", "*", "a\\*b", "a**b", "*o*o*", "đ*g", "＊i", "a*b*a", "ha*ha"]
                )
                found.append(Answer(value, self.credit(), wildcard=True))
            else:
                found.append(
                    Answer(
                        self.draw.choice(WORDS),
                        Fraction(1) if self.draw.random() < 0.6 else self.credit(),
                        feedback=self.some(),
                    )
                )
        return tuple(found)

    def pairs(self, left: list[Choice], right: list[Choice]) -> list[str]:
        every = [f"{a.id} {b.id}" for a in left for b in right]
        return self.draw.sample(every, self.draw.randrange(1, min(4, len(every)) + 1))

    def item(self, kind: str) -> Item:
        rest: dict[str, Any] = {
            "marks": self.draw.choice([Decimal(1), Decimal("0.25"), Decimal(3), Decimal(0)]), "explanation": self.some(), "guide": self.some(),
        }  # fmt: skip
        flag = lambda: self.draw.random() < 0.5  # noqa: E731
        if kind == "single":
            return kinds.single(
                "x", self.text(), self.options(self.draw.choice(["one", "credits"])), shuffle=flag(), **rest
            )
        if kind == "multiple":
            scoring = self.draw.choice(["all-or-nothing", "per-option", "credits"])
            return kinds.multiple(
                "x",
                self.text(),
                self.options("credits" if scoring == "credits" else "some"),
                scoring=scoring,
                shuffle=flag(),
                **rest,
            )
        if kind == "true-false":
            return kinds.true_false("x", self.text(), flag(), why=(self.some(), self.some()), **rest)
        if kind == "numeric":
            return kinds.numeric(
                "x",
                self.text(),
                self.numbers(),
                unit=self.some(),
                units=self.units(),
                unit_required=self.draw.random() < 0.2,
                **rest,
            )
        if kind == "text":
            return kinds.text("x", self.text(), self.accepted(), case=flag(), accents=flag(), **rest)
        scoring = self.draw.choice(["all-or-nothing", "per-part"])
        if kind == "order":
            return kinds.order("x", self.text(), self.choices(), scoring=scoring, **rest)
        if kind == "match":
            left, right = self.choices(4, "l"), self.choices(4, "r")
            return kinds.match(
                "x",
                self.text(),
                left,
                right,
                self.pairs(left, right),
                scoring=scoring,
                shuffle=flag(),
                **rest,
            )
        if kind == "gap":
            gaps = [self.gap(f"g{n}") for n in range(self.draw.randrange(1, 4))]
            body = Text.of({"vi": " ".join(f"[[{one.id}]]" for one in gaps)})
            return kinds.gap("x", body, gaps, scoring=scoring, **rest)
        if kind == "essay":
            rubric = [Criterion("ý", self.text(), Fraction(1), (Level(Fraction(1, 2), self.text()),))]
            return kinds.essay("x", self.text(), words=(None, 200), lines=5, rubric=rubric, **rest)
        return self.composite(rest)

    def gap(self, name: str) -> Gap:
        kind = self.draw.choice(["choice", "text", "numeric"])
        weight = self.draw.choice([Fraction(1), Fraction(2), Fraction(1, 3)])
        if kind == "choice":
            return Gap(name, kind, tuple(self.options(self.draw.choice(["one", "credits"]))), weight=weight)
        if kind == "text":
            return Gap(
                name,
                kind,
                (),
                self.accepted(),
                self.draw.random() < 0.5,
                self.draw.random() < 0.5,
                weight=weight,
            )
        return Gap(name, kind, (), self.numbers(), weight=weight, units=self.units())

    def composite(self, rest: dict[str, Any]) -> Item:
        """One to three interactions of any kind, declared and marked one by one."""
        made = [self.part(f"R{n}") for n in range(self.draw.choice([1, 1, 2, 3]))]
        return Item(
            "x", "composite", self.text(), tuple(one[0] for one in made), tuple(one[1] for one in made), tuple(one[2] for one in made),
            combine=self.draw.choice(["sum", "sum", "all"]), **rest,
            outcomes=(OutcomeDeclaration("SCORE", "float", normal_maximum=Fraction(1)),) if self.draw.random() < 0.2 else (),
            templates=(TemplateDeclaration("N", "integer", default=("3",), math=True),) if self.draw.random() < 0.2 else (),
        )  # fmt: skip

    def part(self, name: str) -> tuple[Interaction, ResponseDeclaration, Rule]:
        weight = self.draw.choice([Fraction(1), Fraction(1), Fraction(2), Fraction(0), Fraction(1, 7)])
        floor = self.draw.choice([Fraction(0), Fraction(0), Fraction(-1), Fraction(-1, 3)])
        kind = self.draw.choice(
            ["choice", "hottext", "hotspot", "select-point", "position-object", "slider", "associate", "gap-match", "graphic-order", "graphic-associate", "matrix",
             "text-entry", "media", "number", "duration", "identifier-or-number", "boolean"]
        )  # fmt: skip
        if kind in ("choice", "hottext", "hotspot"):
            spots = self.spots() if kind == "hotspot" else self.choices()
            several = self.draw.random() < 0.6
            right = self.draw.sample(
                [one.id for one in spots], self.draw.randrange(0, len(spots)) if several else 1
            )
            method = self.draw.choice(
                ["all-or-nothing", "per-option", "per-part", "credits", "mapping", "none"]
            )
            table = Mapped(
                tuple(MapEntry(one.id, self.credit() * 2) for one in spots[1:]), self.credit(), *self.bounds()
            ) if method == "mapping" else None  # fmt: skip
            answers = (
                tuple(Answer(self.draw.choice(spots).id, self.credit()) for _ in range(3))
                if method == "credits"
                else ()
            )
            sides = {"choices": tuple(spots)} if kind == "choice" else {"targets": tuple(spots)}
            return (
                Interaction(
                    kind, name, self.some(), **sides, max_choices=0 if several else 1, picture=self.picture()
                ),
                ResponseDeclaration(
                    name, "identifier", "multiple" if several else "single", tuple(right), table
                ),
                Rule(name, method, weight, floor, answers),
            )
        if kind in ("select-point", "position-object"):
            entries = tuple(AreaEntry(s.shape, s.coordinates, self.credit() * 3) for s in self.spots())
            method = self.draw.choice(["mapping", "mapping", "all-or-nothing"])
            correct = () if method == "mapping" else ("10 20",)
            return (
                Interaction(kind, name, max_choices=0, picture=self.picture()),
                ResponseDeclaration(
                    name,
                    "point",
                    self.draw.choice(["single", "multiple"]),
                    correct,
                    areas=AreaMapped(entries, self.credit(), *self.bounds()),
                ),
                Rule(name, method, weight, floor),
            )
        if kind in ("slider", "number"):
            base = self.draw.choice(["float", "integer"])
            method = self.draw.choice(["numeric", "all-or-nothing", "mapping", "credits"])
            entries = tuple(
                MapEntry(value, self.credit())
                for value in ("3", "12.5" if base == "float" else "12", "7.0" if base == "float" else "7")
            )
            return (
                Interaction("slider" if kind == "slider" else "text-entry", name, lower=Fraction(0), upper=Fraction(100), step=Fraction(1, 2)),
                ResponseDeclaration(name, base, "single", ("3",), Mapped(entries, Fraction(0), *self.bounds())),
                Rule(
                    name, method, weight, floor,
                    self.numbers() if method == "numeric" else (Answer("3"), Answer("12.5", Fraction(1, 2))) if method == "credits" else (),
                    units=self.units(), unit_required=self.draw.random() < 0.1,
                ),
            )  # fmt: skip
        if kind in ("associate", "gap-match", "graphic-associate", "matrix"):
            left = self.choices(4, "l")
            right = [] if "associate" in kind else self.choices(4, "r")
            base = "pair" if "associate" in kind else "directedPair"
            correct = self.pairs(left, right or left)
            method = self.draw.choice(["all-or-nothing", "per-part", "mapping", "credits"])
            table = Mapped(
                tuple(MapEntry(pair, self.credit()) for pair in correct), Fraction(0), *self.bounds()
            )
            answers = tuple(Answer(pair, Fraction(1, 2)) for pair in correct) if method == "credits" else ()
            return (
                Interaction(
                    "match" if kind == "matrix" else kind,
                    name,
                    choices=tuple(left),
                    targets=tuple(right),
                    shuffle=True,
                    max_choices=0,
                ),
                ResponseDeclaration(
                    name, base, "multiple", tuple(correct), table if method == "mapping" else None
                ),
                Rule(name, method, weight, floor, answers),
            )
        if kind == "graphic-order":
            spots = self.spots()
            order = self.draw.sample([one.id for one in spots], len(spots))
            return (
                Interaction(kind, name, targets=tuple(spots), max_choices=0),
                ResponseDeclaration(name, "identifier", "ordered", tuple(order)),
                Rule(name, self.draw.choice(["all-or-nothing", "per-part"]), weight, floor),
            )
        if kind == "text-entry":
            table = Mapped(
                (MapEntry("Straße", Fraction(2)), MapEntry("Hà Nội", Fraction(1), True)),
                Fraction(-1),
                *self.bounds(),
            )
            method = self.draw.choice(["mapping", "text", "all-or-nothing"])
            answers = self.accepted() if method == "text" else ()
            return (
                Interaction(kind, name, length=20, pattern="[a-z]*"),
                ResponseDeclaration(
                    name,
                    "string",
                    self.draw.choice(["single", "multiple"]),
                    ("Hà Nội",),
                    table if method == "mapping" else None,
                ),
                Rule(
                    name, method, weight, floor, answers, self.draw.random() < 0.5, self.draw.random() < 0.5
                ),
            )
        base = {
            "media": "integer",
            "duration": "duration",
            "identifier-or-number": "intOrIdentifier",
            "boolean": "boolean",
        }[kind]
        correct = {"media": "3", "duration": "12.5", "identifier-or-number": "12", "boolean": "true"}[kind]
        interaction = {"media": "media", "boolean": "end-attempt"}.get(kind, "text-entry")
        return (
            Interaction(interaction, name), ResponseDeclaration(name, base, "single", (correct,)), Rule(name, "all-or-nothing", weight, floor),
        )  # fmt: skip

    def bounds(self) -> tuple[Fraction | None, Fraction | None]:
        return self.draw.choice(
            [(None, None), (None, Fraction(1)), (Fraction(0), None), (Fraction(-1), Fraction(2))]
        )

    def spots(self) -> list[Choice]:
        shapes = [
            ("circle", (10, 20, 5)), ("rect", (0, 0, 30, 40)), ("ellipse", (50, 50, 20, 10)), ("poly", (0, 0, 40, 0, 40, 40, 20, 10, 0, 40)), ("default", ()),
            ("rect", (30, 40, 0, 0)), ("circle", (1, 2)), ("poly", (100, 100, 120, 100, 110, 130)),
        ]  # fmt: skip
        found = self.draw.sample(shapes, self.draw.randrange(2, 5))
        return [
            Choice(LETTERS[n], self.some(), shape=shape, coordinates=place)
            for n, (shape, place) in enumerate(found)
        ]

    # ------------------------------------------------------------------------------ responses

    def response(self, item: Item) -> Any:
        """One answer as it is stored: an object from responses to values, or something strange."""
        if self.draw.random() < 0.03:
            return self.draw.choice([None, "A", 3, [], {"OTHER": "A"}])
        return {one.id: self.given(item, one) for one in item.responses if self.draw.random() < 0.95}

    def given(self, item: Item, declared: ResponseDeclaration) -> Any:
        chance = self.draw.random()
        if chance < 0.12:
            return self.draw.choice(STRANGE)
        interaction = next((one for one in item.interactions if one.response == declared.id), None)
        ids = [one.id for one in interaction.everything()] if interaction is not None else []
        tokens = item.tokens.get(declared.id, {})
        hide = self.draw.random() < 0.6
        name = lambda one: tokens.get(one, one) if hide else one  # noqa: E731
        rule = next((one for one in item.rules if one.response == declared.id), None)
        told = [one.value for one in rule.answers] if rule else []
        told += [one.key for one in declared.mapping.entries] if declared.mapping else []
        if chance < 0.6 and told and declared.base in ("string", "float", "integer"):
            words = self.draw.choice(told)
            units = [f"{words} {unit}" for unit, _ in rule.units] if rule else []
            changed = [
                words,
                words,
                f"  {words} ",
                words.upper(),
                words.lower(),
                words.replace(".", ","),
                words.replace("*", "xo"),
                *units,
            ]
            values: list[Any] = [self.draw.choice(changed)]
        elif chance < 0.55 and declared.correct:
            values = [" ".join(name(word) for word in value.split(" ")) for value in declared.correct]
            if chance < 0.2:
                self.draw.shuffle(values)
            elif chance < 0.28:
                values = values[1:] if self.draw.random() < 0.5 else [*values, values[0]]
        elif declared.base in ("pair", "directedPair"):
            second = [one.id for one in interaction.targets or interaction.choices] if interaction else ids
            values = [
                f"{name(self.draw.choice(ids))} {name(self.draw.choice(second))}"
                for _ in range(self.draw.randrange(0, 5))
            ]
        elif declared.base == "point":
            values = [
                f"{self.draw.randrange(-2, 60)} {self.draw.randrange(-2, 60)}"
                for _ in range(self.draw.randrange(0, 4))
            ]
            values += self.draw.choice([[], ["10.5 20.5"], ["20 10"], ["110 115"], ["40 20"]])
        elif declared.base in ("float", "integer", "duration", "intOrIdentifier"):
            values = [self.draw.choice(NUMBERS)]
        elif declared.base == "string":
            values = [
                self.draw.choice([*WORDS, "phân cấp cho xã", "hanhanoi", "aXbYa", "haha", "ha", *NUMBERS])
            ]
            values *= self.draw.choice([1, 1, 1, 2])
        elif declared.base == "boolean":
            values = [self.draw.choice(["true", "false", True, False, "1", "x"])]
        elif ids:
            values = [name(one) for one in self.draw.sample(ids, self.draw.randrange(0, len(ids) + 1))]
        else:
            values = [self.draw.choice(NUMBERS)]
        if declared.cardinality == "single" and self.draw.random() < 0.85:
            return values[0] if values else None
        return values


KINDS = (
    "single",
    "multiple",
    "true-false",
    "numeric",
    "text",
    "order",
    "match",
    "gap",
    "composite",
    "composite",
    "composite",
    "essay",
)

BY_HAND = [
    # spellings that people use: comments, literal and long texts, dotted and quoted keys, heads of tables, escapes
    """
# a bank by hand
format = 'examsvc-bank/1'
languages = [ "en", # first
  "vi", ]
[[media]]
digest = "ab"
[[item]]
id = "x"
"kind" = "single"
prompt.en = \"\"\"Who \\
   decides \\u0110?\"\"\"
prompt.vi = '''
Ai ''quyết'' định?'''
exposure = 0x1F
minutes = "1.5"
session = 1.5
reviewed = 2026-11-21T08:00:00Z
marks = 2
[item.parameters]
b = -0.5
[[item.choices]]
id = "A"
text = "one"
credit = "1/2"
[[item.choices]]
id = "B"
credit = -1
[[item.choices]]
id = "C"
""",
    """format = "examsvc-bank/1"
item = [{ id = "x", kind = "numeric", prompt = "?", answer = 1_000, tolerance_percent = "-1", units = { "k m" = "1000", m = 1 } }]
""",
    """format = "examsvc-bank/1"
languages = ["vi"]
[[item]]
id = "x"
kind = "text"
prompt = ""
accept = { vi = ["Hà Nội"], en = ["Hanoi", "Ha Noi"] }
accents = false
""",
    """format = "examsvc-bank/1"
[[item]]
id = "x"
kind = "multiple"
scoring = "credits"
choices = [{ id = "A", correct = true }, { id = "B", credit = "1/3" }, { id = "C", credit = "-1/2" }]
""",
]


HEAD = 'format = "examsvc-bank/1"\n[[item]]\nid = "x"\n'


def declared(base: str, cardinality: str, more: str, method: str) -> str:
    """A document with one response and one rule told in full."""
    return (
        f'{HEAD}kind = "composite"\ninteraction = [{{ kind = "text-entry", response = "RESPONSE" }}]\n'
        f'response = [{{ id = "RESPONSE", base = "{base}", cardinality = "{cardinality}"{more} }}]\n'
        f'rule = [{{ response = "RESPONSE", method = "{method}", floor = "-1" }}]\n'
    )


def areas(entries: str, more: str = "") -> str:
    """A document in which points earn 1 for each of these areas."""
    listed = ", ".join(f"{{ {one}, value = 1 }}" for one in entries.split(";"))
    return declared("point", "multiple", f", areas = {{ entries = [{listed}]{more} }}", "mapping")


FOLDED = [
    "ı",
    "i",
    "I",
    "İ",
    "i\u0307",
    "ꭰ",
    "Ꭰ",
    "ᏸ",
    "Ᏸ",
    "ẞ",
    "ß",
    "ss",
    "SS",
    "Σ",
    "σ",
    "ς",
    "ΣΣ",
    "ﬀ",
    "FF",
    "ᾳ",
    "ΑΙ",
    "ŉ",
    "ʼN",
    "µ",
    "μ",
    "Å",
    "å",
    "Ꮿ",
    "ꮿ",
]
MARKED = [
    "đường",
    "duong",
    "ĐƯỜNG",
    "ÐUONG",
    "e\u0323\u0302",
    "e",
    "x\u0334",
    "x",
    "กำ",
    "กา",
    "שָ",
    "ש",
    "각",
    "각\u0301",
    "が",
    "か",
    "A\u030a\u0334",
    "A",
    "नि",
    "न",
    "़",
    "\u0301",
    "\u0334",
]
POINTED: list[tuple[str, list[Any]]] = [
    (f'{HEAD}kind = "text"\naccept = {json.dumps([one], ensure_ascii=False)}\naccents = {accents}\ncase = {case}\n', [*texts, f" {one} "])
    for texts in (FOLDED, MARKED)
    for one in texts
    for accents, case in (("true", "false"), ("false", "true"))
] + [
    (f'{HEAD}kind = "text"\nanswers = [{{ value = {json.dumps(pattern)}, wildcard = true, credit = "1/2" }}, {{ value = "none", credit = -1 }}]\n',
     ["ha", "haha", "ha ha", "h", "aba", "ab a", "ababa", " ", "*", "a*b", "A*B", "axb", "none", "NONE", "", "\u00a0", "hahaha"])
    for pattern in ("ha*ha", "*", "ab*ba", "*a*", "a\\*b", "h**a", "ha*a*ha", "\\*", "*ha", "ha*", "none*")
] + [
    (f'{HEAD}kind = "numeric"\nanswer = "{answer}"\n{more}', NUMBERS)
    for answer in ("1234567", "1234.5", "12345678", "3", "1/3", "123", "1.234", "1234", "-3", "12", "0.5", "7", "12.5", "2.5")
    for more in ("", 'tolerance = "1/3"\n', 'tolerance_percent = "-10"\n', 'units = { m = 1, cm = "1/100", "$" = 2, "mét" = 3 }\n')
] + [
    (areas('shape = "rect", coordinates = [10, 20, 12, 20]'), [f"{x} {y}" for x in ("9.5", "9.4", "10.5", "11.5", "12.5", "12.51", "-0.5", "1e1") for y in ("19.5", "20", "20.5", "20.6")]),
    *[(areas(f'shape = "{shape}", coordinates = {place}'), ["5 5", "6 5", "5 6", "8 5", "5 7", "5 8", "7 6", "8 7", "4 4", "9 5"])
      for shape, place in (("ellipse", "[5, 5, 3, 2]"), ("ellipse", "[5, 5, 3, 0]"), ("ellipse", "[5, 5, -3, 2]"), ("circle", "[5, 5, -2]"), ("circle", "[5, 5, 2, 2]"), ("rect", "[8, 7, 4, 4]"))],
    (areas('shape = "rect", coordinates = [0, 0, 9, 9]; shape = "circle", coordinates = [5, 5, 9]; shape = "default"', ", default = -1"), [["1 1", "2 2"], ["1 1", "1 1"], ["1 1", "12 5"], ["1 1", "99 99", "98 98"], [], "1 1"]),
    (areas('shape = "rect", coordinates = [0, 0, 9, 9]', ', default = "-1/2", lower = "-3/4", upper = "1/2"'), [["1 1"], ["20 20"], ["20 20", "20 20"], ["20 20", "30 30", "1 1"]]),
    (areas('shape = "poly", coordinates = [0, 0, 10, 0, 10, 10, 5, 3, 0, 10]'), [f"{x} {y}" for x in range(-1, 12) for y in (-1, 0, 1, 3, 4, 7, 10)]),
    *[(declared("string", cardinality, f', mapping = {{ entries = [{{ key = "Straße", value = {value} }}, {{ key = "b", value = -1, case = true }}], default = {default}{more} }}', "mapping"),
       ["STRASSE", "strasse", "b", "B", ["b", "b"], ["Straße", "STRASSE", "b"], ["x", "y"], "x", []])
      for cardinality in ("single", "multiple") for value in (2, -1) for default in (0, 1) for more in ("", ', upper = "1/2"', ', lower = 0')],
    (declared("identifier", "multiple", ', mapping = { entries = [{ key = "Ab", value = 1 }] }', "mapping"), ["Ab", "ab", ["Ab", "ab"]]),
    *[(declared("identifier", cardinality, ', correct = ["A", "B", "C"]', method), [["A", "B", "C"], ["C", "B", "A"], ["A", "B", "C", "C"], ["A", "A", "B"], ["A", "C"], ["A", "B", "C", "D", "E"], ["B"], []])
      for cardinality in ("multiple", "ordered") for method in ("all-or-nothing", "per-part", "per-option")],
    *[(declared(base, "multiple", ', correct = ["A B", "B C"]', method), [["A B", "B C"], ["B A", "B C"], ["A B", "B A"], ["A B", "B A", "B C"], ["A B", "A C", "B C"], ["A\u2003B"], ["A B C"]])
      for base in ("pair", "directedPair") for method in ("all-or-nothing", "per-part")],
    *[(declared(base, "single", f', correct = ["{correct}"]', "all-or-nothing"), [*NUMBERS, True, False, 0, 1, 12, -3, "true", "false", "x y", "12", " 12 ", [12], ["12", "12"]])
      for base, correct in (("integer", "12"), ("float", "12.5"), ("duration", "12.5"), ("intOrIdentifier", "12"), ("intOrIdentifier", "x"), ("boolean", "true"), ("boolean", "0"), ("string", "12"), ("file", "true"), ("uri", "1"), ("identifier", "false"))],
    (HEAD + 'kind = "composite"\ninteraction = [{ kind = "choice", response = "RESPONSE", choices = [{ id = "A" }, { id = "B" }] }]\nresponse = [{ id = "RESPONSE", base = "identifier", cardinality = "multiple" }]\n'
     'rule = [{ response = "RESPONSE", method = "credits", answers = [{ value = "A", credit = 1 }, { value = "A", credit = "1/2" }, { value = "B", credit = "1/4" }] }]\n',
     ["A", ["A"], ["A", "B"], ["A", "A"], ["B", "C"], [True]]),
]  # fmt: skip
"""Edges that chance would seldom meet: (document, what is given to its one response, one at a time)."""


def document(item: Item) -> str:
    """The item as keys hold it."""
    return write_bank(Bank(languages=("vi", "en"), items=(item,)), "native").data.decode()


def cases(seed: int, items: int, responses: int) -> Iterator[tuple[str, Item, list[Any]]]:
    """(document, item, responses to it)."""
    from examsvc.verify.papers import read_native_item

    author = Author(seed)
    told = [(text, [{"RESPONSE": one} for one in values]) for text, values in POINTED]
    drawn = [*BY_HAND, *(document(author.item(KINDS[n % len(KINDS)])) for n in range(items - len(BY_HAND)))]
    for text, values in [*told, *((text, None) for text in drawn)]:
        item = read_native_item(text)
        assert item is not None, text
        yield text, item, values or [author.response(item) for _ in range(responses)]
