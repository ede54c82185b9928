"""Reading an assessment test of QTI 2 or 3."""

from fractions import Fraction

from lxml import etree

from question_banks.intake import slug
from question_banks.limits import Limits
from question_banks.markup import Text, markdown_of_plain, normal
from question_banks.papers import ItemReference, Section, Test, TestPart, TimeLimits
from question_banks.problems import ItemError, declare
from question_banks.qti.elements import first, flag, get, inner, language, name, real, required, whole

declare({"test-part": "The test has no {what}."})

_SECTION_PARTS = ("assessment-section", "assessment-item-ref")


def read_test(root: etree._Element, limits: Limits) -> Test:
    """The test; ItemError when it is wrong or refers to sections in other files."""
    tongue = language(root) or "vi"
    parts = tuple(
        TestPart(
            required(part, "identifier"), get(part, "navigation-mode", "nonlinear"), get(part, "submission-mode", "individual"),
            tuple(_section(section, tongue, limits, 0) for section in inner(part, "assessment-section")), _time(part),
        )
        for part in inner(root, "test-part")
    )  # fmt: skip
    if not parts:
        raise ItemError("test-part", what="parts")
    test = Test(slug(required(root, "identifier"), 200), _title(root, tongue), parts, _time(root))
    if sum(1 for _ in test.items()) > limits.items:
        raise ItemError("too-many", field="items", number="more", most=limits.items)
    return test


def _title(element: etree._Element, tongue: str) -> Text:
    return Text.of({tongue: markdown_of_plain(normal(get(element, "title")))})


def _time(element: etree._Element) -> TimeLimits:
    found = first(element, "time-limits")
    if found is None:
        return TimeLimits()
    return TimeLimits(
        real(found, "min-time"), real(found, "max-time"), flag(found, "allow-late-submission", False)
    )


def _section(element: etree._Element, tongue: str, limits: Limits, depth: int) -> Section:
    if depth > limits.depth:
        raise ItemError("processing-too-deep", most=limits.depth)
    selection, ordering = first(element, "selection"), first(element, "ordering")
    if first(element, "assessment-section-ref") is not None:
        raise ItemError("qti-include", element="assessment-section-ref")
    return Section(
        required(element, "identifier"), _title(element, tongue),
        tuple(
            _section(part, tongue, limits, depth + 1) if name(part) == "assessment-section" else _reference(part)
            for part in inner(element, *_SECTION_PARTS)
        ),
        None if selection is None else whole(selection, "select", 1),
        selection is not None and flag(selection, "with-replacement", False),
        ordering is not None and flag(ordering, "shuffle", False),
        flag(element, "keep-together", True), flag(element, "required", False), flag(element, "fixed", False),
        flag(element, "visible", True), _time(element),
    )  # fmt: skip


def _reference(element: etree._Element) -> ItemReference:
    weight = first(element, "weight")
    value = real(weight, "value") if weight is not None else None
    return ItemReference(
        required(element, "identifier"), required(element, "href"), Fraction(1) if value is None else value,
        flag(element, "required", False), flag(element, "fixed", False), tuple(get(element, "category").split()), _time(element),
    )  # fmt: skip
