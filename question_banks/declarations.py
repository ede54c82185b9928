"""Interactions, declarations and marking rules: what one item consists of below the level of Item."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from question_banks.markup import NO_TEXT, Text
from question_banks.values import show


@dataclass(frozen=True)
class InteractionKind:
    """What responses an interaction of this kind gives (QTI 3.0 information model, "Interaction" classes)."""

    base: str  # base type of its response variable unless the declaration says otherwise
    cardinality: str  # single | multiple | ordered | "" where max_choices decides
    source: str = "choices"  # which identifiers a response value names: choices | pairs | targets | ""
    inline: bool = False
    graphic: bool = False


KINDS: Mapping[str, InteractionKind] = {
    "choice": InteractionKind("identifier", ""),
    "inline-choice": InteractionKind("identifier", "single", inline=True),
    "order": InteractionKind("identifier", "ordered"),
    "associate": InteractionKind("pair", "multiple", "pairs"),
    "match": InteractionKind("directedPair", "multiple", "pairs"),
    "gap-match": InteractionKind("directedPair", "multiple", "pairs"),
    "text-entry": InteractionKind("string", "single", "", inline=True),
    "extended-text": InteractionKind("string", "single", ""),
    "hottext": InteractionKind("identifier", "", "targets"),
    "hotspot": InteractionKind("identifier", "", "targets", graphic=True),
    "select-point": InteractionKind("point", "", "", graphic=True),
    "graphic-order": InteractionKind("identifier", "ordered", "targets", graphic=True),
    "graphic-associate": InteractionKind("pair", "multiple", "targets-pairs", graphic=True),
    "graphic-gap-match": InteractionKind("directedPair", "multiple", "pairs", graphic=True),
    "slider": InteractionKind("float", "single", ""),
    "position-object": InteractionKind("point", "", "", graphic=True),
    "media": InteractionKind("integer", "single", "", graphic=True),
    "upload": InteractionKind("file", "single", ""),
    "end-attempt": InteractionKind("boolean", "single", "", inline=True),
}


@dataclass(frozen=True)
class Picture:
    """A picture, sound or film of the bank, by digest, with the size it is shown at in pixels (0: its own)."""

    media: str  # "media/<sha-256>", a key of Bank.media
    width: int = 0
    height: int = 0
    alternative: Text = NO_TEXT

    def canonical(self) -> object:
        return [self.media, self.width, self.height, self.alternative.canonical()]


@dataclass(frozen=True)
class Choice:
    """Something to choose, order, pair or fill: also a gap, a hot spot or a piece of hot text."""

    id: str
    text: Text = NO_TEXT
    fixed: bool = False  # keeps its place when the others are shuffled
    match_max: int = 1  # how often it may be used in pairs; 0 without limit
    match_min: int = 0
    group: tuple[str, ...] = ()  # where not empty, only partners that name it or share a name
    shape: str = ""  # circle | rect | ellipse | poly | default, of hot spots
    coordinates: tuple[int, ...] = ()
    picture: Picture | None = None
    why: Text = NO_TEXT  # rationale, for reviewers and for release after the exam; never shown in the exam
    show: tuple[str, str, bool] | None = None  # template variable, value, whether equality shows or hides it

    def canonical(self) -> object:
        return {
            "id": self.id,
            "text": self.text.canonical(),
            "fixed": self.fixed,
            "match": [self.match_min, self.match_max],
            "group": list(self.group),
            "area": [self.shape, list(self.coordinates)],
            "picture": self.picture.canonical() if self.picture else None,
            "why": self.why.canonical(),
            "show": list(self.show) if self.show else None,
        }


@dataclass(frozen=True)
class Interaction:
    """One place where the candidate answers. Which fields count depends on `kind`, a key of KINDS.

    `targets` is the second set: the right side of a match, gaps, hot spots, hot text. Gaps and hot text stand in
    `prompt` as [[id]]. An inline interaction stands in the item's body as [[response]].
    """

    kind: str
    response: str
    prompt: Text = NO_TEXT
    choices: tuple[Choice, ...] = ()
    targets: tuple[Choice, ...] = ()
    shuffle: bool = False
    max_choices: int = 1  # also associations, points, plays; 0 without limit
    min_choices: int = 0
    words: tuple[int | None, int | None] = (None, None)  # least, most
    lines: int = 0  # expected, of an extended text
    length: int = 0  # expected characters, of a text entry
    pattern: str = ""  # XML Schema regular expression that a text should match
    lower: Fraction | None = None  # slider
    upper: Fraction | None = None
    step: Fraction | None = None
    picture: Picture | None = None  # what hot spots lie on; the film of a media interaction
    unit: Text = NO_TEXT  # shown behind a number
    types: tuple[str, ...] = ()  # of files, of an upload

    @property
    def inline(self) -> bool:
        return KINDS[self.kind].inline

    def everything(self) -> Iterator[Choice]:
        yield from self.choices
        yield from self.targets

    def texts(self) -> Iterator[tuple[str, Text]]:
        """Every text that is shown, with its place."""
        yield "prompt", self.prompt
        yield "unit", self.unit
        if self.picture:
            yield "picture", self.picture.alternative
        for choice in self.everything():
            yield f"choice {choice.id}", choice.text
            if choice.picture:
                yield f"choice {choice.id}", choice.picture.alternative

    def canonical(self) -> object:
        return {
            "kind": self.kind,
            "response": self.response,
            "prompt": self.prompt.canonical(),
            "choices": [choice.canonical() for choice in self.choices],
            "targets": [choice.canonical() for choice in self.targets],
            "shuffle": self.shuffle,
            "choose": [self.min_choices, self.max_choices],
            "words": list(self.words),
            "size": [self.lines, self.length],
            "pattern": self.pattern,
            "scale": [
                None if value is None else show(value) for value in (self.lower, self.upper, self.step)
            ],
            "picture": self.picture.canonical() if self.picture else None,
            "unit": self.unit.canonical(),
            "types": list(self.types),
        }


@dataclass(frozen=True)
class MapEntry:
    key: str
    value: Fraction
    case: bool = False


@dataclass(frozen=True)
class Mapped:
    """QTI mapping: what each value of a response is worth (3.0 information model, "Mapping")."""

    entries: tuple[MapEntry, ...]
    default: Fraction = Fraction(0)
    lower: Fraction | None = None
    upper: Fraction | None = None

    def canonical(self) -> object:
        bounds = [None if value is None else show(value) for value in (self.lower, self.upper)]
        return [[[e.key, show(e.value), e.case] for e in self.entries], show(self.default), bounds]


@dataclass(frozen=True)
class AreaEntry:
    shape: str
    coordinates: tuple[int, ...]
    value: Fraction


@dataclass(frozen=True)
class AreaMapped:
    """QTI areaMapping: what a point inside each area is worth; an area counts once."""

    entries: tuple[AreaEntry, ...]
    default: Fraction = Fraction(0)
    lower: Fraction | None = None
    upper: Fraction | None = None

    def canonical(self) -> object:
        bounds = [None if value is None else show(value) for value in (self.lower, self.upper)]
        return [
            [[e.shape, list(e.coordinates), show(e.value)] for e in self.entries],
            show(self.default),
            bounds,
        ]


@dataclass(frozen=True)
class ResponseDeclaration:
    """A response variable: its type, and its correct value in lexical forms (order counts when `ordered`)."""

    id: str
    base: str
    cardinality: str = "single"
    correct: tuple[str, ...] = ()
    mapping: Mapped | None = None
    areas: AreaMapped | None = None
    default: tuple[str, ...] = ()

    def canonical(self) -> object:
        return {
            "id": self.id,
            "type": [self.base, self.cardinality],
            "correct": list(self.correct) if self.cardinality == "ordered" else sorted(self.correct),
            "mapping": self.mapping.canonical() if self.mapping else None,
            "areas": self.areas.canonical() if self.areas else None,
            "default": list(self.default),
        }


@dataclass(frozen=True)
class Node:
    """An element of QTI's processing language, names as in QTI 3 without "qti-": ("match", {}, (…))."""

    name: str
    attributes: tuple[tuple[str, str], ...] = ()
    children: tuple["Node", ...] = ()
    text: str = ""

    def get(self, name: str, default: str = "") -> str:
        for key, value in self.attributes:
            if key == name:
                return value
        return default

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            yield from child.walk()

    def canonical(self) -> object:
        return [
            self.name,
            [list(pair) for pair in self.attributes],
            [child.canonical() for child in self.children],
            self.text,
        ]


