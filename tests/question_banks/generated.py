"""Banks made by hypothesis: every kind of item, in one or two languages, with everything an author may fill in."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from question_banks import Bank, Item, Media, Metadata, Text, kinds
from question_banks.declarations import (
    Answer,
    AreaEntry,
    AreaMapped,
    Choice,
    Interaction,
    Picture,
    ResponseDeclaration,
    Rule,
)
from question_banks.kinds import Gap, Option
from question_banks.linting import item_media
from question_banks.markup import markdown_of_plain
from question_banks.model import Criterion, Level
from question_banks.moodle import formula
from question_banks.moodle.calculated import Data
from tests.question_banks.qti_files import PNG

LETTERS = "ABCDEFGH"
MEDIA = [Media(PNG + bytes([n]), "image/png", f"so-do-{n}.png") for n in range(2)]
WORDS = st.text(
    st.sampled_from(
        "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạếềểễệ ABCĐ .,;:?!()-+*/=<>&%$#@_~'\"[]{}|\\^0123456789"
    ),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() != "" and "[[" not in text and any(c.isalnum() for c in text))
NAMES = st.text(st.sampled_from("abcxyz0123456789"), min_size=1, max_size=6)
MARKS = st.sampled_from(["1", "0.25", "0.5", "2", "3", "10"]).map(Decimal)
NUMBERS = st.decimals(-1000, 1000, places=2).map(lambda d: f"{d.normalize():f}" if d else "0")


@st.composite
def marked_up(draw: st.DrawFn) -> str:
    """Markdown of the sort that authors write."""
    plain = markdown_of_plain(draw(WORDS))
    shape = draw(st.integers(0, 9))
    words = draw(st.text(st.sampled_from("abcđêô"), min_size=1, max_size=8))
    if shape == 0:
        return f"{plain}\n\n- {words}\n- hai"
    if shape == 1:
        return f"**{words}** {words}"
    if shape == 2:
        return f"{plain}\n\n| a | b |\n| --- | --- |\n| {words} | 2 |"
    if shape == 3:
        return f"{plain}\n\n1. {words}\n2. *{words}*"
    if shape == 4:
        return f"{words} `{words}`\n\n> {words}"
    return plain


def texts(
    languages: tuple[str, ...], source: st.SearchStrategy[str] | None = None
) -> st.SearchStrategy[Text]:
    """A text that is there in each of the languages."""
    strategy = marked_up() if source is None else source
    return st.fixed_dictionaries(dict.fromkeys(languages, strategy)).map(lambda d: Text.of(d))


def labels(languages: tuple[str, ...]) -> st.SearchStrategy[Text]:
    return texts(languages, WORDS.map(markdown_of_plain))


def distinct(languages: tuple[str, ...], least: int, most: int) -> st.SearchStrategy[list[Text]]:
    """Labels that read differently in every language."""
    return st.lists(labels(languages), min_size=least, max_size=most).filter(
        lambda found: all(
            len({" ".join(text.plain(language).lower().split()) for text in found}) == len(found)
            for language in languages
        )
    )


@st.composite
def metadata(draw: st.DrawFn, languages: tuple[str, ...]) -> Metadata:
    return Metadata(
        topic=draw(st.sampled_from(["", "governance", "governance.delegation", "Quản lý.Nhân sự"])),
        level=draw(st.sampled_from(["", "recall", "understand", "apply", "analyse"])),
        author=draw(st.sampled_from(["", "examsvc project"])),
        source=draw(st.sampled_from(["", "own work"])),
        status=draw(st.sampled_from(["draft", "reviewed", "approved", "retired"])),
        exposure=draw(st.integers(0, 3)),
        minutes=draw(st.none() | st.sampled_from([Decimal("1.5"), Decimal(3)])),
        tags=tuple(draw(st.lists(st.sampled_from(["x", "khó", "two words"]), max_size=2, unique=True))),
        enemies=tuple(draw(st.lists(NAMES, max_size=1))),
        parameters=draw(st.sampled_from([{}, {"difficulty": "0.4"}])),
        title=draw(st.just(Text()) | labels(languages)),
    )


@st.composite
def items(draw: st.DrawFn, languages: tuple[str, ...], kind: str | None = None) -> Item:
    kind = kind or draw(st.sampled_from(KINDS))
    body = draw(texts(languages))
    some = st.just(Text()) | texts(languages)
    rest = {"explanation": draw(some), "metadata": draw(metadata(languages))}
    if kind == "description":
        return kinds.description("x", body, **rest)
    rest["marks"] = draw(MARKS)
    return globals()[f"_{kind.replace('-', '_')}"](draw, languages, body, rest)


def _options(draw: st.DrawFn, languages: tuple[str, ...], right: int) -> list[Option]:
    found = draw(distinct(languages, max(2, right), 5))
    why = st.just(Text()) | labels(languages)
    return [
        Option(Choice(letter, text, why=draw(why)), Fraction(n < right))
        for n, (letter, text) in enumerate(zip(LETTERS, found, strict=False))
    ]


def _single(draw, languages, body, rest):
    options = draw(st.permutations(_options(draw, languages, 1)))
    if draw(st.booleans()):
        credits = draw(
            st.sampled_from(
                [
                    (Fraction(1), Fraction(1, 2)),
                    (Fraction(1), Fraction(-1, 4)),
                    (Fraction(1), Fraction(-1, 3)),
                ]
            )
        )
        options = [Option(o.choice, c) for o, c in zip(options, [*credits, *[Fraction(0)] * 5], strict=False)]
    return kinds.single("x", body, options, shuffle=draw(st.booleans()), **rest)


def _multiple(draw, languages, body, rest):
    options = _options(draw, languages, draw(st.integers(1, 3)))
    scoring = draw(st.sampled_from(["all-or-nothing", "per-option", "credits"]))
    if scoring == "credits":
        shares = [Fraction(1, 3), Fraction(2, 3), Fraction(-1, 2), Fraction(0), Fraction(-1)]
        options = [Option(o.choice, share) for o, share in zip(options, shares, strict=False)]
    return kinds.multiple("x", body, options, scoring=scoring, shuffle=draw(st.booleans()), **rest)


def _true_false(draw, languages, body, rest):
    some = st.just(Text()) | labels(languages)
    return kinds.true_false("x", body, draw(st.booleans()), why=(draw(some), draw(some)), **rest)


def _numeric(draw, languages, body, rest):
    margin = draw(st.sampled_from(["0", "0.5", "1"]))
    answers = [
        Answer(draw(NUMBERS), tolerance=Fraction(margin), percent=draw(st.booleans()) and margin != "0")
    ]
    if draw(st.booleans()):
        answers.append(Answer("5000", Fraction(1, 2), upper="6000"))
    unit = draw(st.just(Text()) | texts(languages, st.sampled_from(["kg", "đồng"])))
    return kinds.numeric("x", body, answers, unit=unit, **rest)


def _text(draw, languages, body, rest):
    values = draw(
        st.lists(WORDS.map(lambda w: " ".join(w.split())), min_size=1, max_size=3, unique_by=str.lower)
    )
    answers = [Answer(value, Fraction(1, n + 1)) for n, value in enumerate(values)]
    if draw(st.booleans()):
        answers.append(Answer("Hà*Nội", Fraction(1, 4), wildcard=True))
    return kinds.text("x", body, answers, case=draw(st.booleans()), accents=draw(st.booleans()), **rest)


def _order(draw, languages, body, rest):
    choices = [
        Choice(letter, text) for letter, text in zip(LETTERS, draw(distinct(languages, 2, 5)), strict=False)
    ]
    return kinds.order(
        "x", body, choices, scoring=draw(st.sampled_from(["all-or-nothing", "per-part"])), **rest
    )


def _match(draw, languages, body, rest):
    left = [Choice(f"L{n}", text) for n, text in enumerate(draw(distinct(languages, 1, 4)), 1)]
    right = [Choice(str(n), text) for n, text in enumerate(draw(distinct(languages, 2, 5)), 1)]
    pairs = [f"{one.id} {draw(st.sampled_from(right)).id}" for one in left]
    scoring = draw(st.sampled_from(["all-or-nothing", "per-part"]))
    return kinds.match("x", body, left, right, pairs, scoring=scoring, shuffle=draw(st.booleans()), **rest)


def _gap(draw, languages, body, rest):
    gaps = []
    for n in range(1, draw(st.integers(1, 3)) + 1):
        kind = draw(st.sampled_from(["choice", "text", "numeric"]))
        if kind == "choice":
            found = draw(distinct(languages, 2, 4))
            options = tuple(
                Option(Choice(f"c{m}", text), Fraction(m == 1)) for m, text in enumerate(found, 1)
            )
            gaps.append(Gap(f"g{n}", kind, options, shuffle=draw(st.booleans())))
        elif kind == "text":
            value = draw(WORDS.map(lambda w: " ".join(w.split())))
            gaps.append(Gap(f"g{n}", kind, (), (Answer(value),), case=draw(st.booleans())))
        else:
            gaps.append(Gap(f"g{n}", kind, (), (Answer(draw(NUMBERS), tolerance=Fraction(1, 2)),)))
    ends = " ".join(f"và [[{gap.id}]]" for gap in gaps)
    body = body.map(lambda source: f"{source}\n\n{ends} hết")
    return kinds.gap("x", body, gaps, scoring=draw(st.sampled_from(["all-or-nothing", "per-part"])), **rest)


def _essay(draw, languages, body, rest):
    some = st.just(Text()) | texts(languages)
    marks = Fraction(rest["marks"])
    title = labels(languages)
    rubric = [
        Criterion(
            "analysis",
            draw(title),
            marks / 2,
            (Level(marks / 2, draw(title)), Level(Fraction(0), draw(title))),
        ),
        Criterion("language", draw(title), marks / 2),
    ]
    words = draw(st.sampled_from([(None, None), (100, 300), (None, 500)]))
    return kinds.essay(
        "x", body, words=words, guide=draw(some), rubric=rubric if draw(st.booleans()) else (), **rest
    )


def _calculated(draw, languages, body, rest):
    """A pattern with data: each candidate's numbers are a row drawn by the seed."""
    count = draw(st.integers(1, 4))
    values = {name: draw(st.lists(NUMBERS, min_size=count, max_size=count)) for name in ("a", "b")}
    source = draw(st.sampled_from(["{a}*2+{b}", "({a}-{b})*({a}+{b})", "pow({a},2)+sqrt(4)", "{b}"]))
    data = Data(values, {"ANSWER1": formula.read(source)})
    margin = Fraction(draw(st.sampled_from(["0", "0.5"])))
    body = body.map(lambda text: f"{text}\n\nvới [[a]] và [[b]]")
    pattern = kinds.numeric("x", body, [Answer("[[ANSWER1]]", tolerance=margin)], **rest)
    return pattern.replaced(templates=data.templates(), template_processing=data.processing())


