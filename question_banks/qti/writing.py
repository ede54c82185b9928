"""Writing an item as QTI 3.0 or 2.2, in one language."""

import re
from fractions import Fraction
from typing import Literal

from lxml import etree
from lxml import html as lxml_html

from question_banks.declarations import (
    KINDS,
    AreaEntry,
    AreaMapped,
    Choice,
    Interaction,
    MapEntry,
    Mapped,
    Node,
    OutcomeDeclaration,
    Picture,
    ResponseDeclaration,
)
from question_banks.markup import MATHML as _MATH
from question_banks.markup import PLACEHOLDER
from question_banks.model import Bank, Criterion, Item
from question_banks.presenting import WORDS
from question_banks.problems import ItemError
from question_banks.processing.notation import camel
from question_banks.qti.content import MISSING, missing, settle
from question_banks.qti.elements import MATHML, name
from question_banks.qti.scoring import general
from question_banks.renaming import renamed
from question_banks.values import show

Version = Literal[2, 3]
NAMESPACES = {3: "http://www.imsglobal.org/xsd/imsqtiasi_v3p0", 2: "http://www.imsglobal.org/xsd/imsqti_v2p2"}
SCHEMAS = {
    3: "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd",
    2: "http://www.imsglobal.org/xsd/qti/qtiv2p2/imsqti_v2p2.xsd",
}
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NAME = re.compile(r"[^\W\d][\w.-]*\Z")
_NO_NAME = (
    re.compile(  # what no name in XML holds ("Extensible Markup Language 1.0", 5th edition, production 4a)
        "[^-.\\w\xb7]|[\xaa\xb2\xb3\xb5\xb9\xba\xbc-\xbe]|[\u2460-\u2bff\u3000]"
    )
)
_MARK = re.compile(r"(\[\[\w[\w.-]*\]\])")
_CONDITION = re.compile(r"\[\[(show|hide) (\w[\w.-]*) ([^\[\]]*)\]\]")
_BLOCK = frozenset(
    ("p", "div", "ul", "ol", "dl", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr")
)
_NUMBERS = frozenset(("integer", "float"))
_VALUES = {  # (element or "", attribute) → values that QTI 3 knows; others are left out
    ("", "dir"): re.compile("ltr|rtl|auto"),
    ("img", "width"): re.compile(r"\d+%?"),
    ("img", "height"): re.compile(r"\d+%?"),
    ("video", "width"): re.compile(r"\d+"),
    ("video", "height"): re.compile(r"\d+"),
    ("th", "scope"): re.compile("col|colgroup|row|rowgroup"),
    ("", "colspan"): re.compile(r"\d{1,9}"),
    ("", "rowspan"): re.compile(r"\d{1,9}"),
    ("", "span"): re.compile(r"\d{1,9}"),
    ("", "headers"): re.compile(r"[A-Za-z_][\w.-]*(\s+[A-Za-z_][\w.-]*)*"),
    ("source", "type"): re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", re.ASCII),
}


def named_for_qti(item: Item) -> Item:
    """The item with identifiers as QTI wants them: beginning with a letter or underscore."""
    responses = {r.id: _valid(r.id) for r in item.responses}
    choices = {i.response: {c.id: _valid(c.id) for c in i.everything()} for i in item.interactions}
    if all(old == new for names in [responses, *choices.values()] for old, new in names.items()):
        return item
    return renamed(item, responses, choices)


def _valid(identifier: str) -> str:
    name = _NO_NAME.sub(lambda found: f"_{ord(found[0]):X}_", identifier)
    return name if _NAME.match(name) else f"_{name}"


class ItemWriter:
    """One item as an element tree; media are named by `files` (key → path beside the item)."""

    def __init__(
        self, bank: Bank, item: Item, language: str, version: Version, files: dict[str, str]
    ) -> None:
        self.bank = bank
        self.item = general(named_for_qti(item))
        self.language = language
        self.version: Version = version
        self.files = files
        self.placed: set[str] = set()
        self.in_formulas: set[str] = set()

    # elements

    def make(
        self, name: str, parent: etree._Element | None = None, /, **attributes: str | int | None
    ) -> etree._Element:
        """An element of QTI under its kebab name; attributes that are None are left out."""
        tag = f"{{{NAMESPACES[self.version]}}}" + (f"qti-{name}" if self.version == 3 else camel(name))
        element = etree.Element(tag) if parent is None else etree.SubElement(parent, tag)
        for key, value in attributes.items():
            if value is not None:
                word = key.replace("_", "-")
                element.set(word if self.version == 3 else camel(word), str(value))
        return element

    def plain(self, tag: str, parent: etree._Element) -> etree._Element:
        """An element of HTML or MathML; in QTI 3 a span stands for what it lacks."""
        namespace = MATHML if tag in _MATH else NAMESPACES[self.version]
        if self.version == 3 and tag in MISSING:
            element = etree.SubElement(parent, f"{{{namespace}}}span")
            missing(element, tag)
            return element
        return etree.SubElement(parent, f"{{{namespace}}}{tag}")

    def node(self, node: Node, parent: etree._Element) -> None:
        element = self.make(node.name, parent)
        for key, value in node.attributes:
            element.set(key if self.version == 3 else camel(key), value)
        if node.text:
            element.text = node.text
        for child in node.children:
            self.node(child, element)

    # the item

    def tree(self) -> etree._Element:
        item = self.item
        root = etree.Element(
            f"{{{NAMESPACES[self.version]}}}"
            + ("qti-assessment-item" if self.version == 3 else "assessmentItem"),
            nsmap={None: NAMESPACES[self.version], "xsi": XSI},
        )
        root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACES[self.version]} {SCHEMAS[self.version]}")
        root.set("identifier", _valid(item.id))
        root.set("title", item.metadata.title.plain(self.language) or item.id)
        root.set("adaptive", "false")
        root.set("time-dependent" if self.version == 3 else "timeDependent", "false")
        root.set(XML_LANG, self.language)
        for response in item.responses:
            self._response(root, response)
        outcomes = list(item.outcomes)
        has_feedback = any(choice.why for i in item.interactions for choice in i.everything())
        if (has_feedback or item.explanation) and not any(o.id == "FEEDBACK" for o in outcomes):
            outcomes.append(OutcomeDeclaration("FEEDBACK", "identifier"))
        for outcome in outcomes:
            self._outcome(root, outcome)
        for template in item.templates:
            element = self.make(
                "template-declaration", root, identifier=template.id, cardinality=template.cardinality, base_type=template.base,
                math_variable="true" if template.math else None, param_variable="true" if template.parameter else None,
            )  # fmt: skip
            self._values(element, "default-value", template.default)
        if item.template_processing is not None:
            self.node(item.template_processing, root)
        self._body(root)
        if item.processing is not None:
            self.node(item.processing, root)
        if item.explanation:
            feedback = self.make(
                "modal-feedback",
                root,
                outcome_identifier="FEEDBACK",
                identifier="explanation",
                show_hide="show",
            )
            target = self.make("content-body", feedback) if self.version == 3 else feedback
            self.html(item.explanation.html(self.language), target)
            if self.version == 3:
                settle(feedback, self._type_of)
        for element in root:
            if name(element) == "template-declaration" and element.get("identifier") in self.in_formulas:
                element.set("math-variable" if self.version == 3 else "mathVariable", "true")
        return root

    def _values(self, parent: etree._Element, name: str, values: tuple[str, ...]) -> None:
        if values:
            holder = self.make(name, parent)
            for value in values:
                self.make("value", holder).text = value

    def _response(self, root: etree._Element, response: ResponseDeclaration) -> None:
        base = "identifier" if response.base == "boolean" and self._is_choice(response.id) else response.base
        element = self.make(
            "response-declaration",
            root,
            identifier=response.id,
            cardinality=response.cardinality,
            base_type=base,
        )
        self._values(element, "default-value", response.default)
        self._values(element, "correct-response", response.correct)
        if response.mapping is not None:
            mapping = self._table(element, "mapping", response.mapping)
            for entry in response.mapping.entries or (MapEntry("", response.mapping.default, True),):
                self.make(
                    "map-entry", mapping, map_key=entry.key, mapped_value=self._number(entry.value),
                    case_sensitive="true" if entry.case else "false",
                )  # fmt: skip
        if response.areas is not None:
            areas = self._table(element, "area-mapping", response.areas)
            for area in response.areas.entries or (AreaEntry("default", (), response.areas.default),):
                self.make(
                    "area-map-entry",
                    areas,
                    shape=area.shape,
                    coords=_coords(area.coordinates),
                    mapped_value=self._number(area.value),
                )

    def _is_choice(self, response: str) -> bool:
        return any(i.response == response and i.kind == "choice" for i in self.item.interactions)

    def _table(self, parent: etree._Element, name: str, table: Mapped | AreaMapped) -> etree._Element:
        lower = None if table.lower is None else self._number(table.lower)
        upper = None if table.upper is None else self._number(table.upper)
        return self.make(
            name, parent, default_value=self._number(table.default), lower_bound=lower, upper_bound=upper
        )

    def _number(self, value: Fraction) -> str:
        """A float as QTI writes it; shares without a finite decimal are cut."""
        text = show(value)
        return text if "/" not in text else repr(float(value))

    def _outcome(self, root: etree._Element, outcome: OutcomeDeclaration) -> None:
        person = outcome.id == "SCORE" and self.item.by_person
        element = self.make(
            "outcome-declaration", root, identifier=outcome.id, cardinality=outcome.cardinality, base_type=outcome.base,
            normal_maximum=None if outcome.normal_maximum is None else self._number(outcome.normal_maximum),
            normal_minimum=None if outcome.normal_minimum is None else self._number(outcome.normal_minimum),
            view=outcome.view or None, external_scored="human" if person else None,
        )  # fmt: skip
        self._values(element, "default-value", outcome.default)
        if outcome.table is not None:
            self.node(outcome.table, element)

    # the body

    def _body(self, root: etree._Element) -> None:
        item = self.item
        body = self.make("item-body", root)
        if item.guide or item.rubric:
            rubric = self.make(
                "rubric-block", body, view="scorer", use="scoring" if self.version == 3 else None
            )
            target = self.make("content-body", rubric) if self.version == 3 else rubric
            if item.guide:
                self.html(item.guide.html(self.language), target)
            if item.rubric:
                self.html(self._rubric_table(item.rubric), target)
                target[-1].set("class", "rubric")
        self.html(item.body.html(self.language), body, item.interactions)
        for interaction in item.interactions:
            if interaction.response in self.placed:
                continue
            parent = body
            if interaction.inline:
                parent = self.plain("p", body)
            if interaction.unit:
                parent.append(self.interaction(interaction))
                self.html("&nbsp;" + interaction.unit.inline(self.language), parent)
                continue
            parent.append(self.interaction(interaction))
        if len(body) == 0 and not (body.text or "").strip():
            self.plain("p", body)
        if self.version == 3:
            settle(body, self._type_of)

    def _rubric_table(self, rubric: tuple[Criterion, ...]) -> str:
        rows = []
        for criterion in rubric:
            levels = "".join(
                f"<li>{show(level.marks)}: {level.text.inline(self.language)}</li>"
                for level in criterion.levels
            )
            listed = f"<ul>{levels}</ul>" if levels else ""
            rows.append(
                f'<tr id="rubric-{criterion.id}"><td>{criterion.title.inline(self.language)}</td><td>{show(criterion.marks)}</td><td>{listed}</td></tr>'
            )
        return f"<table><tbody>{''.join(rows)}</tbody></table>"

    def html(
        self,
        html: str,
        parent: etree._Element,
        interactions: tuple[Interaction, ...] = (),
        within: Interaction | None = None,
    ) -> None:
        """Appends cleaned HTML, placeholders as interactions, gaps, hot text or printed variables."""
        for key, path in self.files.items():
            html = html.replace(key, path)
        html = _CONDITION.sub(r'<qtitemplate data-verb="\1" data-variable="\2" data-value="\3">', html)
        html = html.replace("[[end]]", "</qtitemplate>")
        root = lxml_html.fragment_fromstring(html, create_parent="div")
        by_name = {interaction.response: interaction for interaction in interactions}
        self._children(root, parent, by_name, within)

    def _children(
        self,
        source: etree._Element,
        parent: etree._Element,
        interactions: dict[str, Interaction],
        within: Interaction | None,
    ) -> None:
        self._text(source.text, parent, interactions, within)
        for child in source:
            if isinstance(child.tag, str):
                self._element(child, parent, interactions, within)
            self._text(child.tail, parent, interactions, within)

    def _element(
        self,
        child: etree._Element,
        parent: etree._Element,
        interactions: dict[str, Interaction],
        within: Interaction | None,
    ) -> None:
        if child.tag == "qtitemplate":
            block = any(part.tag in _BLOCK for part in child)
            target = self.make(
                "template-block" if block else "template-inline", parent, template_identifier=child.get("data-variable"),
                identifier=child.get("data-value"), show_hide=child.get("data-verb"),
            )  # fmt: skip
            if block and self.version == 3:
                target = self.make("content-body", target)
            self._children(child, target, interactions, within)
            return
        words = (child.text or "").strip()
        lone = PLACEHOLDER.fullmatch(words) if child.tag == "p" and len(child) == 0 else None
        if lone and lone[1] in interactions and not interactions[lone[1]].inline:
            self._text(words, parent, interactions, within)
            return
        blocks = [
            m
            for m in PLACEHOLDER.findall("".join(child.itertext()))
            if m in interactions and not interactions[m].inline
        ]
        element = self.plain("div" if child.tag == "p" and blocks else str(child.tag), parent)
        for key, value in child.attrib.items():
            if self.version == 3:
                value = "true" if key == "controls" else value
                pattern = _VALUES.get((str(child.tag), key)) or _VALUES.get(("", key))
                if (pattern and not pattern.fullmatch(value)) or (
                    child.tag in _MATH and key in ("lang", "title")
                ):
                    continue
            if key != "controls" or self.version == 3:
                element.set(key, value)
        if self.version == 3 and child.tag == "img" and child.get("alt") is None:
            element.set("alt", "")
        self._children(child, element, interactions, within)

    def _text(
        self,
        text: str | None,
        parent: etree._Element,
        interactions: dict[str, Interaction],
        within: Interaction | None,
    ) -> None:
        for piece in _MARK.split(text or ""):
            found = PLACEHOLDER.fullmatch(piece)
            name = found[1] if found else ""
            if name in interactions and name not in self.placed:
                self.placed.add(name)
                parent.append(self.interaction(interactions[name]))
            elif within is not None and any(target.id == name for target in within.targets):
                parent.append(self._target(within, next(t for t in within.targets if t.id == name)))
            elif any(template.id == name for template in self.item.templates):
                if etree.QName(parent).namespace == MATHML:
                    self._in_formula(parent, name)
                else:
                    self.make("printed-variable", parent, identifier=name)
            elif piece:
                _append_text(parent, piece)

    def _in_formula(self, parent: etree._Element, variable: str) -> None:
        """A variable in a formula stands under its own name, and is declared to be of formulas."""
        if len(parent) or parent.text or etree.QName(parent).localname not in ("mi", "mn", "mtext"):
            _append_text(parent, f"[[{variable}]]")  # among other signs QTI has no way to say it
            return
        parent.tag = f"{{{MATHML}}}mi"
        parent.text = variable
        self.in_formulas.add(variable)

    def _target(self, interaction: Interaction, target: Choice) -> etree._Element:
        group = " ".join(target.group) or None
        if interaction.kind == "gap-match":
            return self.make("gap", None, identifier=target.id, match_group=group)
        element = self.make("hottext", None, identifier=target.id)
        self.html(target.text.inline(self.language), element)
        return element

    # interactions

    def interaction(self, i: Interaction) -> etree._Element:
        """The element of one interaction; an object to position with the stage that it is put on."""
        element = self.make(f"{i.kind}-interaction", None, response_identifier=i.response)

        def put(**attributes: str | int | None) -> None:
            for key, value in attributes.items():
                if value is not None:
                    word = key.replace("_", "-")
                    element.set(word if self.version == 3 else camel(word), str(value))

        if i.kind in ("choice", "order", "associate", "match", "gap-match", "inline-choice"):
            put(shuffle="true" if i.shuffle else "false")
        if i.kind in ("choice", "hottext", "hotspot", "select-point", "position-object"):
            put(max_choices=i.max_choices, min_choices=i.min_choices or None)
        if i.kind in ("order", "graphic-order"):
            put(max_choices=i.max_choices or None, min_choices=i.min_choices or None)
        if i.kind in ("associate", "match", "graphic-associate"):
            put(max_associations=i.max_choices, min_associations=i.min_choices or None)
        if i.kind in ("gap-match", "graphic-gap-match") and self.version == 3:  # where 1 is meant unless said
            put(max_associations=i.max_choices, min_associations=i.min_choices or None)
        if i.kind in ("text-entry", "extended-text"):
            put(expected_length=i.length or None, pattern_mask=i.pattern or None)
        if i.kind == "extended-text":
            put(expected_lines=i.lines or None)
            least, most = i.words
            if self.version == 3:
                for key, words in (("data-words-min", least), ("data-words-max", most)):
                    if words is not None:
                        element.set(key, str(words))
        if i.kind == "slider":
            bounds = [None if value is None else self._number(value) for value in (i.lower, i.upper, i.step)]
            put(lower_bound=bounds[0], upper_bound=bounds[1], step=bounds[2])
        if i.kind == "end-attempt":
            put(title=i.prompt.plain(self.language))
        if i.kind == "media":
            put(autostart="false", max_plays=i.max_choices, min_plays=i.min_choices)
        if i.kind == "upload":
            raise ItemError("qti-upload")
        self._fill(element, i)
        if i.kind == "position-object" and i.picture is not None:
            stage = self.make("position-object-stage", None)
            self._object(stage, i.picture)
            stage.append(element)
            return stage
        return element

    def _fill(self, element: etree._Element, i: Interaction) -> None:
        if i.prompt and not KINDS[i.kind].inline and i.kind not in ("gap-match", "hottext"):
            self.html(i.prompt.html(self.language), self.make("prompt", element))
        if i.kind == "position-object":
            if i.choices and i.choices[0].picture:
                self._object(element, i.choices[0].picture)
            return
        if i.picture is not None:
            self._object(element, i.picture, film=i.kind == "media")
        if i.kind in ("choice", "order"):
            for choice in i.choices:
                self._choice(element, "simple-choice", choice, i)
        elif i.kind == "inline-choice":
            for choice in i.choices:
                self._choice(element, "inline-choice", choice, i)
        elif i.kind == "associate":
            for choice in i.choices:
                self._choice(element, "simple-associable-choice", choice, i)
        elif i.kind == "match":
            for side in (i.choices, i.targets):
                holder = self.make("simple-match-set", element)
                for choice in side:
                    self._choice(holder, "simple-associable-choice", choice, i)
        elif i.kind in ("gap-match", "hottext"):
            for choice in i.choices:
                self._choice(element, "gap-img" if choice.picture else "gap-text", choice, i)
            self.html(i.prompt.html(self.language), element, (), i)
        elif i.kind in ("hotspot", "graphic-order", "graphic-associate", "graphic-gap-match"):
            for choice in i.choices:
                self._choice(element, "gap-img" if choice.picture else "gap-text", choice, i)
            name = "hotspot-choice" if i.kind in ("hotspot", "graphic-order") else "associable-hotspot"
            for target in i.targets:
                pairs = name == "associable-hotspot"
                self.make(
                    name, element, identifier=target.id, shape=target.shape or "default", coords=_coords(target.coordinates),
                    hotspot_label=target.text.plain(self.language) or None, match_max=target.match_max if pairs else None,
                    match_min=(target.match_min or None) if pairs else None,
                    match_group=(" ".join(target.group) or None) if pairs else None,
                )  # fmt: skip

    def _choice(self, parent: etree._Element, name: str, choice: Choice, i: Interaction) -> None:
        pairs = name in ("simple-associable-choice", "gap-text", "gap-img")
        shown = choice.show
        element = self.make(
            name, parent, identifier=choice.id,
            match_max=choice.match_max if pairs else None, match_min=(choice.match_min or None) if pairs else None,
            match_group=(" ".join(choice.group) or None) if pairs else None, template_identifier=shown[0] if shown else None,
            show_hide=None if shown is None else "show" if shown[2] else "hide",
        )  # fmt: skip
        if choice.fixed:  # what goes into gaps has no such attribute in QTI 3
            element.set("data-fixed" if self.version == 3 and name.startswith("gap-") else "fixed", "true")
        if choice.picture:
            self._object(element, choice.picture)
        elif choice.text:
            self.html(choice.text.inline(self.language), element)
        elif choice.id in WORDS:
            element.text = WORDS[choice.id].get(self.language, WORDS[choice.id]["en"])
        if choice.why and name in ("simple-choice", "inline-choice"):
            feedback = self.make(
                "feedback-inline",
                element,
                outcome_identifier="FEEDBACK",
                identifier=choice.id,
                show_hide="show",
            )
            self.html(choice.why.inline(self.language), feedback)

    def _type_of(self, path: str) -> str:
        """The media type of the file that `path` names, seen from the item."""
        key = next((key for key, other in self.files.items() if other == path), path)
        return self.bank.media[key].type if key in self.bank.media else "application/octet-stream"

    def _object(self, parent: etree._Element, picture: Picture, film: bool = False) -> None:
        """The picture; a film in a media interaction is an object whatever it is."""
        path = self.files.get(picture.media, picture.media)
        kind = self.bank.media[picture.media].type if picture.media in self.bank.media else "image/png"
        sizes = {"width": picture.width, "height": picture.height}
        alternative = picture.alternative.plain(self.language)
        if self.version == 3 and kind.startswith("image/") and not film:
            element = self.plain("img", parent)
            element.set("src", path)
            element.set("alt", alternative)
        else:
            element = self.plain("object", parent)
            element.set("data", path)
            element.set("type", kind)
            element.text = alternative or None
        for key, value in sizes.items():
            if value:
                element.set(key, str(value))


def _coords(coordinates: tuple[int, ...]) -> str:
    """The numbers of an area, which QTI wants of "default", the whole picture, as well."""
    return ",".join(map(str, coordinates or (0, 0, 0, 0)))


def _append_text(parent: etree._Element, text: str) -> None:
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text
