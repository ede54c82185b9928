"""The charts of the review: each with the sentence above it, the picture, and the table one keypress away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from examsvc.base import charts
from examsvc.base.charts import Axis, Bar, Dot, Estimate, Pair, Reference
from examsvc.base.errors import N_
from examsvc.base.language import sentence
from examsvc.competitions.regulation import Regulation
from examsvc.results.appraisal import Agreement, Appraisal, Evidence, Marking, PostQuality, Test, TestQuality
from examsvc.results.wording import CONCERNS, VERDICTS, figure, percent, say


@dataclass(frozen=True)
class Figure:
    """``sentence`` says what the picture shows; ``rows`` are the same numbers under ``head``, the first column a heading."""

    sentence: str
    picture: Markup
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Illustrator:
    """Draws for one reader: his language and the regulation's names."""

    def __init__(self, regulation: Regulation, language: str) -> None:
        self.regulation = regulation
        self.language = language

    def say(self, text: str, **params: object) -> str:
        return sentence(self.language, text, **params)

    def number(self, value: float, digits: int = 3) -> str:
        return figure(value, self.language, digits)

    def part(self, name: str) -> str:
        return self.regulation.part(name).label.in_language(self.language)

    def axis(self, low: float, high: float) -> Axis:
        return Axis(low, high, tuple((one, figure(one, self.language)) for one in charts.round_ticks(low, high)))

    def between(self, low: float, high: float) -> str:
        return self.say(N_("%(low)s to %(high)s"), low=self.number(low, 2), high=self.number(high, 2))

    # ---------------------------------------------------------------- order

    def order(self, evidence: Evidence, quality: PostQuality) -> Figure | None:
        """Totals with their errors, best first."""
        found = quality.uncertainty
        if found is None:
            return None
        of = {one.number: one for one in evidence.standings}
        place = sorted(range(len(found.names)), key=lambda i: of[found.names[i]].rank)
        half = 1.96 * found.standard_error
        low, high = float((found.score - half).min()), float((found.score + half).max())
        margin = max(1.0, (high - low) * 0.04)
        rows = [
            Estimate(
                found.names[i],
                float(found.score[i]),
                float(found.score[i] - half[i]),
                float(found.score[i] + half[i]),
                self.number(float(found.score[i]), 4) + (" ★" if of[found.names[i]].chosen else ""),
            )
            for i in place
        ]
        groups = [group for group in found.groups if len(group) > 1]
        if groups:
            text = self.say(
                N_("Cannot be told apart at 95 %%: %(groups)s."), groups="; ".join(", ".join(group) for group in groups)
            )
        else:
            text = self.say(N_("Every candidate can be told apart from every other at 95 %."))
        return Figure(
            text,
            charts.intervals(text, rows, self.axis(low - margin, high + margin)),
            (
                self.say(N_("Candidate number")),
                self.say(N_("Total")),
                self.say(N_("Standard error")),
                self.say(N_("Rank could be")),
                self.say(N_("Probability of being the best")),
            ),
            tuple(
                (
                    found.names[i],
                    self.number(float(found.score[i]), 4),
                    self.number(float(found.standard_error[i]), 2),
                    f"{found.rank_interval[i][0]}–{found.rank_interval[i][1]}",
                    percent(float(found.first[i]), self.language),
                )
                for i in place
            ),
        )

    def composition(self, evidence: Evidence, post: str) -> Figure | None:
        """What each part gave to the totals."""
        field = sorted((one for one in evidence.standings if one.post == post), key=lambda one: one.rank)
        if not field or not evidence.parts or len(evidence.parts) > len(charts.HUES):
            return None
        names = [self.part(part) for part in evidence.parts]
        top = max(float(self.regulation.total.maximum), max(one.total for one in field))
        rows = [
            Bar(one.number, tuple((value, self.number(value)) for value in one.contributions), self.number(one.total, 4))
            for one in field
        ]
        text = self.say(N_("What each part gave to the total of the ranked candidates."))
        rule = self.regulation.total.pass_mark
        references = [Reference(float(rule.marks(self.regulation.total.maximum)), self.say(N_("pass mark")))] if rule else []
        return Figure(
            text,
            charts.bars(text, rows, self.axis(0, top), names, references),
            (self.say(N_("Candidate number")), *names, self.say(N_("Total"))),
            tuple(
                (one.number, *(self.number(value, 4) for value in one.contributions), self.number(one.total, 4))
                for one in field
            ),
        )

    def spread(self, part: str, marks: Sequence[tuple[str, float]], chosen: frozenset[str]) -> Figure | None:
        """Everybody's mark of one part, with the pass mark."""
        if not marks:
            return None
        rule, maximum = self.regulation.part(part).pass_mark, self.regulation.part(part).maximum
        values = sorted(value for _, value in marks)
        middle = values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
        references = [Reference(float(rule.marks(maximum)), self.say(N_("pass mark")))] if rule else []
        if rule is not None:
            least = float(rule.marks(maximum))
            below = sum(1 for value in values if value < least or (value == least and rule.boundary == "more-than"))
            text = self.say(
                N_("%(part)s: half of the marks are %(middle)s or more; %(below)d of %(all)d did not reach the pass mark."),
                part=self.part(part),
                middle=self.number(middle),
                below=below,
                all=len(values),
            )
        else:
            text = self.say(N_("%(part)s: half of the marks are %(middle)s or more."), part=self.part(part), middle=self.number(middle))
        dots = [Dot(value, number, number in chosen) for number, value in marks]
        return Figure(
            text,
            charts.distribution(text, dots, self.axis(0, float(maximum)), references),
            (self.say(N_("Candidate number")), self.say(N_("Mark"))),
            tuple((number, self.number(value, 4)) for number, value in sorted(marks, key=lambda one: (-one[1], one[0]))),
        )

    # ---------------------------------------------------------------- markers

    def double_marks(self, marking: Marking) -> Figure | None:
        """First against second mark of the same script."""
        pairs = []
        for number, values in marking.rows:
            there = [value for value in values if value is not None]
            if len(there) >= 2:
                pairs.append((number, there[0], there[1]))
        if not pairs or marking.together:
            return None
        band = marking.maximum / 10
        far = sum(1 for _, first, second in pairs if abs(first - second) > band + 1e-9)
        text = self.say(
            N_("%(part)s: on the line both marks are equal; %(far)d of %(all)d pairs differ by more than a tenth of the maximum (broken lines)."),
            part=self.part(marking.part),
            far=far,
            all=len(pairs),
        )
        points = [Pair(first, second, number, abs(first - second) > band + 1e-9) for number, first, second in pairs]
        one, other = self.say(N_("one mark")), self.say(N_("the other mark"))
        return Figure(
            text,
            charts.pairs(text, points, self.axis(0, marking.maximum), one, other, band),
            (self.say(N_("Candidate number")), one, other, self.say(N_("Difference"))),
            tuple(
                (number, self.number(first, 4), self.number(second, 4), self.number(abs(first - second)))
                for number, first, second in pairs
            ),
        )

    def agreement(self, agreement: Agreement) -> list[tuple[str, str]]:
        """How far the markers agree, as (name, value with its 95 % interval): what the scripts allow to say, and nothing else."""
        if not agreement.scripts:
            return []
        share, low, high = agreement.within
        found = [
            (self.say(N_("Scripts or hearings with two marks or more")), str(agreement.scripts)),
            (self.say(N_("Mean distance between highest and lowest mark")), self.number(agreement.mean_difference)),
            (
                self.say(N_("Within a tenth of the maximum")),
                f"{percent(share, self.language)} ({percent(low, self.language)} – {percent(high, self.language)})",
            ),
        ]
        if agreement.coefficient is None:
            value = self.say(N_("cannot be estimated from so few"))
        elif agreement.interval is None or agreement.interval[0] != agreement.interval[0]:
            value = self.number(agreement.coefficient, 2)
        else:
            value = f"{self.number(agreement.coefficient, 2)} ({self.between(*agreement.interval)})"
        return [*found, (self.say(N_("Agreement of a single mark (intraclass correlation, 95 % interval)")), value)]

    def severity(self, agreement: Agreement) -> Figure | None:
        """How much higher or lower each marker marks than the others."""
        known = [one for one in agreement.severities if one.interval is not None]
        if not known:
            return None
        reach = max(max(abs(one.interval[0]), abs(one.interval[1])) for one in known if one.interval) * 1.05 or 1.0
        rows = [
            Estimate(
                one.marker,
                one.difference,
                one.interval[0] if one.interval else None,
                one.interval[1] if one.interval else None,
                ("+" if one.difference > 0 else "") + self.number(one.difference, 2),
                one.clear,
            )
            for one in agreement.severities
        ]
        clear = [one for one in known if one.clear]
        text = (
            self.say(
                N_("%(part)s: %(markers)s mark clearly higher or lower than the others do; the other differences may be chance."),
                part=self.part(agreement.part),
                markers=", ".join(one.marker for one in clear),
            )
            if clear
            else self.say(
                N_("%(part)s: no marker is clearly more severe or lenient than the others; so few scripts may hide a difference as long as the lines."),
                part=self.part(agreement.part),
            )
        )
        return Figure(
            text,
            charts.intervals(text, rows, self.axis(-reach, reach), [Reference(0, self.say(N_("as the others")))]),
            (self.say(N_("Marker")), self.say(N_("Times")), self.say(N_("Mean difference")), self.say(N_("95 % interval"))),
            tuple(
                (
                    one.marker,
                    str(one.scripts),
                    self.number(one.difference, 2),
                    self.between(*one.interval) if one.interval else "–",
                )
                for one in agreement.severities
            ),
        )

    # ---------------------------------------------------------------- items

    def items(self, test: Test, quality: TestQuality) -> tuple[Figure, ...]:
        """Difficulty and discrimination of every question, with intervals."""
        analysis = quality.analysis
        if analysis is None:
            return ()
        words = [
            ", ".join(say(self.language, VERDICTS, v.code, v.names, v.numbers) for v in verdicts if v.code in VERDICTS)
            for verdicts in analysis.verdicts
        ]
        head = (
            self.say(N_("Question")),
            self.say(N_("Topic")),
            self.say(N_("Solved")),
            self.say(N_("95 % interval")),
            self.say(N_("Discrimination")),
            self.say(N_("95 % interval")),
            self.say(N_("Reading")),
        )
        rows = tuple(
            (
                item,
                test.topics[j],
                percent(float(analysis.difficulty[j]), self.language),
                self.between(float(analysis.difficulty_interval[j][0]), float(analysis.difficulty_interval[j][1])),
                self.number(float(analysis.item_rest[j]), 2),
                self.between(float(analysis.item_rest_interval[j][0]), float(analysis.item_rest_interval[j][1])),
                words[j],
            )
            for j, item in enumerate(analysis.items)
        )
        order = sorted(range(len(analysis.items)), key=lambda j: float(analysis.difficulty[j]))
        easy = self.say(
            N_("%(part)s: share of the marks that candidates earned on each question, the hardest first."),
            part=self.part(test.part),
        )
        reversed_ = [
            analysis.items[j] for j in order if any(v.code == "item.reversed" for v in analysis.verdicts[j])
        ]
        sharp = (
            self.say(
                N_("%(part)s: better candidates did worse on the questions %(items)s; look at them one by one."),
                part=self.part(test.part),
                items=", ".join(reversed_),
            )
            if reversed_
            else self.say(
                N_("%(part)s: on no question did better candidates clearly do worse. With %(n)d candidates the intervals are wide."),
                part=self.part(test.part),
                n=quality.persons,
            )
        )
        name = self.say(N_("Question"))
        zero_to_one = Axis(0, 1, tuple((one, percent(one, self.language)) for one in (0, 0.25, 0.5, 0.75, 1)))
        difficulty = [
            Estimate(
                f"{name} {analysis.items[j]}",
                float(analysis.difficulty[j]),
                float(analysis.difficulty_interval[j][0]),
                float(analysis.difficulty_interval[j][1]),
                percent(float(analysis.difficulty[j]), self.language),
            )
            for j in order
        ]
        discrimination = [
            Estimate(
                f"{name} {analysis.items[j]}",
                None if float(analysis.item_rest[j]) != float(analysis.item_rest[j]) else float(analysis.item_rest[j]),
                float(analysis.item_rest_interval[j][0]),
                float(analysis.item_rest_interval[j][1]),
                self.number(float(analysis.item_rest[j]), 2),
                any(v.code == "item.reversed" for v in analysis.verdicts[j]),
            )
            for j in order
        ]
        return (
            Figure(easy, charts.intervals(easy, difficulty, zero_to_one), head, rows),
            Figure(
                sharp,
                charts.intervals(sharp, discrimination, self.axis(-1, 1), [Reference(0, self.say(N_("no difference")))]),
                head,
                rows,
            ),
        )


def concerns(appraisal: Appraisal, regulation: Regulation, language: str, role_names: dict[str, str]) -> list[tuple[str, str, str]]:
    """(weight, sentence, anchor) of every concern, in order."""
    found: list[tuple[str, str, str]] = []
    for one in appraisal.concerns:
        names = dict(one.names)
        if "part" in names:
            names["part"] = regulation.part(names["part"]).label.in_language(language)
        if "role" in names:
            names["role"] = role_names.get(names["role"], names["role"])
        found.append((one.weight, say(language, CONCERNS, one.code, names, one.numbers), one.anchor))
    return found
