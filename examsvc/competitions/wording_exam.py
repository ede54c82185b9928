"""Clauses on stages, parts, the hall, papers, marking and panels, in words."""

from __future__ import annotations

from examsvc.base.errors import N_
from examsvc.competitions.exam_clauses import (
    EssayPart,
    LateBand,
    ObjectivePart,
    PanelPart,
    Paper,
    PlanPart,
    Remedy,
    Sanction,
    Sitting,
    Stage,
    WitnessRules,
)
from examsvc.competitions.marking_clauses import (
    Discrepancy,
    DiscrepancyBand,
    MarkingScheme,
    OutlierRule,
    Panel,
    SheetCriterion,
    ThreeMarkStep,
)
from examsvc.competitions.wording import Words

STAGES = {
    "eligibility": N_("Files are examined criterion by criterion."),
    "documents": N_("Original documents are checked."),
    "examination": N_("An exam of these parts: %(parts)s."),
}
TIES_AT_THE_CUT = {
    "all-go-on": N_("equals at the last place all go on"),
    "tie-breaks": N_("the tie-breaks decide between equals at the last place"),
}
NEUTRALISED = {
    "redistribute": N_("The marks of a faulty question go to the other questions."),
    "full-marks": N_("Everybody gets the marks of a faulty question."),
    "drop": N_("A faulty question is left out and the maximum falls by its marks."),
}
PANEL_KINDS = {
    "defence": N_("Defence of a plan before a panel"),
    "interview": N_("Interview by a panel"),
    "simulation": N_("Simulation of the work before a panel"),
}
MODES = {
    "open": N_("open: without identification and supervision"),
    "controlled": N_("controlled: with identification, without supervision"),
    "supervised": N_("supervised: with identification and a supervisor"),
    "managed": N_("managed: in a hall with invigilators"),
}
CAUSES = {
    "server-outage": N_("failure of the server"),
    "machine-failure": N_("failure of a machine"),
    "power-cut": N_("power cut"),
    "disturbance": N_("disturbance in the hall"),
    "faulty-paper": N_("faulty paper"),
}
REMEDIES = {
    "none": N_("nothing is added"),
    "credit": N_("the lost time is added"),
    "new-sitting": N_("the candidate sits again with another paper"),
}
ACTIONS = {
    "mean": N_("the mean of the two is the mark"),
    "agree": N_("the two markers settle on one mark"),
    "agree-with-record": N_("the two markers settle on one mark and sign a record"),
    "head-decides": N_("%(head)s decides"),
    "third-mark": N_("a third marker marks independently"),
}
THREE = {
    "equal-pair": N_("two equal marks are the result"),
    "mean-of-three": N_("the mean of the three is the mark"),
    "third-final": N_("the third mark is the result"),
    "head-decides": N_("%(head)s decides"),
}
COMBINE = {
    "mean": N_("The panel's mark is the mean of its members' marks."),
    "trimmed-mean": N_("The panel's mark is the mean without the %(high)s highest and the %(low)s lowest marks."),
    "median": N_("The panel's mark is the median of its members' marks."),
}
OUTLIERS = {
    "report": N_("it is reported to the chair"),
    "explain-with-record": N_("the member explains it in writing and the mark stands"),
    "exclude": N_("it is left out of the result, unless no mark would remain"),
}


def stage(words: Words, clause: Stage) -> list[str]:
    parts = words.listed(words.label(part.label) for part in clause.parts)
    lines = [words.say(STAGES[clause.kind], parts=parts) if clause.parts else words.say(STAGES[clause.kind])]
    if clause.places_per_post is not None and clause.ties_at_the_cut is not None:
        lines.append(
            words.say(
                N_("At most %(places)s candidates for each post go on, the best first; %(ties)s."),
                places=clause.places_per_post,
                ties=words.say(TIES_AT_THE_CUT[clause.ties_at_the_cut]),
            )
        )
    return lines