def _composite(draw, languages, body, rest):
    """An interaction that only QTI and the native format have."""
    kind = draw(st.sampled_from(["slider", "associate", "hottext", "gap-match", "select-point"]))
    found = draw(distinct(languages, 3, 4))
    choices = tuple(Choice(name, text) for name, text in zip(LETTERS, found, strict=False))
    if kind == "slider":
        interaction = Interaction(kind, "R", lower=Fraction(0), upper=Fraction(100), step=Fraction(1, 2))
        response, rule = ResponseDeclaration("R", "float", "single", ("12.5",)), "all-or-nothing"
    elif kind == "associate":
        interaction = Interaction(kind, "R", choices=choices, shuffle=draw(st.booleans()), max_choices=0)
        response, rule = ResponseDeclaration("R", "pair", "multiple", ("A B",)), "all-or-nothing"
    elif kind == "select-point":
        interaction = Interaction(kind, "R", picture=Picture(MEDIA[0].key, 80, 60, draw(labels(languages))))
        area = AreaMapped((AreaEntry("circle", (40, 30, 10), Fraction(1)),))
        response, rule = ResponseDeclaration("R", "point", "single", ("40 30",), None, area), "mapping"
    else:
        places = {"gap-match": tuple(Choice(f"G{n}") for n in (1, 2)), "hottext": choices}[kind]
        words = " và ".join(f"[[{place.id}]]" for place in places)
        prompt = Text.of(dict.fromkeys(languages, f"Trong {words} đây"))
        drag = choices if kind == "gap-match" else ()
        interaction = Interaction(kind, "R", prompt, drag, places, max_choices=1 if kind == "hottext" else 0)
        base, several = ("identifier", "single") if kind == "hottext" else ("directedPair", "multiple")
        correct = ("B",) if kind == "hottext" else ("A G1", "B G2")
        response, rule = ResponseDeclaration("R", base, several, correct), "all-or-nothing"
    return Item("x", "composite", body, (interaction,), (response,), (Rule("R", rule),), **rest)


KINDS = (
    "single",
    "multiple",
    "true-false",
    "numeric",
    "text",
    "order",
    "match",
    "gap",
    "essay",
    "description",
    "calculated",
    "composite",
)


@st.composite
def banks(draw: st.DrawFn, languages: tuple[str, ...] | None = None) -> Bank:
    languages = languages or draw(st.sampled_from([("vi",), ("vi", "en"), ("en", "vi")]))
    found = draw(st.lists(items(languages), min_size=1, max_size=4))
    named = tuple(
        _illustrated(draw, item.replaced(id=f"item-{n}"), languages) for n, item in enumerate(found, 1)
    )
    used = {key for item in named for key in item_media(item)}
    media = {medium.key: medium for medium in MEDIA if medium.key in used}
    return Bank("made", draw(labels(languages)), languages, "Apache-2.0", named, media)


def _illustrated(draw, item, languages):
    """One item in four has a picture in its text."""
    if draw(st.integers(0, 3)):
        return item
    picture = draw(st.sampled_from(MEDIA))
    return item.replaced(body=item.body.map(lambda text: f"{text}\n\n![Sơ đồ]({picture.key})"))