@dataclass(frozen=True)
class OutcomeDeclaration:
    """An outcome variable of response processing; `table` is QTI's match table or interpolation table."""

    id: str
    base: str
    cardinality: str = "single"
    default: tuple[str, ...] = ()
    table: Node | None = None
    normal_maximum: Fraction | None = None
    normal_minimum: Fraction | None = None
    view: str = ""

    def canonical(self) -> object:
        bounds = [
            None if value is None else show(value) for value in (self.normal_minimum, self.normal_maximum)
        ]
        table = self.table.canonical() if self.table else None
        return {
            "id": self.id,
            "type": [self.base, self.cardinality],
            "default": list(self.default),
            "table": table,
            "normal": bounds,
        }


@dataclass(frozen=True)
class TemplateDeclaration:
    """A template variable; after `Item.instance` its value is in `default`."""

    id: str
    base: str
    cardinality: str = "single"
    default: tuple[str, ...] = ()
    math: bool = False  # its name is replaced inside MathML
    parameter: bool = False  # its name is replaced inside parameters of objects

    def canonical(self) -> object:
        return {
            "id": self.id,
            "type": [self.base, self.cardinality],
            "default": list(self.default),
            "math": self.math,
            "parameter": self.parameter,
        }


@dataclass(frozen=True)
class Answer:
    """An answer that earns `credit`, a share of the marks from −1 to 1.

    For text rules `value` is the text, "*" standing for any letters where `wildcard`; for numeric rules a number,
    accepted within `tolerance` (absolute) or `percent` of it, both ends included, or inside [value, upper].
    """

    value: str
    credit: Fraction = Fraction(1)
    tolerance: Fraction = Fraction(0)
    percent: bool = False
    upper: str = ""
    language: str = ""
    wildcard: bool = False
    feedback: Text = NO_TEXT

    def canonical(self) -> object:
        return {
            "value": self.value,
            "credit": show(self.credit),
            "tolerance": [show(self.tolerance), self.percent],
            "upper": self.upper,
            "wildcard": self.wildcard,
            "feedback": self.feedback.canonical(),
        }