def _time(words: Words, part: ObjectivePart | EssayPart | PlanPart | PanelPart) -> list[str]:
    if part.minutes is None:
        return [words.say(N_("Prepared before the exam and handed in."))]
    lines = [words.say(N_("Time: %(minutes)s minutes."), minutes=part.minutes)]
    if part.preparation_minutes:
        lines[0] = words.say(
            N_("Time: %(minutes)s minutes, after %(preparation)s minutes of preparation."),
            minutes=part.minutes,
            preparation=part.preparation_minutes,
        )
    return lines


def _marks(words: Words, part: ObjectivePart | EssayPart | PlanPart | PanelPart) -> list[str]:
    lines = [words.say(N_("Greatest mark: %(maximum)s."), maximum=part.maximum)]
    if part.pass_mark is not None:
        mark = words.pass_mark(part.pass_mark, part.maximum)
        lines.append(
            words.say(N_("To pass: %(mark)s. Whoever does not pass is out."), mark=mark)
            if part.hurdle
            else words.say(N_("Pass mark, without exclusion: %(mark)s."), mark=mark)
        )
    elif part.hurdle:
        lines.append(words.say(N_("The part must be passed.")))
    else:
        lines.append(words.say(N_("There is no pass mark of its own.")))
    if part.weight == 0:
        lines.append(words.say(N_("It only qualifies and does not count in the total.")))
    else:
        lines.append(words.say(N_("Weight in the total: %(weight)s."), weight=part.weight))
    if part.results_at_once:
        lines.append(words.say(N_("The candidate sees the result as soon as the part ends.")))
    else:
        lines.append(words.say(N_("The result is announced after the marks are locked.")))
    lines.append(
        words.say(N_("Re-marking can be asked for."))
        if part.appealable
        else words.say(N_("There is no re-marking of this part."))
    )
    return lines


def objective_part(words: Words, part: ObjectivePart) -> list[str]:
    shuffled = {
        (True, True): N_("Questions and options stand in another order for each candidate."),
        (True, False): N_("Questions stand in another order for each candidate."),
        (False, True): N_("Options stand in another order for each candidate."),
        (False, False): N_("Questions and options stand in the same order for everybody."),
    }[part.shuffle_items, part.shuffle_options]
    return [
        words.say(N_("Test on the computer, %(range)s questions, marked by the machine."), range=words.range(part.items)),
        *_time(words, part),
        *_marks(words, part),
        words.say(shuffled),
        words.say(NEUTRALISED[part.neutralised_item]),
    ]


def essay_part(words: Words, part: EssayPart) -> list[str]:
    copying = N_("Time for copying the questions counts.") if part.copying_counts else N_("Time for copying the questions does not count.")
    return [
        words.say(N_("Written on the computer, number of tasks: %(range)s."), range=words.range(part.tasks)),
        *_time(words, part),
        *_marks(words, part),
        words.say(N_("Marked blind: %(scheme)s."), scheme=words.named("scheme", part.marking)),
        words.say(copying),
        words.say(N_("The editor takes up to %(share)s above a word limit."), share=words.share(part.word_limit_margin)),
    ]


def plan_part(words: Words, part: PlanPart) -> list[str]:
    return [
        words.say(N_("The file is marked: %(file)s."), file=words.named("file", part.file)),
        *_time(words, part),
        *_marks(words, part),
        words.say(N_("Marked blind: %(scheme)s."), scheme=words.named("scheme", part.marking)),
    ]


def panel_part(words: Words, part: PanelPart) -> list[str]:
    lines = [
        words.say(
            N_("%(kind)s: %(panel)s."), kind=words.say(PANEL_KINDS[part.kind]), panel=words.named("panel", part.panel)
        ),
        *_time(words, part),
        words.say(
            N_("Of these %(presentation)s minutes to speak and %(questions)s minutes of questions."),
            presentation=part.presentation_minutes,
            questions=part.questions_minutes,
        ),
        *_marks(words, part),
    ]
    if part.file is not None:
        lines.append(words.say(N_("What is defended: %(file)s."), file=words.named("file", part.file)))
    lines.append(words.say(N_("The order of the candidates is drawn by lot.")))
    lines.append(
        words.say(N_("The public may listen.")) if part.observers else words.say(N_("The public may not listen."))
    )
    return lines


