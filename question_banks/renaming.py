"""Changes to every text, or to every identifier, of an item."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from question_banks.declarations import Choice, Interaction, MapEntry, Node, ResponseDeclaration, Rule
from question_banks.markup import PLACEHOLDER, Text
from question_banks.model import Item

Names = Mapping[str, str]


def renamed(item: Item, responses: Names, choices: Mapping[str, Names]) -> Item:
    """`item` with its responses renamed, and the choices of each response (by its old name); `processing` as well."""

    def words(text: str, names: Names) -> str:
        return " ".join(names.get(word, word) for word in text.split(" "))

    def choice(c: Choice, names: Names) -> Choice:
        return replace(c, id=names.get(c.id, c.id))

    def interaction(i: Interaction) -> Interaction:
        names = choices.get(i.response, {})
        return replace(
            i,
            response=responses.get(i.response, i.response),
            prompt=i.prompt.map(lambda text: PLACEHOLDER.sub(lambda m: f"[[{names.get(m[1], m[1])}]]", text)),
            choices=tuple(choice(c, names) for c in i.choices),
            targets=tuple(choice(c, names) for c in i.targets),
        )

    def declaration(r: ResponseDeclaration) -> ResponseDeclaration:
        names = choices.get(r.id, {}) if r.base in ("identifier", "pair", "directedPair") else {}
        mapping = r.mapping
        if mapping is not None and names:
            entries = tuple(MapEntry(words(e.key, names), e.value, e.case) for e in mapping.entries)
            mapping = replace(mapping, entries=entries)
        return replace(
            r, id=responses.get(r.id, r.id), correct=tuple(words(v, names) for v in r.correct), mapping=mapping,
            default=tuple(words(v, names) for v in r.default),
        )  # fmt: skip

    def rule(r: Rule) -> Rule:
        names = choices.get(r.response, {}) if r.method == "credits" else {}
        answers = tuple(replace(a, value=words(a.value, names)) for a in r.answers)
        return replace(r, response=responses.get(r.response, r.response), answers=answers)

    every = {old: new for names in choices.values() for old, new in names.items()}

    def node(n: Node | None) -> Node | None:
        if n is None:
            return None
        attributes = tuple((k, responses.get(v, v) if k == "identifier" else v) for k, v in n.attributes)
        identifiers = n.name == "base-value" and n.get("base-type") in ("identifier", "pair", "directedPair")
        text = words(n.text.strip(), every) if identifiers else n.text
        inner = tuple(done for child in n.children if (done := node(child)) is not None)
        return Node(n.name, attributes, inner, text)

    return replace(
        item,
        body=item.body.map(lambda text: PLACEHOLDER.sub(lambda m: f"[[{responses.get(m[1], m[1])}]]", text)),
        interactions=tuple(interaction(i) for i in item.interactions),
        responses=tuple(declaration(r) for r in item.responses),
        rules=tuple(rule(r) for r in item.rules),
        processing=node(item.processing),
        template_processing=node(item.template_processing),
    )


def with_texts(item: Item, change: Callable[[Text], Text]) -> Item:
    """`item` with `change` done to each of its texts, shown or hidden."""

    def choice(c: Choice) -> Choice:
        picture = c.picture and replace(c.picture, alternative=change(c.picture.alternative))
        return replace(c, text=change(c.text), why=change(c.why), picture=picture)

    def interaction(i: Interaction) -> Interaction:
        return replace(
            i,
            prompt=change(i.prompt),
            unit=change(i.unit),
            choices=tuple(choice(c) for c in i.choices),
            targets=tuple(choice(c) for c in i.targets),
            picture=i.picture and replace(i.picture, alternative=change(i.picture.alternative)),
        )

    return replace(
        item,
        body=change(item.body),
        explanation=change(item.explanation),
        guide=change(item.guide),
        interactions=tuple(interaction(i) for i in item.interactions),
        rules=tuple(
            replace(rule, answers=tuple(replace(a, feedback=change(a.feedback)) for a in rule.answers))
            for rule in item.rules
        ),
        rubric=tuple(
            replace(
                c,
                title=change(c.title),
                levels=tuple(replace(level, text=change(level.text)) for level in c.levels),
            )
            for c in item.rubric
        ),
        metadata=replace(item.metadata, title=change(item.metadata.title)),
    )