METHODS = frozenset(
    ("all-or-nothing", "per-option", "per-part", "credits", "text", "numeric", "mapping", "person", "none")
)


@dataclass(frozen=True)
class Rule:
    """How one response earns its share of the item's marks; `method` is one of METHODS.

    all-or-nothing: the response equals the correct one. per-option: each right option +1/right, each wrong one
    −1/wrong, so that choosing everything earns nothing. per-part: the share of places (order) or of pairs (match) that
    are right, surplus pairs counted against it. credits: the sum of the credits of the chosen ids. text, numeric: the
    credit of the best answer that fits. mapping: QTI's mapResponse or mapResponsePoint over the sum of its positive
    values. person: a marker decides. none: earns nothing. No share goes below `floor` nor above 1.
    """

    response: str
    method: str
    weight: Fraction = Fraction(1)  # share of the item's marks, relative to the item's other rules
    floor: Fraction = Fraction(0)
    answers: tuple[Answer, ...] = ()
    case: bool = False
    accents: bool = True
    units: tuple[tuple[str, Fraction], ...] = ()  # accepted unit and its factor
    unit_required: bool = False

    def canonical(self) -> object:
        return {
            "response": self.response,
            "method": self.method,
            "weight": show(self.weight),
            "floor": show(self.floor),
            "answers": [answer.canonical() for answer in self.answers],
            "text": [self.case, self.accents],
            "units": [[name, show(factor)] for name, factor in self.units],
            "unit_required": self.unit_required,
        }