# ---------------------------------------------------------------- the hall


def sitting(words: Words, clause: Sitting) -> list[str]:
    return [
        words.say(N_("Administration: %(mode)s."), mode=words.say(MODES[clause.mode])),
        words.say(N_("All begin at the bell, whenever they sign in."))
        if clause.common_start
        else words.say(N_("Each candidate's time begins when he or she begins.")),
        words.say(
            N_("An answer that arrives within %(seconds)s seconds after the end counts. Later ones are kept and flagged; the council decides."),
            seconds=clause.grace_seconds,
        ),
        words.say(N_("Candidates may try a practice paper beforehand."))
        if clause.practice
        else words.say(N_("There is no practice paper.")),
        words.say(
            N_("In case of force majeure %(role)s may admit a late candidate, with a reason."),
            role=words.named("role", clause.late_exception_by),
        ),
        words.say(
            N_("Where a candidate refuses to sign a record, %(count)s candidates who sit near sign it."),
            count=clause.refusal_witnesses,
        )
        if clause.refusal_witnesses
        else words.say(N_("Where a candidate refuses to sign a record, nobody else signs it.")),
    ]


def late(words: Words, clause: LateBand) -> list[str]:
    return [
        words.say(
            N_("Length of the part in minutes: %(range)s. Whoever comes more than %(minutes)s minutes after the bell is not admitted."),
            range=words.range(clause.duration),
            minutes=clause.minutes,
        )
    ]


def sanction(words: Words, clause: Sanction) -> list[str]:
    lines = [
        words.say(N_("%(share)s of the mark of the part is taken away."), share=words.share(clause.deduction))
        if clause.deduction
        else words.say(N_("No mark is taken away."))
    ]
    if clause.ends_sitting:
        lines.append(words.say(N_("The candidate leaves the exam.")))
    if clause.annuls:
        lines.append(words.say(N_("The result is annulled.")))
    return [*lines, words.say(N_("Decided by: %(role)s."), role=words.named("role", clause.decided_by))]


def remedy(words: Words, clause: Remedy) -> list[str]:
    return [
        words.say(
            N_("%(cause)s, minutes lost: %(range)s. Then %(action)s. Decided by: %(role)s."),
            cause=_capital(words.say(CAUSES[clause.cause])),
            range=words.range(clause.lost),
            action=words.say(REMEDIES[clause.action]),
            role=words.named("role", clause.decided_by),
        )
    ]


def paper(words: Words, clause: Paper) -> list[str]:
    lines = [
        words.say(N_("A main and a spare paper are sealed.")) if clause.spare else words.say(N_("One paper is sealed.")),
        words.say(
            N_("Of %(custodians)s custodians %(threshold)s together can open it, at the earliest %(minutes)s minutes before the bell."),
            custodians=clause.custodians,
            threshold=clause.threshold,
            minutes=clause.opening_lead_minutes,
        ),
    ]
    if clause.rehearsal_days:
        lines.append(words.say(N_("The opening is rehearsed %(days)s days before."), days=clause.rehearsal_days))
    return lines


def witnesses(words: Words, clause: WitnessRules) -> list[str]:
    return [
        words.say(
            N_("%(quorum)s of these outside witnesses must have signed the log: %(names)s."),
            quorum=clause.quorum,
            names=words.listed(clause.names),
        )
    ]


# ---------------------------------------------------------------- marking


