"""A regulation in the words of people: numbers, ranges, events and choices as a reader of one language says them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from examsvc.accounts.rules import RELATION_NAMES, ROLE_NAMES
from examsvc.base import language as languages
from examsvc.base.errors import N_
from examsvc.competitions.exam_clauses import PassMark
from examsvc.competitions.regulation import Regulation
from examsvc.competitions.terms import Interval, Label

EVENTS: Mapping[str, str] = {
    "regulation-pinned": N_("The regulation is pinned"),
    "notice-published": N_("The notice is published"),
    "applications-opened": N_("Applications open"),
    "applications-closed": N_("Applications close"),
    "eligibility-decided": N_("Eligibility is decided"),
    "eligible-list-published": N_("The list of eligible candidates is published"),
    "summons-sent": N_("Summonses are sent"),
    "room-plan-posted": N_("The room plan is posted"),
    "draw-made": N_("The draw is made"),
    "results-reported": N_("The results are reported"),
    "results-approved": N_("The results are approved"),
    "results-published": N_("The results are published"),
    "winner-file-completed": N_("The winners complete their files"),
    "winners-appointed": N_("The winners are appointed"),
    "competition-closed": N_("The competition ends"),
}
STAGE_EVENTS: Mapping[str, str] = {
    "stage-opened": N_("%(stage)s: opening"),
    "exam-started": N_("%(stage)s: beginning of the exam"),
    "exam-ended": N_("%(stage)s: end of the exam"),
    "marks-locked": N_("%(stage)s: marks are locked"),
    "stage-results-published": N_("%(stage)s: results of the stage are published"),
    "appeals-closed": N_("%(stage)s: the time to lodge it ends"),
    "appeals-decided": N_("%(stage)s: it is decided"),
    "kept-until": N_("Kept until (%(stage)s)"),
}
UNITS: Mapping[str, str] = {
    "hours": N_("%(count)s hours"),
    "calendar-days": N_("%(count)s days"),
    "working-days": N_("%(count)s working days"),
    "months": N_("%(count)s months"),
    "years": N_("%(count)s years"),
}
ONE: Mapping[str, str] = {
    "hours": N_("1 hour"),
    "calendar-days": N_("1 day"),
    "working-days": N_("1 working day"),
    "months": N_("1 month"),
    "years": N_("1 year"),
}


class Words:
    """One reader's language, and the regulation whose roles, parts and stages have names of their own."""

    def __init__(self, language: str, regulation: Regulation) -> None:
        self.language = language
        self.regulation = regulation
        self._labels: dict[str, dict[str, Label]] = {
            "role": {one.id: one.label for one in regulation.roles},
            "part": {one.id: one.label for one in regulation.parts},
            "stage": {one.id: one.label for one in regulation.stages},
            "channel": {one.id: one.label for one in regulation.appeals},
            "file": {one.id: one.label for one in regulation.files},
            "stream": {one.id: one.label for one in regulation.admission.streams},
            "level": {one.id: one.label for one in regulation.posts.levels},
            "panel": {one.id: one.label for one in regulation.panels},
            "scheme": {one.id: one.label for one in regulation.marking},
            "vote": {one.id: one.label for one in regulation.votes},
        }

    def say(self, text: str, **params: object) -> str:
        """A sentence of the program in this language, numbers as the language writes them."""
        return languages.sentence(self.language, text, **{name: self._spoken(value) for name, value in params.items()})

    def _spoken(self, value: object) -> object:
        return self.number(value) if isinstance(value, Fraction | int) and not isinstance(value, bool) else value

    def label(self, label: Label) -> str:
        return label.in_language(self.language)

    def number(self, value: Fraction | int) -> str:
        return languages.number(Fraction(value), self.language)

    def share(self, value: Fraction) -> str:
        """"50%" where that is exact and short, a fraction otherwise."""
        percent = value * 100
        return f"{self.number(percent)}%" if (percent * 10).denominator == 1 else self.number(value)

    def day(self, value: date) -> str:
        return languages.day(value)

    def listed(self, items: Iterable[str]) -> str:
        """Items with commas and a word before the last."""
        words = list(items)
        if len(words) < 2:
            return "".join(words)
        return self.say(N_("%(first)s and %(last)s"), first=", ".join(words[:-1]), last=words[-1])

    def named(self, kind: str, name: str) -> str:
        """The label of a role, part, stage, channel, file, stream, level, panel, scheme or vote; the name where it has none."""
        found = self._labels[kind].get(name)
        if found is not None:
            return self.label(found)
        return self.say(ROLE_NAMES[name]) if kind == "role" and name in ROLE_NAMES else name

    def names(self, kind: str, names: Iterable[str]) -> str:
        return self.listed(self.named(kind, name) for name in names)

    def relation(self, name: str) -> str:
        return self.say(RELATION_NAMES.get(name, name))

    def choices(self, texts: Mapping[str, str], values: Iterable[str]) -> str:
        """Values of a closed list, each by its word."""
        return self.listed(self.say(texts[value]) for value in values)

    def length(self, count: int, unit: str) -> str:
        return self.say(ONE[unit]) if count == 1 else self.say(UNITS[unit], count=count)

    def event(self, name: str) -> str:
        """An event of the calendar, with the title of its stage or channel; a rule's own event by the rule's label."""
        kind, _, of = name.partition(":")
        if kind in STAGE_EVENTS and of:
            where = next((self.named(k, of) for k in ("stage", "channel") if of in self._labels[k]), of)
            return self.say(STAGE_EVENTS[kind], stage=where)
        if kind in EVENTS:
            return self.say(EVENTS[kind])
        rule = next((one for one in self.regulation.calendar.deadlines if one.event == name), None)
        return self.label(rule.label) if rule is not None else name

    def range(self, interval: Interval) -> str:
        """A range in words: "from 10 to 40", "more than 20", "below 5"."""
        low, high = self.number(interval.lower), None if interval.upper is None else self.number(interval.upper)
        if high is None:
            return self.say(N_("%(low)s or more") if interval.lower_closed else N_("more than %(low)s"), low=low)
        if interval.lower == interval.upper:
            return low
        if interval.lower == 0 and interval.lower_closed:
            return self.say(N_("at most %(high)s") if interval.upper_closed else N_("below %(high)s"), high=high)
        texts = {
            (True, True): N_("from %(low)s to %(high)s"),
            (True, False): N_("from %(low)s to below %(high)s"),
            (False, True): N_("above %(low)s, at most %(high)s"),
            (False, False): N_("above %(low)s and below %(high)s"),
        }
        return self.say(texts[interval.lower_closed, interval.upper_closed], low=low, high=high)

    def share_range(self, interval: Interval) -> str:
        """A range of shares of a whole in words."""
        low = self.share(interval.lower)
        if interval.upper is None or interval.upper == 1:
            if interval.lower == 1:
                return self.say(N_("all"))
            return self.say(N_("%(low)s or more") if interval.lower_closed else N_("more than %(low)s"), low=low)
        high = self.share(interval.upper)
        if interval.lower == interval.upper:
            return self.say(N_("exactly %(low)s"), low=low)
        if interval.lower == 0 and interval.lower_closed:
            return self.say(N_("at most %(high)s") if interval.upper_closed else N_("below %(high)s"), high=high)
        return f"{low}–{high}"

    def pass_mark(self, rule: PassMark, maximum: Fraction) -> str:
        """"at least 50% of the maximum (20 marks)"."""
        marks = self.number(rule.marks(maximum))
        if rule.of == "maximum":
            text = (
                N_("at least %(share)s of the maximum, that is %(marks)s")
                if rule.boundary == "at-least"
                else N_("more than %(share)s of the maximum, that is more than %(marks)s")
            )
            return self.say(text, share=self.share(rule.at), marks=marks)
        text = N_("at least %(marks)s") if rule.boundary == "at-least" else N_("more than %(marks)s")
        return self.say(text, marks=marks)
