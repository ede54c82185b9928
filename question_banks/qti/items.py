"""One QTI item, of version 2.0 to 2.2 or 3.0, as an Item."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from html import escape
from urllib.parse import unquote

from lxml import etree

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
    Rule,
    TemplateDeclaration,
)
from question_banks.intake import Notes, slug
from question_banks.marking import areas_maximum, mapping_maximum
from question_banks.markup import NO_TEXT, Text
from question_banks.model import Criterion, Item, Level, Metadata, marks_of
from question_banks.problems import BankError, ItemError, declare
from question_banks.processing.notation import node_of
from question_banks.qti import scoring
from question_banks.qti.content import original
from question_banks.qti.elements import MATHML, first, flag, get, inner, language, name, real, required, whole
from question_banks.sources import content
from question_banks.values import BASE_TYPES, CARDINALITIES, exact, lexical, read

declare(
    {
        "qti-not-item": "The file is not an assessment item; its root is {root}.",
        "qti-interaction": "Interactions of the type {kind} cannot be carried.",
        "qti-no-body": "The item has no body.",
        "qti-record": "Responses that are records cannot be carried ({response}).",
        "qti-type": "The declaration of {id} has the type {type}, which is not known.",
        "qti-template": "The response processing template {template} is not known.",
        "qti-include": "Parts included from other files are not read ({element}).",
        "qti-adaptive": "The item is adaptive; its later attempts are not part of an examination.",
        "qti-upload": "Uploads are not possible in a timed paper.",
        "qti-catalog": "Catalogues, style sheets and companion materials were left out ({element}).",
        "qti-printed-format": "The printing format {format} of the variable {id} was left out.",
        "qti-no-score": "The item sets no outcome SCORE.",
        "qti-hot-area": "The area of {id} cannot be read: {coords}.",
        "qti-feedback": "Feedback that depends on the answer was left out ({id}).",
        "qti-interaction-nested": "An interaction stands where it cannot be carried.",
        "qti-undeclared": "The response {id} is not declared.",
        "qti-media-path": "The picture {address} is not in the package.",
    }
)

BLOCKS = {
    "choice-interaction": "choice", "order-interaction": "order", "associate-interaction": "associate",
    "match-interaction": "match", "gap-match-interaction": "gap-match", "inline-choice-interaction": "inline-choice",
    "text-entry-interaction": "text-entry", "extended-text-interaction": "extended-text", "hottext-interaction": "hottext",
    "hotspot-interaction": "hotspot", "select-point-interaction": "select-point", "graphic-order-interaction": "graphic-order",
    "graphic-associate-interaction": "graphic-associate", "graphic-gap-match-interaction": "graphic-gap-match",
    "slider-interaction": "slider", "media-interaction": "media", "upload-interaction": "upload",
    "end-attempt-interaction": "end-attempt", "position-object-interaction": "position-object",
}  # fmt: skip
EXPLANATION = "explanation"
RUBRIC = "rubric"
LINES = "expected-lines"
_DROPPED = frozenset(("stylesheet", "catalog-info", "companion-materials-info", "context-declaration"))
_SIMPLE_HTML = re.compile(r"[a-z][a-z0-9]*\Z")

Load = Callable[[str], bytes]


@dataclass
class ItemReader:
    """Reads one item; `load` gives the bytes of a file by its path in the package, `folder` is the item's own."""

    root: etree._Element
    notes: Notes
    load: Load
    folder: str = ""
    interactions: list[Interaction] = field(default_factory=list)
    guide: Text = NO_TEXT
    rubric: tuple[Criterion, ...] = ()
    block_places: list[str] = field(default_factory=list)

    def item(self) -> Item:
        root = self.root
        if name(root) != "assessment-item":
            raise ItemError("qti-not-item", root=name(root))
        self.version = 2 if "qti-" not in str(root.tag) else 3
        self.notes.language = language(root) or self.notes.language
        if flag(root, "adaptive", False):
            raise ItemError("qti-adaptive")
        body = first(root, "item-body")
        if body is None:
            raise ItemError("qti-no-body")
        for element in inner(root, *_DROPPED):
            self.notes.lose("qti-catalog", element=name(element))
        responses = tuple(self._response(e) for e in inner(root, "response-declaration"))
        outcomes = tuple(self._outcome(e) for e in inner(root, "outcome-declaration"))
        templates = tuple(self._template(e) for e in inner(root, "template-declaration"))
        self.printable = {template.id for template in templates}
        text = self._body(body)
        declared = {response.id for response in responses}
        used = {interaction.response for interaction in self.interactions}
        for interaction in self.interactions:
            if interaction.response not in declared:
                raise ItemError("qti-undeclared", id=interaction.response)
        responses = tuple(r for r in responses if r.id in used or self._mentions(r.id))
        processing = self._processing()
        title = " ".join(get(root, "title").split())
        identifier = slug(get(root, "identifier"), 200)
        item = Item(
            identifier, "composite", text, tuple(self.interactions), responses,
            outcomes=outcomes, templates=templates, template_processing=self._node("template-processing"),
            processing=processing, explanation=self._explanation(), guide=self.guide, rubric=self.rubric,
            metadata=Metadata(title=self.notes.plain(title) if title and title != identifier else NO_TEXT),
        )  # fmt: skip
        return self._settled(item)

    # declarations

    def _type(self, element: etree._Element) -> tuple[str, str, str]:
        identifier = required(element, "identifier")
        base, cardinality = get(element, "base-type"), get(element, "cardinality", "single")
        if cardinality == "record":
            raise ItemError("qti-record", response=identifier)
        if base not in BASE_TYPES or cardinality not in CARDINALITIES:
            raise ItemError("qti-type", id=identifier, type=f"{base} {cardinality}")
        return identifier, base, cardinality

    def _values(self, element: etree._Element | None, base: str) -> tuple[str, ...]:
        if element is None:
            return ()
        result = []
        for value in inner(element, "value"):
            text = content(value) if base == "string" else content(value).strip()
            try:
                result.append(text if base == "string" else lexical(read(base, text)))
            except ValueError:
                raise ItemError("value-not-type", value=text, base=base) from None
        if len(result) > self.notes.limits.choices:
            raise ItemError("too-many", field="values", number=len(result), most=self.notes.limits.choices)
        return tuple(result)

    def _response(self, element: etree._Element) -> ResponseDeclaration:
        identifier, base, cardinality = self._type(element)
        mapping, areas = first(element, "mapping"), first(element, "area-mapping")
        return ResponseDeclaration(
            identifier, base, cardinality, self._values(first(element, "correct-response"), base),
            None if mapping is None else Mapped(
                tuple(
                    MapEntry(get(e, "map-key"), real(e, "mapped-value") or Fraction(0), flag(e, "case-sensitive", self.version == 3))
                    for e in inner(mapping, "map-entry")
                    if get(e, "map-key")
                ),
                *_bounds(mapping),
            ),
            None if areas is None else AreaMapped(
                tuple(
                    AreaEntry(get(e, "shape"), _coordinates(e), real(e, "mapped-value") or Fraction(0))
                    for e in inner(areas, "area-map-entry")
                ),
                *_bounds(areas),
            ),
            self._values(first(element, "default-value"), base),
        )  # fmt: skip

    def _outcome(self, element: etree._Element) -> OutcomeDeclaration:
        identifier, base, cardinality = self._type(element)
        table = first(element, "match-table", "interpolation-table")
        return OutcomeDeclaration(
            identifier, base, cardinality, self._values(first(element, "default-value"), base),
            node_of(table, self.notes.limits) if table is not None else None,
            real(element, "normal-maximum"), real(element, "normal-minimum"), get(element, "view"),
        )  # fmt: skip

    def _template(self, element: etree._Element) -> TemplateDeclaration:
        identifier, base, cardinality = self._type(element)
        return TemplateDeclaration(
            identifier, base, cardinality, self._values(first(element, "default-value"), base),
            flag(element, "math-variable", False), flag(element, "param-variable", False),
        )  # fmt: skip

    def _node(self, wanted: str) -> Node | None:
        element = first(self.root, wanted)
        if element is None:
            return None
        for part in element.iter():
            if name(part) in ("include",):
                raise ItemError("qti-include", element=name(part))
        result = node_of(element, self.notes.limits)
        return replace(result, attributes=())

    def _mentions(self, response: str) -> bool:
        """Whether a rule or an expression names the response: as its identifier, or as the value of an attribute."""
        rules = inner(self.root, "response-processing", "template-processing")
        return any(
            str(value).strip().strip("{}") == response
            for part in rules
            for element in part.iter()
            for value in element.attrib.values()
        )

    def _processing(self) -> Node | None:
        element = first(self.root, "response-processing")
        if element is None:
            return None
        if len(element):
            return self._node("response-processing")
        template = get(element, "template").rstrip("/").rpartition("/")[2].removesuffix(".xml")
        if not template:
            return None
        if template.startswith("CC2_"):
            template = {"CC2_match": "match_correct", "CC2_map_response": "map_response"}.get(
                template, template
            )
        if template not in scoring.TEMPLATES:
            raise ItemError("qti-template", template=get(element, "template"))
        return scoring.TEMPLATES[template]()

    def _settled(self, item: Item) -> Item:
        """Marks, kind and marking rules where the item's processing is one that they say."""
        declared = {outcome.id: outcome for outcome in item.outcomes}
        score = declared.get("SCORE")
        external = any(get(e, "external-scored") == "human" for e in inner(self.root, "outcome-declaration"))
        long_text = [i for i in item.interactions if i.kind in ("extended-text", "upload")]
        by_person = bool(item.interactions) and item.processing is None and bool(long_text or external)
        if item.interactions and score is None and not by_person:
            raise ItemError("qti-no-score")
        marks = _maximum(item, declared)
        if by_person:
            rules = tuple(Rule(i.response, "person") for i in item.interactions)
            item = replace(item, rules=rules, marks=marks, outcomes=())
        else:
            item = replace(item, marks=marks if item.interactions else Decimal(0))
        item = self._with_truth(item)
        simple = scoring.simplified(item)
        if simple is item and not item.interactions:
            return replace(item, outcomes=())
        return simple

    def _with_truth(self, item: Item) -> Item:
        """A choice between "true" and "false" is a boolean."""
        if len(item.interactions) != 1 or item.interactions[0].kind != "choice":
            return item
        interaction, declaration = item.interactions[0], item.declared[item.interactions[0].response]
        if (
            [c.id for c in interaction.choices] != ["true", "false"]
            or declaration.cardinality != "single"
            or declaration.mapping
        ):
            return item
        standard = {word for words in ({"đúng", "sai"}, {"true", "false"}) for word in words}
        texts = [" ".join(c.text.plain().lower().split()) for c in interaction.choices]
        if not all(text in standard for text in texts):
            return item
        choices = tuple(replace(c, text=NO_TEXT) for c in interaction.choices)
        return replace(
            item,
            interactions=(replace(interaction, choices=choices),),
            responses=tuple(
                replace(r, base="boolean") if r.id == declaration.id else r for r in item.responses
            ),
        )

    # body

    def _body(self, body: etree._Element) -> Text:
        """The body's text; a single block interaction at the end gives its prompt to the body."""
        html = self._html(body, set())
        last = self.interactions[-1] if self.interactions else None
        for place in self.block_places:
            mark = f"[[{place}]]"
            before, found, after = html.partition(mark)
            if found and (len(self.block_places) == 1 and not _words(after)):
                html = before + after
        if (
            last is not None
            and len(self.interactions) == 1
            and self.block_places
            and f"[[{last.response}]]" not in html
        ):
            special = last.kind in ("gap-match", "hottext")
            if not special and last.prompt:
                prompt = last.prompt
                if not _words(html):
                    self.interactions[-1] = replace(last, prompt=NO_TEXT)
                    return prompt
        if last is not None and len(self.interactions) == 1 and last.kind == "text-entry":
            html = self._without_entry(html, last)
        return self.notes.html(_unwrapped(html)) if _words(html) else NO_TEXT

    def _without_entry(self, html: str, entry: Interaction) -> str:
        """A lone text entry in a paragraph of its own at the end stands after the text, its unit behind it."""
        found = re.search(r"<p>\s*\[\[([^\]]+)\]\]((?:(?!</?p\b)[^\[])*)</p>\s*\Z", html)
        if not found or found[1] != entry.response or not _words(html[: found.start()]):
            return html
        unit = found[2].strip()
        if unit:
            self.interactions[-1] = replace(entry, unit=self.notes.html(unit))
        return html[: found.start()]

    def _html(self, element: etree._Element, targets: set[str]) -> str:
        """The inside of an element as HTML, interactions as placeholders; `targets`: gaps and hot text are meant."""
        parts = [escape(element.text or "", quote=False)]
        for child in element:
            if isinstance(child.tag, str):
                parts.append(self._element(child, targets))
            parts.append(escape(child.tail or "", quote=False))
        return "".join(parts)

    def _element(self, element: etree._Element, targets: set[str]) -> str:
        kind = name(element)
        if kind in BLOCKS:
            if targets:
                raise ItemError("qti-interaction-nested")
            return self._place(element, BLOCKS[kind])
        if kind in ("gap", "hottext"):
            targets.add(required(element, "identifier"))
            return f"[[{required(element, 'identifier')}]]"
        if kind == "printed-variable":
            if get(element, "format"):
                self.notes.lose(
                    "qti-printed-format", format=get(element, "format"), id=get(element, "identifier")
                )
            return f"[[{required(element, 'identifier')}]]"
        if kind in ("feedback-inline", "feedback-block"):
            self.notes.lose("qti-feedback", id=get(element, "identifier"))
            return ""
        if kind in ("template-inline", "template-block"):
            verb = "hide" if get(element, "show-hide") == "hide" else "show"
            head = f"[[{verb} {required(element, 'template-identifier')} {required(element, 'identifier')}]]"
            return head + self._html(element, targets) + "[[end]]"
        if kind == "rubric-block":
            return self._rubric(element, targets)
        if kind in ("stylesheet", "catalog-info"):
            self.notes.lose("qti-catalog", element=kind)
            return ""
        if kind == "position-object-stage":
            return self._stage(element)
        if kind in (
            "custom-interaction",
            "portable-custom-interaction",
            "drawing-interaction",
        ) or kind.endswith("-interaction"):
            raise ItemError("qti-interaction", kind=kind)
        if kind in ("include",):
            raise ItemError("qti-include", element=kind)
        if kind in ("content-body", "prompt"):
            return self._html(element, targets)
        return self._plain_element(element, kind, targets)

    def _plain_element(self, element: etree._Element, kind: str, targets: set[str]) -> str:
        meant = original(element)
        if meant == "":
            return self._html(element, targets)
        if meant is not None:
            tag = meant
        elif element.tag == f"{{{MATHML}}}{etree.QName(element).localname}":
            tag = etree.QName(element).localname
        elif kind in ("object", "img", "audio", "video", "source"):
            return self._medium_tag(element, kind)
        elif _SIMPLE_HTML.match(kind):
            tag = kind
        else:
            raise ItemError("qti-interaction", kind=kind)
        for foot in list(inner(element, "tfoot")) if tag == "table" else ():
            element.append(foot)  # behind the body, where HTML has it
        attributes = "".join(
            f' {key}="{escape(value)}"'
            for key, value in element.attrib.items()
            if "}" not in key and not key.startswith("data-") and (meant is None or key != "role")
        )
        if tag in ("br", "hr", "col"):
            return f"<{tag}{attributes}>"
        return f"<{tag}{attributes}>{self._html(element, targets)}</{tag}>"

    def _medium_tag(self, element: etree._Element, kind: str) -> str:
        key = self._medium(element)
        sizes = "".join(
            f' {side}="{escape(get(element, side))}"' for side in ("width", "height") if get(element, side)
        )
        alternative = get(element, "alt") or " ".join(content(element).split())
        kind_of = self.notes.media[key].type.partition("/")[0]
        if kind_of in ("audio", "video"):
            return f'<{kind_of} src="{key}" controls{sizes}></{kind_of}>'
        return f'<img src="{key}" alt="{escape(alternative)}"{sizes}>'

    def _medium(self, element: etree._Element) -> str:
        """The key of the medium that an img or object shows, taken from the package."""
        address = get(element, "src") or get(element, "data")
        if not address:
            source = first(element, "source", "img", "object")
            if source is None:
                raise ItemError("qti-missing", element=name(element), attribute="src")
            return self._medium(source)
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", address):
            raise ItemError("remote-reference", address=address)
        if address in self.notes.names:
            return self.notes.names[address]
        path = posixpath.normpath(
            posixpath.join(self.folder, unquote(address.partition("?")[0].partition("#")[0]))
        )
        if path.startswith(("..", "/")):
            raise ItemError("zip-path", name=address)
        try:
            data = self.load(path)
        except BankError:
            raise ItemError("qti-media-path", address=address) from None
        return self.notes.medium(address, posixpath.basename(path), data)

    def _rubric(self, element: etree._Element, targets: set[str]) -> str:
        views = get(element, "view").split()
        if "candidate" not in views and set(views) & {"scorer", "author"}:
            for table in [e for e in element.iter() if name(e) == "table" and e.get("class") == RUBRIC]:
                rows = [row for part in inner(table, "tbody", "tr") for row in _rows(part)]
                self.rubric += tuple(self._criterion(row) for row in rows)
                parent = table.getparent()
                if parent is not None:
                    parent.remove(table)
            html = self._html(element, targets)
            if _words(html) and not self.guide:
                self.guide = self.notes.html(html)
            return ""
        html = self._html(element, targets)
        return f"<div>{html}</div>" if "candidate" in views else ""

    def _criterion(self, row: etree._Element) -> Criterion:
        """A row of the table that the writer makes of a rubric: title, marks, levels."""
        cells = [e for e in row if name(e) == "td"]
        if len(cells) != 3:
            raise ItemError("qti-missing", element="rubric", attribute="td")
        levels = []
        for entry in [entry for listed in inner(cells[2], "ul") for entry in inner(listed, "li")]:
            marks, _, text = self._html(entry, set()).partition(": ")
            levels.append(Level(_marks(marks), self.notes.html(text)))
        title = self.notes.html(self._html(cells[0], set()))
        identifier = get(row, "id").removeprefix("rubric-") or slug(title.plain())
        return Criterion(identifier, title, _marks(content(cells[1])), tuple(levels))

    def _explanation(self) -> Text:
        found = NO_TEXT
        for element in inner(self.root, "modal-feedback"):
            if get(element, "identifier") == EXPLANATION:
                found = self.notes.html(self._html(element, set()))
            else:
                self.notes.lose("qti-feedback", id=get(element, "identifier"))
        return found

    # interactions

    def _place(self, element: etree._Element, kind: str) -> str:
        if len(self.interactions) >= self.notes.limits.interactions:
            raise ItemError(
                "too-many",
                field="interactions",
                number=len(self.interactions) + 1,
                most=self.notes.limits.interactions,
            )
        interaction = self._interaction(element, kind)
        self.interactions.append(interaction)
        if not KINDS[kind].inline:
            self.block_places.append(interaction.response)
        return f"[[{interaction.response}]]"

    def _interaction(self, element: etree._Element, kind: str) -> Interaction:
        if kind == "upload":
            raise ItemError("qti-upload")
        prompt = first(element, "prompt")
        text = self.notes.html(_unwrapped(self._html(prompt, {""}))) if prompt is not None else NO_TEXT
        single_default = (
            1
            if kind
            in (
                "choice",
                "hotspot",
                "hottext",
                "select-point",
                "position-object",
                "associate",
                "match",
                "graphic-associate",
            )
            else 0
        )
        most = whole(element, "max-choices", whole(element, "max-associations", single_default))
        least = whole(element, "min-choices", whole(element, "min-associations", 0))
        interaction = Interaction(
            kind, required(element, "response-identifier"), text, shuffle=flag(element, "shuffle", False),
            max_choices=most, min_choices=least, length=whole(element, "expected-length", 0) if kind == "text-entry" else 0,
            lines=whole(element, LINES, 0), pattern=get(element, "pattern-mask"),
            words=_words_limits(element) if kind == "extended-text" else (None, None),
        )  # fmt: skip
        return self._filled(element, kind, interaction)

    def _filled(self, element: etree._Element, kind: str, interaction: Interaction) -> Interaction:
        if kind in ("choice", "order", "associate"):
            choices = tuple(
                self._choice(e) for e in inner(element, "simple-choice", "simple-associable-choice")
            )
            most = interaction.max_choices
            most = 0 if kind == "order" and most == len(choices) else most
            return replace(interaction, choices=choices, max_choices=most)
        if kind == "inline-choice":
            choices = tuple(self._choice(e) for e in inner(element, "inline-choice"))
            return replace(interaction, choices=choices, max_choices=1)
        if kind == "match":
            sets = [
                tuple(self._choice(e) for e in inner(s, "simple-associable-choice"))
                for s in inner(element, "simple-match-set")
            ]
            if len(sets) != 2:
                raise ItemError("qti-missing", element="match-interaction", attribute="simple-match-set")
            return replace(interaction, choices=sets[0], targets=sets[1])
        if kind in ("gap-match", "hottext"):
            return self._with_text_targets(element, kind, interaction)
        if kind == "text-entry":
            return replace(interaction, max_choices=1)
        if kind == "extended-text":
            return replace(interaction, max_choices=1)
        if kind == "slider":
            lower, upper, step = (
                real(element, "lower-bound"),
                real(element, "upper-bound"),
                real(element, "step"),
            )
            return replace(interaction, lower=lower, upper=upper, step=step, max_choices=1)
        if kind == "end-attempt":
            return replace(interaction, prompt=self.notes.plain(get(element, "title")), max_choices=1)
        if kind == "media":
            plays = whole(element, "max-plays", 0)
            return replace(
                interaction,
                picture=self._picture(element),
                max_choices=plays,
                min_choices=whole(element, "min-plays", 0),
            )
        return self._graphic(element, kind, interaction)

    def _with_text_targets(self, element: etree._Element, kind: str, interaction: Interaction) -> Interaction:
        """Gaps or hot text inside running text, which is added to the prompt."""
        choices: list[Choice] = []
        parts: list[str] = []
        marks: set[str] = set()
        elements = {get(e, "identifier"): e for e in element.iter() if name(e) in ("gap", "hottext")}
        for child in element:
            if name(child) in ("gap-text", "gap-img"):
                choices.append(self._choice(child))
            elif name(child) not in ("prompt", "") or not isinstance(child.tag, str):
                parts.append(self._element(child, marks) if isinstance(child.tag, str) else "")
        prompt = first(element, "prompt")
        html = (f"<div>{self._html(prompt, {''})}</div>" if prompt is not None else "") + "".join(parts)
        order = re.findall(r"\[\[([^\]\s]+)\]\]", html)
        targets = tuple(
            Choice(
                identifier,
                self.notes.html(self._html(found, set())) if kind == "hottext" else NO_TEXT,
                match_max=1, group=tuple(get(found, "match-group").split()),
            )
            for identifier in dict.fromkeys(order) if (found := elements.get(identifier)) is not None
        )  # fmt: skip
        most = interaction.max_choices if kind == "hottext" else 0
        return replace(
            interaction,
            prompt=self.notes.html(html),
            choices=tuple(choices),
            targets=targets,
            max_choices=most,
        )

    def _choice(self, element: etree._Element) -> Choice:
        feedback = first(element, "feedback-inline")
        why = self.notes.html(self._html(feedback, {""})) if feedback is not None else NO_TEXT
        if feedback is not None:
            tail = feedback.tail or ""
            parent = feedback.getparent()
            assert parent is not None
            previous = feedback.getprevious()
            if previous is not None:
                previous.tail = (previous.tail or "") + tail
            else:
                parent.text = (parent.text or "") + tail
            parent.remove(feedback)
        picture, text = None, NO_TEXT
        if name(element) == "gap-img":
            picture = self._picture(element)
        else:
            text = self.notes.html(self._html(element, {""}))
        most = whole(element, "match-max", 1)
        show = None
        if get(element, "template-identifier"):
            show = (
                get(element, "template-identifier"),
                required(element, "identifier"),
                get(element, "show-hide", "show") != "hide",
            )
        return Choice(
            required(element, "identifier"), text, flag(element, "fixed", flag(element, "data-fixed", False)), most, whole(element, "match-min", 0),
            tuple(get(element, "match-group").split()), picture=picture, why=why, show=show,
        )  # fmt: skip

    def _picture(self, element: etree._Element) -> Picture | None:
        found = next((e for e in element if name(e) in ("object", "img", "picture", "audio", "video")), None)
        if found is None:
            return None
        key = self._medium(found)
        shown = first(found, "img") if name(found) == "picture" and first(found, "img") is not None else found
        assert shown is not None
        alternative = get(shown, "alt") or " ".join(content(shown).split())

        def size(side: str) -> int:
            value = re.match(r"\d{1,5}", get(shown, side))
            return int(value[0]) if value else 0

        return Picture(
            key, size("width"), size("height"), self.notes.plain(alternative) if alternative else NO_TEXT
        )

    def _graphic(self, element: etree._Element, kind: str, interaction: Interaction) -> Interaction:
        targets = tuple(self._hot(e) for e in inner(element, "hotspot-choice", "associable-hotspot"))
        choices = tuple(self._choice(e) for e in inner(element, "gap-img", "gap-text"))
        picture = self._picture(element)
        most = interaction.max_choices
        if kind in ("graphic-order", "graphic-gap-match"):
            most = 0 if kind == "graphic-gap-match" or most in (0, len(targets)) else most
        return replace(interaction, picture=picture, choices=choices, targets=targets, max_choices=most)

    def _hot(self, element: etree._Element) -> Choice:
        label = get(element, "hotspot-label")
        return Choice(
            required(element, "identifier"), self.notes.plain(label) if label else NO_TEXT, False,
            whole(element, "match-max", 1), whole(element, "match-min", 0), tuple(get(element, "match-group").split()),
            get(element, "shape"), _coordinates(element),
        )  # fmt: skip

    def _stage(self, element: etree._Element) -> str:
        """A stage with objects to put on it: each is an interaction whose choice is the object."""
        stage = self._picture(element)
        marks = []
        for found in inner(element, "position-object-interaction"):
            thing = self._picture(found)
            interaction = Interaction(
                "position-object", required(found, "response-identifier"), max_choices=whole(found, "max-choices", 1),
                min_choices=whole(found, "min-choices", 0), picture=stage, choices=(Choice("object", picture=thing),),
            )  # fmt: skip
            self.interactions.append(interaction)
            self.block_places.append(interaction.response)
            marks.append(f"[[{interaction.response}]]")
        return "".join(marks)