def scheme(words: Words, clause: MarkingScheme) -> list[str]:
    lines = [
        words.say(N_("Two markers mark each script independently; neither sees name, number or the other's mark."))
        if clause.markers == 2
        else words.say(N_("One marker marks each script, without name or number.")),
        words.say(N_("Marks are given in steps of %(step)s."), step=clause.mark_step),
    ]
    if clause.different_groups:
        lines.append(words.say(N_("The markers of one script come from different groups.")))
    if clause.joint_scripts:
        lines.append(
            words.say(N_("All markers first mark %(count)s scripts together, to agree on the scale."), count=clause.joint_scripts)
        )
    return lines


def discrepancy(words: Words, clause: Discrepancy) -> list[str]:
    head = words.named("role", clause.head)

    def span(band: DiscrepancyBand | ThreeMarkStep) -> str:
        found = band.difference if isinstance(band, DiscrepancyBand) else band.spread
        assert found is not None
        if clause.unit == "share":
            return words.say(N_("%(range)s of the maximum"), range=words.share_range(found))
        return words.say(N_("%(range)s marks"), range=words.range(found))

    lines = []
    for band in clause.bands:
        line = words.say(
            N_("Difference of the two marks: %(range)s. Then %(action)s."),
            range=span(band),
            action=words.say(ACTIONS[band.action], head=head),
        )
        if band.failing is not None:
            line += " " + words.say(N_("If they cannot agree: %(action)s."), action=words.say(ACTIONS[band.failing], head=head))
        lines.append(line)
    for number, step in enumerate(clause.three_marks, start=1):
        action = words.say(THREE[step.rule], head=head)
        if step.spread is None:
            lines.append(words.say(N_("Of three marks, step %(number)s: %(action)s."), number=number, action=action))
        else:
            lines.append(
                words.say(
                    N_("Of three marks, step %(number)s, when the greatest and the least differ by %(range)s: %(action)s."),
                    number=number,
                    range=span(step),
                    action=action,
                )
            )
    return lines


def panel(words: Words, clause: Panel) -> list[str]:
    lines = [
        words.say(
            N_("%(members)s members mark each candidate; of these at least %(external)s from outside the agency."),
            members=clause.members,
            external=clause.external_members,
        )
        if clause.external_members
        else words.say(N_("%(members)s members mark each candidate."), members=clause.members),
        words.say(N_("Substitutes in reserve: %(count)s. The size of the panel stays the same."), count=clause.substitutes)
        if clause.substitutes
        else words.say(N_("There are no substitutes.")),
        words.say(N_("Each member enters a sheet before seeing any other."))
        if clause.independent_entry
        else words.say(N_("Members may see each other's sheets while entering their own.")),
        words.say(N_("Marks are given in steps of %(step)s."), step=clause.mark_step),
        words.say(
            N_("The panel's mark is the mean without the highest and the lowest mark.")
            if clause.combine == "trimmed-mean" and clause.drop_highest == clause.drop_lowest == 1
            else COMBINE[clause.combine],
            high=clause.drop_highest,
            low=clause.drop_lowest,
        ),
    ]
    lines += outlier(words, clause.outlier)
    return lines + [line for criterion in clause.criteria for line in sheet(words, criterion)]


def outlier(words: Words, rule: OutlierRule | None) -> list[str]:
    if rule is None:
        return []
    return [
        words.say(
            N_("A member's mark more than %(distance)s marks from the mean of all: %(action)s."),
            distance=rule.distance,
            action=words.say(OUTLIERS[rule.action]),
        )
    ]


def sheet(words: Words, criterion: SheetCriterion) -> list[str]:
    line = words.say(
        N_("%(criterion)s: up to %(maximum)s marks."), criterion=words.label(criterion.label), maximum=criterion.maximum
    )
    if criterion.pass_mark is not None:
        line += " " + words.say(
            N_("To pass: %(mark)s."), mark=words.pass_mark(criterion.pass_mark, criterion.maximum)
        )
    for anchor in criterion.anchors:
        line += f" {_capital(words.range(anchor.marks))}: {words.label(anchor.label)}."
    return [line]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
