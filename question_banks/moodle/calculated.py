"""Calculated questions: datasets become template variables, formulas template processing.

One row of the data is drawn (ROW); {a} in a text becomes [[a]], {={a}*2} a variable of its own.
"""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lxml import etree

from question_banks import kinds
from question_banks.declarations import Answer, Node, TemplateDeclaration
from question_banks.intake import Notes
from question_banks.markup import Text
from question_banks.model import Item
from question_banks.moodle import formula
from question_banks.problems import ItemError, declare
from question_banks.sources import child, children, content
from question_banks.values import exact, show

declare(
    {
        "dataset-missing": "The question uses {name}, for which no data are given.",
        "dataset-number": "The data of {name} contain {value}, which is not a number.",
        "dataset-empty": "The data of {name} have no values.",
        "tolerance-geometric": "The geometric tolerance was replaced by a relative one.",
    }
)

ROW = "ROW"
_FORMULA = re.compile(r"\{=((?:[^{}]|\{[A-Za-z_]\w*\})+)\}")
_WILD = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True)
class Data:
    """Values of each variable by row, and the template variables made of formulas."""

    values: dict[str, list[str]]
    formulas: dict[str, Node]

    @property
    def rows(self) -> int:
        return min(len(values) for values in self.values.values()) if self.values else 0

    def templates(self) -> tuple[TemplateDeclaration, ...]:
        result = [TemplateDeclaration(ROW, "integer", "single")] if self.values else []
        for name, values in self.values.items():
            result.append(TemplateDeclaration(f"{name}_VALUES", "float", "ordered", tuple(values)))
            result.append(TemplateDeclaration(name, "float"))
        return tuple(result + [TemplateDeclaration(name, "float") for name in self.formulas])

    def processing(self) -> Node:
        def assign(name: str, value: Node) -> Node:
            return Node("set-template-value", (("identifier", name),), (value,))

        rules = []
        if self.values:
            rules.append(assign(ROW, Node("random-integer", (("max", str(self.rows)), ("min", "1")))))
        for name in self.values:
            drawn = Node("index", (("n", ROW),), (formula.variable(f"{name}_VALUES"),))
            rules.append(assign(name, drawn))
        rules += [assign(name, node) for name, node in self.formulas.items()]
        return Node("template-processing", (), tuple(rules))


def read_data(element: etree._Element, notes: Notes) -> Data:
    values: dict[str, list[str]] = {}
    found = child(element, "dataset_definitions")
    for definition in children(found, "dataset_definition") if found is not None else ():
        name = content(child(definition, "name")).strip()
        if not re.fullmatch(r"[A-Za-z_]\w*", name) or name == ROW:
            raise ItemError("moodle-field", field="dataset", value=name)
        items = child(definition, "dataset_items")
        rows: list[tuple[int, str]] = []
        for row in children(items, "dataset_item") if items is not None else ():
            raw = content(child(row, "value")).strip()
            try:
                rows.append((int(content(child(row, "number")) or len(rows) + 1), show(exact(raw))))
            except ValueError:
                raise ItemError("dataset-number", name=name, value=raw) from None
            if len(rows) > notes.limits.choices:
                raise ItemError("too-many", field=name, number=len(rows), most=notes.limits.choices)
        if not rows:
            raise ItemError("dataset-empty", name=name)
        values[name] = [value for _, value in sorted(rows, key=lambda row: row[0])]
    return Data(values, {})


def _fill(text: Text, data: Data) -> Text:
    """{a} → [[a]]; {=…} → a new formula variable."""

    def derived(found: re.Match[str]) -> str:
        node = formula.read(found[1])
        for name, known in data.formulas.items():
            if known == node:
                return f"[[{name}]]"
        name = f"F{len(data.formulas) + 1}"
        data.formulas[name] = node
        return f"[[{name}]]"

    def change(source: str) -> str:
        source = _FORMULA.sub(
            derived, source.replace("\\_", "_").replace("\\*", "*") if "{=" in source else source
        )
        return _WILD.sub(lambda found: f"[[{found[1]}]]" if found[1] in data.values else found[0], source)

    return text.map(change)


def _complete(item: Item, data: Data) -> Item:
    for node in data.formulas.values():
        for part in node.walk():
            if part.name == "variable" and part.get("identifier") not in data.values:
                raise ItemError("dataset-missing", name=part.get("identifier"))
    return replace(item, templates=data.templates(), template_processing=data.processing())


def numeric_item(
    element: etree._Element, id: str, body: Text, answers: list[tuple[str, Fraction, etree._Element]],
    units: tuple[tuple[tuple[str, Fraction], ...], bool], common: dict[str, Any], notes: Notes,
) -> Item:  # fmt: skip
    data = read_data(element, notes)
    body = _fill(body, data)
    result = []
    for source, credit, answer in answers:
        if source.strip() == "*":
            result.append(Answer("*", credit, wildcard=True))
            continue
        node = formula.read(source.strip().lstrip("="))
        name = f"ANSWER{len(result) + 1}"
        data.formulas[name] = node
        tolerance = content(child(answer, "tolerance")).strip() or "0"
        kind = content(child(answer, "tolerancetype")).strip() or "2"
        try:
            margin = abs(exact(tolerance))
        except ValueError:
            raise ItemError("moodle-field", field="tolerance", value=tolerance) from None
        if kind == "3":
            notes.lose("tolerance-geometric")
        relative = kind in ("1", "3")
        result.append(Answer(f"[[{name}]]", credit, margin * 100 if relative else margin, relative))
    item = kinds.numeric(id, body, result, units=units[0], unit_required=units[1], **common)
    return _complete(item, data)


def choice_item(element: etree._Element, item: Item, notes: Notes) -> Item:
    data = read_data(element, notes)
    item = replace(
        item,
        body=_fill(item.body, data),
        interactions=tuple(
            replace(
                i,
                choices=tuple(
                    replace(c, text=_fill(c.text, data), why=_fill(c.why, data)) for c in i.choices
                ),
            )
            for i in item.interactions
        ),
        explanation=_fill(item.explanation, data),
    )
    return _complete(item, data)


def data_of(item: Item) -> Data | None:
    """The data of an item whose template processing has the form made here; None for any other."""
    if item.template_processing is None:
        return None
    values = {
        t.id.removesuffix("_VALUES"): list(t.default) for t in item.templates if t.id.endswith("_VALUES")
    }
    formulas: dict[str, Node] = {}
    for rule in item.template_processing.children:
        name = rule.get("identifier")
        if rule.name != "set-template-value" or len(rule.children) != 1:
            return None
        if name not in values and name != ROW:
            formulas[name] = rule.children[0]
    data = Data(values, formulas)
    same = data.processing() == item.template_processing and data.templates() == item.templates
    return data if same and values else None


def restore(text: Text, data: Data) -> Text:
    """[[a]] → {a}, [[F1]] → {=…}."""

    def change(source: str) -> str:
        for name in data.values:
            source = source.replace(f"[[{name}]]", "{" + name + "}")
        for name, node in data.formulas.items():
            if f"[[{name}]]" in source:
                source = source.replace(f"[[{name}]]", "{=" + formula.write(node) + "}")
        return source

    return text.map(change)