def _rows(part: etree._Element) -> list[etree._Element]:
    return [part] if name(part) == "tr" else list(inner(part, "tr"))


def _marks(text: str) -> Fraction:
    try:
        return exact(text)
    except ValueError:
        raise ItemError("field-number", field="rubric", value=text) from None


def _bounds(element: etree._Element) -> tuple[Fraction, Fraction | None, Fraction | None]:
    return (
        real(element, "default-value") or Fraction(0),
        real(element, "lower-bound"),
        real(element, "upper-bound"),
    )


def _coordinates(element: etree._Element) -> tuple[int, ...]:
    coords = get(element, "coords")
    if get(element, "shape") == "default" and not coords.strip("0, %"):
        return ()
    try:
        return tuple(round(exact(word.strip().rstrip("%"))) for word in coords.replace(",", " ").split())
    except ValueError:
        raise ItemError("qti-hot-area", id=get(element, "identifier"), coords=coords) from None


def _words_limits(element: etree._Element) -> tuple[int | None, int | None]:
    """Word limits, which QTI has no attribute for, in data attributes."""
    least, most = element.get("data-words-min", ""), element.get("data-words-max", "")
    return (int(least) if least.isdigit() else None, int(most) if most.isdigit() else None)


def _words(html: str) -> bool:
    """Whether there is anything to see."""
    return bool(re.sub(r"<(?!img|audio|video|math)[^<>]*>|\s", "", html))


def _unwrapped(html: str) -> str:
    """HTML without a lone <div> around it."""
    html = html.strip()
    while True:
        found = re.fullmatch(r"<div>((?:(?!</?div\b).)*)</div>", html, re.DOTALL)
        if not found:
            return html
        html = found[1].strip()


def _maximum(item: Item, declared: dict[str, OutcomeDeclaration]) -> Decimal:
    """The most an item can earn: MAXSCORE, SCORE's normal maximum, else what its template gives."""
    stated = declared.get("MAXSCORE")
    score = declared.get("SCORE")
    if stated is not None and stated.default:
        try:
            return marks_of(exact(stated.default[0]))
        except ValueError:
            pass
    if score is not None and score.normal_maximum is not None:
        return marks_of(score.normal_maximum)
    total = Fraction(0)
    names = {part.name for part in item.processing.walk()} if item.processing is not None else set()
    for response in item.responses:
        if response.mapping is not None and "map-response" in names:
            total += mapping_maximum(response.mapping, response)
        if response.areas is not None and "map-response-point" in names:
            total += areas_maximum(response.areas)
    return marks_of(total if total > 0 else Fraction(1))
