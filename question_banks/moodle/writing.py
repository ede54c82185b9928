"""Writing Moodle XML. Several languages go as the spans of Moodle's multilang filter."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from lxml import etree

from question_banks import kinds, losses
from question_banks.declarations import Answer
from question_banks.limits import LIMITS
from question_banks.markup import PLACEHOLDER, Text
from question_banks.model import Bank, Item, Media
from question_banks.moodle import calculated, cloze, formula
from question_banks.moodle.fractions import percent
from question_banks.moodle.labels import path_of, tags_of
from question_banks.moodle.reading import read_moodle
from question_banks.problems import ItemError, ProblemLog, declare
from question_banks.values import exact, show

declare(
    {
        "moodle-match-several": "A left side with several or no partners cannot be written as a Moodle matching question.",
        "moodle-gap-weights": "The gaps' weights are not whole numbers of marks.",
    }
)

_PLUGIN = "@@PLUGINFILE@@/"


def write_moodle(bank: Bank, log: ProblemLog, language: str = "") -> bytes:
    """The bank as Moodle XML; kinds that Moodle has not are refused item by item."""
    root = etree.Element("quiz")
    topic = ""
    written: list[str] = []
    for item in bank.items:
        try:
            element = Writer(bank, item, language).element()
        except ItemError as error:
            log.refusal(item.id, "", error)
            continue
        if item.metadata.topic != topic:
            topic = item.metadata.topic
            category = etree.SubElement(etree.SubElement(root, "question", type="category"), "category")
            etree.SubElement(category, "text").text = path_of(topic)
        root.append(element)
        written.append(item.id)
    etree.indent(root, "  ")
    data = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    if written:
        losses.report(
            bank, written, lambda found: read_moodle(data, "", found, LIMITS, bank.languages[0]), log
        )
    return data


class Writer:
    """One item as a <question>."""

    def __init__(self, bank: Bank, item: Item, language: str) -> None:
        self.bank = bank
        self.language = language
        self.data = calculated.data_of(item)
        if item.template_processing is not None and self.data is None:
            raise ItemError("export-kind", kind="template")
        self.item = self._restored(item) if self.data else item

    def _restored(self, item: Item) -> Item:
        data = self.data
        assert data is not None
        return replace(
            item,
            body=calculated.restore(item.body, data),
            explanation=calculated.restore(item.explanation, data),
            interactions=tuple(
                replace(
                    i, choices=tuple(replace(c, text=calculated.restore(c.text, data)) for c in i.choices)
                )
                for i in item.interactions
            ),
        )

    def element(self) -> etree._Element:
        writers: dict[str, tuple[str, Callable[[etree._Element], None]]] = {
            "single": ("calculatedmulti" if self.data else "multichoice", self._choices),
            "multiple": ("calculatedmulti" if self.data else "multichoice", self._choices),
            "true-false": ("truefalse", self._true_false),
            "numeric": ("calculated" if self.data else "numerical", self._numeric),
            "text": ("shortanswer", self._text),
            "order": ("ordering", self._order),
            "match": ("matching", self._match),
            "gap": ("cloze", self._gap),
            "essay": ("essay", self._essay),
            "description": ("description", lambda element: None),
        }
        item = self.item
        if item.kind not in writers or kinds.rebuilt(item) is None:
            if _is_words_into_text(item):
                return self._question("ddwtos", self._ddwtos)
            raise ItemError("export-kind", kind=item.kind)
        if self.data and item.kind not in ("single", "multiple", "numeric"):
            raise ItemError("export-kind", kind=f"{item.kind} with template variables")
        return self._question(*writers[item.kind])

    def _question(self, type: str, write: Callable[[etree._Element], None]) -> etree._Element:
        item = self.item
        element = etree.Element("question", type=type)
        name = item.metadata.title.plain(self.language) or item.id
        etree.SubElement(etree.SubElement(element, "name"), "text").text = name
        self._formatted(element, "questiontext", self._body(type))
        self._formatted(element, "generalfeedback", item.explanation)
        if type != "description":
            self._plain(element, "defaultgrade", f"{item.marks:f}")
            self._plain(element, "penalty", "0")
        self._plain(element, "hidden", "1" if item.metadata.status == "retired" else "0")
        self._plain(element, "idnumber", item.id)
        write(element)
        self._tags(element)
        return element

    def _body(self, type: str) -> Text:
        item = self.item
        if type == "cloze":
            return self._cloze_text()
        if type == "ddwtos":
            return self._drag_text()
        return item.body

    def _tags(self, element: etree._Element) -> None:
        tags = tags_of(self.item.metadata)
        if tags:
            found = etree.SubElement(element, "tags")
            for tag in tags:
                etree.SubElement(etree.SubElement(found, "tag"), "text").text = tag

    def _plain(self, parent: etree._Element, name: str, text: str) -> None:
        etree.SubElement(parent, name).text = text

    def _formatted(self, parent: etree._Element, name: str, text: Text) -> etree._Element:
        """A text: Markdown as it is when in one language, else HTML."""
        element = etree.SubElement(parent, name)
        if len(text.values) == 1 and text.form == "markdown" and text.languages[0] == self.bank.languages[0]:
            source, form = text.source(), "markdown"
        else:
            source, form = multilang(text), "html"
        used = dict.fromkeys(re.findall(r"media/[0-9a-f]{64}", source))
        for key in used:
            source = source.replace(key, _PLUGIN + file_name(key, self.bank.media))
        element.set("format", form)
        inner = etree.SubElement(element, "text")
        inner.text = source
        for key in used:
            if key in self.bank.media:
                file = etree.SubElement(
                    element, "file", name=file_name(key, self.bank.media), path="/", encoding="base64"
                )
                file.text = base64.b64encode(self.bank.media[key].data).decode()
        return element

    def _answer(
        self, parent: etree._Element, credit: Fraction, text: Text | str, why: Text
    ) -> etree._Element:
        if isinstance(text, Text):
            answer = self._formatted(parent, "answer", text)
        else:
            answer = etree.SubElement(parent, "answer", format="plain_text")
            etree.SubElement(answer, "text").text = text
        answer.set("fraction", percent(credit))
        self._formatted(answer, "feedback", why)
        return answer

    def _choices(self, element: etree._Element) -> None:
        item = self.item
        options = list(kinds.options(item))
        self._plain(element, "single", "true" if item.kind == "single" else "false")
        self._plain(element, "shuffleanswers", "true" if item.interactions[0].shuffle else "false")
        self._plain(element, "answernumbering", "ABCD")
        if self.data:
            self._datasets(element)
        credits = (
            kinds.even_credits(item) if item.kind == "multiple" else [option.credit for option in options]
        )
        for option, credit in zip(options, credits, strict=True):
            self._answer(element, credit, option.choice.text, option.choice.why)

    def _true_false(self, element: etree._Element) -> None:
        correct = self.item.responses[0].correct == ("true",)
        for choice, value in zip(self.item.interactions[0].choices, (True, False), strict=True):
            answer = self._answer(element, Fraction(value == correct), choice.id, choice.why)
            answer.set("format", "moodle_auto_format")

    def _numeric(self, element: etree._Element) -> None:
        rule = self.item.rules[0]
        for answer in rule.answers:
            self._number(element, answer)
        if rule.units or self.item.interactions[0].unit:
            units = etree.SubElement(element, "units")
            named = rule.units or ((self.item.interactions[0].unit.plain(self.language), Fraction(1)),)
            for name, factor in named:
                unit = etree.SubElement(units, "unit")
                self._plain(
                    unit,
                    "multiplier",
                    show(1 / factor) if "/" not in show(1 / factor) else str(float(1 / factor)),
                )
                self._plain(unit, "unit_name", name)
        self._plain(element, "unitgradingtype", "1" if rule.unit_required else "0")
        self._plain(element, "unitpenalty", "1" if rule.unit_required else "0")
        self._plain(element, "showunits", "0" if rule.units else "3")
        self._plain(element, "unitsleft", "0")
        if self.data:
            self._datasets(element)

    def _number(self, element: etree._Element, answer: Answer) -> None:
        data = self.data
        name = PLACEHOLDER.fullmatch(answer.value)
        relative = False
        tolerance = answer.tolerance
        if data and name:
            value = formula.write(data.formulas[name[1]])
            relative, tolerance = answer.percent, tolerance / 100 if answer.percent else tolerance
        elif answer.wildcard:
            value = "*"
        elif answer.upper:
            low, high = exact(answer.value), exact(answer.upper)
            value, tolerance = show((low + high) / 2), (high - low) / 2
        else:
            value = answer.value
            tolerance = abs(exact(value)) * tolerance / 100 if answer.percent else tolerance
        written = self._answer(element, answer.credit, value, answer.feedback)
        self._plain(written, "tolerance", show(tolerance))
        if data:
            self._plain(written, "tolerancetype", "1" if relative else "2")
            self._plain(written, "correctanswerformat", "1")
            self._plain(written, "correctanswerlength", "2")

    def _datasets(self, element: etree._Element) -> None:
        assert self.data is not None
        definitions = etree.SubElement(element, "dataset_definitions")
        for name, values in self.data.values.items():
            definition = etree.SubElement(definitions, "dataset_definition")
            numbers = [exact(value) for value in values]
            texts = {
                "status": "private", "name": name, "distribution": "uniform", "minimum": show(min(numbers)),
                "maximum": show(max(numbers)), "decimals": "2",
            }  # fmt: skip
            for key, text in texts.items():
                etree.SubElement(etree.SubElement(definition, key), "text").text = text
            self._plain(definition, "type", "calculated")
            self._plain(definition, "itemcount", str(len(values)))
            items = etree.SubElement(definition, "dataset_items")
            for number, value in enumerate(values, 1):
                entry = etree.SubElement(items, "dataset_item")
                self._plain(entry, "number", str(number))
                self._plain(entry, "value", value)
            self._plain(definition, "number_of_items", str(len(values)))

    def _text(self, element: etree._Element) -> None:
        rule = self.item.rules[0]
        self._plain(element, "usecase", "1" if rule.case else "0")
        for answer in rule.answers:
            text = answer.value if answer.wildcard else answer.value.replace("*", "\\*")
            self._answer(element, answer.credit, text, answer.feedback)

    def _order(self, element: etree._Element) -> None:
        whole = self.item.rules[0].method == "all-or-nothing"
        for name, value in (
            ("layouttype", "VERTICAL"), ("selecttype", "ALL"), ("selectcount", "0"),
            ("gradingtype", "ALL_OR_NOTHING" if whole else "ABSOLUTE_POSITION"), ("showgrading", "SHOW"),
            ("numberingstyle", "none"),
        ):  # fmt: skip
            self._plain(element, name, value)
        by_id = {choice.id: choice for choice in self.item.interactions[0].choices}
        for place, name in enumerate(self.item.responses[0].correct, 1):
            answer = self._formatted(element, "answer", by_id[name].text)
            answer.set("fraction", f"{place}.0000000")

    def _match(self, element: etree._Element) -> None:
        interaction = self.item.interactions[0]
        partners: dict[str, str] = dict(pair.split() for pair in self.item.responses[0].correct)
        if len(partners) != len(self.item.responses[0].correct) or set(partners) != {
            c.id for c in interaction.choices
        }:
            raise ItemError("moodle-match-several")
        right = {choice.id: choice for choice in interaction.targets}
        self._plain(element, "shuffleanswers", "true" if interaction.shuffle else "false")
        for choice in interaction.choices:
            self._subquestion(element, choice.text, right[partners[choice.id]].text)
        for name, choice in right.items():
            if name not in partners.values():
                self._subquestion(element, Text(), choice.text)

    def _subquestion(self, element: etree._Element, left: Text, right: Text) -> None:
        found = self._formatted(element, "subquestion", left)
        several = len(right.values) > 1
        plain = (
            multilang(right.map(lambda source: Text.of(x=source).plain()), block=False)
            if several
            else right.plain()
        )
        etree.SubElement(etree.SubElement(found, "answer"), "text").text = plain

    def _essay(self, element: etree._Element) -> None:
        interaction = self.item.interactions[0]
        least, most = interaction.words
        for name, value in (
            ("responseformat", "editor"), ("responserequired", "1"), ("responsefieldlines", str(interaction.lines or "")),
            ("minwordlimit", str(least or "")), ("maxwordlimit", str(most or "")), ("attachments", "0"),
        ):  # fmt: skip
            self._plain(element, name, value)
        self._formatted(element, "graderinfo", self.item.guide)

    def _gap(self, element: etree._Element) -> None:
        """Everything of a cloze stands in its text."""

    def _language_of(self, text: Text) -> str:
        """Moodle has one language for what gaps stand in: the one asked for, or another where the text lacks it."""
        return self.language if self.language in text.languages else next(iter(text.languages), self.language)

    def _cloze_text(self) -> Text:
        item = self.item
        gaps = {gap.id: gap for gap in kinds.gaps(item)}
        weights = whole_weights([gap.weight for gap in gaps.values()], item.marks)
        language = self._language_of(item.body)

        def embedded(found: re.Match[str]) -> str:
            if found[1] not in gaps:
                return found[0]
            index = list(gaps).index(found[1])
            return cloze.write(gaps[found[1]], language, weights[index])

        html = item.body.html(language)
        return Text(((self.bank.languages[0], PLACEHOLDER.sub(embedded, html)),), "html")

    def _drag_text(self) -> Text:
        interaction = self.item.interactions[0]
        language = self._language_of(interaction.prompt)
        words = {name: number for number, name in enumerate((c.id for c in interaction.choices), 1)}
        gaps = {pair.split()[1]: words[pair.split()[0]] for pair in self.item.responses[0].correct}
        html = self.item.body.html(language) + interaction.prompt.html(language)
        return Text(
            ((self.bank.languages[0], PLACEHOLDER.sub(lambda m: f"[[{gaps.get(m[1], m[1])}]]", html)),),
            "html",
        )

    def _ddwtos(self, element: etree._Element) -> None:
        interaction = self.item.interactions[0]
        groups = list(dict.fromkeys(choice.group for choice in interaction.choices))
        self._plain(element, "shuffleanswers", "1" if interaction.shuffle else "0")
        for choice in interaction.choices:
            box = etree.SubElement(element, "dragbox")
            self._plain(box, "text", choice.text.inline(self.language))
            self._plain(box, "group", str(groups.index(choice.group) + 1))
            if choice.match_max != 1:
                etree.SubElement(box, "infinite")


def _is_words_into_text(item: Item) -> bool:
    """Whether a general item is what Moodle calls drag and drop into text."""
    return (
        len(item.interactions) == 1
        and item.interactions[0].kind == "gap-match"
        and bool(item.responses[0].correct)
        and [rule.method for rule in item.rules] == ["per-part"]
        and all(choice.picture is None for choice in item.interactions[0].choices)
    )


def whole_weights(weights: Iterable[Fraction], marks: Decimal) -> list[int]:
    """The gaps' shares of the marks as whole numbers, which is all that embedded answers can have."""
    weights = list(weights)
    unit = Fraction(marks) / sum(weights, Fraction(0))
    shares = [weight * unit for weight in weights]
    if all(share.denominator == 1 and share > 0 for share in shares):
        return [int(share) for share in shares]
    if any(weight.denominator != 1 or weight <= 0 for weight in weights):
        raise ItemError("moodle-gap-weights")
    return [int(weight) for weight in weights]


def multilang(text: Text, block: bool = True) -> str:
    """HTML; several languages each in a span of the multilang filter."""
    if not text:
        return ""
    if len(text.values) == 1:
        return text.html()
    return "".join(
        f'<span lang="{language}" class="multilang">{text.html(language) if block else text.inline(language)}</span>'
        for language in text.languages
    )


def file_name(key: str, media: Mapping[str, Media]) -> str:
    """A name for a medium inside the question, new for each digest."""
    extension = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
    medium = media.get(key)
    suffix = extension.get(medium.type, medium.type.rpartition("/")[2]) if medium else "bin"
    return f"{key.removeprefix('media/')[:16]}.{suffix}"
