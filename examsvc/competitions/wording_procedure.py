"""Clauses on deadlines, appeals, decisions, retention and the people who act, in words."""

from __future__ import annotations

from examsvc.base.errors import N_
from examsvc.competitions.board_clauses import Approval, Council, Relations, Role, RoleConflicts, VoteRule
from examsvc.competitions.composition import GROUPS
from examsvc.competitions.draw_clauses import DrawRule, OutsideValue
from examsvc.competitions.procedure_clauses import (
    AppealChannel,
    DeadlineRule,
    HolidayYear,
    Intervention,
    ReMark,
    Retention,
    Window,
)
from examsvc.competitions.wording import Words

WEEKDAYS = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)
DRAWN = {
    "assembly": N_("Which questions stand in the paper"),
    "seats": N_("Who sits where"),
    "allocation": N_("Who marks which script"),
    "order": N_("Order of the hearings"),
    "lots": N_("Lots between equals"),
}
ROLLS = {
    "none": "",
    "next-working-day": N_("A day that is not a working day moves to the next one."),
    "previous-working-day": N_("A day that is not a working day moves to the one before."),
}
CHANNEL_KINDS = {
    "question-complaint": N_("It contests a question."),
    "re-mark": N_("It asks for a new marking."),
    "review": N_("It asks for a review."),
    "complaint": N_("It contests a decision."),
    "denunciation": N_("It reports a breach of the law."),
}
EFFECTS = {
    "neutralise-item": N_("the question is neutralised"),
    "replace-mark": N_("the mark is replaced"),
    "re-admit": N_("the candidate is admitted again"),
    "correct-record": N_("the record is corrected"),
    "annul": N_("what was wrong is annulled"),
    "repeat-part": N_("the part is held again"),
    "refer": N_("it is handed to the competent body"),
}
INTERVENTIONS = {
    "postpone": N_("Postpone"),
    "suspend": N_("Suspend"),
    "resume": N_("Resume"),
    "annul": N_("Annul"),
    "correct": N_("Correct"),
}
SCOPES = {
    "competition": N_("the whole competition"),
    "post": N_("one post"),
    "sitting": N_("one sitting"),
    "part": N_("one part"),
}
DATA = {
    "papers": N_("Exam papers"),
    "answers": N_("Answers"),
    "results": N_("Results"),
    "files-of-unsuccessful": N_("Files of candidates who were not chosen"),
    "files-of-winners": N_("Files of the winners"),
    "accommodations": N_("Requests for arrangements"),
    "log": N_("The log"),
}
THEN = {"erase": N_("erased"), "anonymise": N_("made anonymous"), "archive": N_("handed to the archive")}
HELD = {
    "open-appeal": N_("an open appeal"),
    "archive-duty": N_("a duty of the archive"),
    "court-case": N_("a court case"),
}
STEPS = {
    "pin-regulation": N_("Pin the regulation"),
    "publish-notice": N_("Publish the notice"),
    "grant-role": N_("Grant a role"),
    "admit-late-candidate": N_("Admit a late candidate"),
    "approve-paper": N_("Approve a paper"),
    "open-paper": N_("Open the paper"),
    "open-spare-paper": N_("Open the spare paper"),
    "change-after-lock": N_("Change something after the lock"),
    "unblind": N_("Open the map of codes"),
    "approve-results": N_("Approve the results"),
    "publish-results": N_("Publish the results"),
    "intervene": N_("Postpone, suspend, resume, annul, correct"),
    "recover-account": N_("Let somebody begin anew who cannot sign in"),
    "erase": N_("Erase personal data"),
    "hold-draw": N_("Hold a draw"),
    "lock-marks": N_("Lock the marks"),
    "reallocate-script": N_("Give a script to another marker"),
    "replace-panel-member": N_("Replace a member of a panel"),
    "grant-time": N_("Add time"),
    "impose-sanction": N_("Impose a sanction"),
    "count-late-answers": N_("Decide on late answers"),
    "decide-eligibility": N_("Decide on eligibility"),
    "decide-accommodation": N_("Decide on arrangements"),
}
DENOMINATORS = {
    "summoned": N_("those summoned"),
    "members": N_("all members"),
    "present": N_("those present"),
    "issued": N_("the ballots handed out"),
    "valid": N_("the valid votes"),
}
COUNTED = {
    "for": N_("votes in favour"),
    "each-name": N_("votes for each name"),
    "low-confidence": N_("votes of low confidence"),
}
OUTCOMES = {
    "carried": N_("carried"),
    "rejected": N_("rejected"),
    "chair-side-carries": N_("the chair's side carries"),
    "head-decides": N_("the head decides"),
    "authority-decides": N_("the authority decides"),
    "next-ballot": N_("another ballot is held"),
    "no-consequence": N_("nothing follows"),
    "leaves-planning": N_("the person leaves the planning list"),
    "dismissal-proceedings": N_("proceedings for dismissal begin"),
}


def draw(words: Words, clause: DrawRule) -> list[str]:
    if clause.method == "none":
        return [
            words.say(N_("No draw: the question setter chooses the number from which the papers are drawn."))
            if clause.id == "assembly"
            else words.say(N_("No draw: places are given out in the order of the list of candidates."))
        ]
    if clause.method == "server":
        return [
            words.say(N_("The computer draws at once. Everybody can repeat the draw; that whoever runs the computer did not try several cannot be shown."))
        ]
    return [
        words.say(
            N_("Each of these people gives a secret number from a machine of his own: %(roles)s."),
            roles=words.names("role", clause.participants) or "–",
        ),
        *(outside(words, clause.outside) if clause.outside is not None else []),
    ]


def outside(words: Words, clause: OutsideValue) -> list[str]:
    return [
        words.say(
            N_("To these numbers comes an outside value that nobody here can choose: %(what)s. It is published by %(publisher)s and read there: %(place)s."),
            what=words.label(clause.what),
            publisher=words.label(clause.publisher),
            place=words.label(clause.place),
        ),
        words.say(
            N_("It comes out at %(time)s (%(zone)s) on: %(days)s. A draw is announced at least %(lead)s before; two people read the value, each alone."),
            time=f"{clause.hour:02}:{clause.minute:02}",
            zone=clause.zone,
            days=words.listed(words.say(WEEKDAYS[day - 1]) for day in clause.days) or "–",
            lead=words.length(clause.lead_hours, "hours"),
        ),
    ]


def deadline(words: Words, rule: DeadlineRule) -> list[str]:
    event, base = words.event(rule.event), words.event(rule.base)
    texts = {
        ("at-latest", "after"): N_("%(event)s: at the latest %(length)s after: %(base)s."),
        ("at-latest", "before"): N_("%(event)s: at the latest %(length)s before: %(base)s."),
        ("at-earliest", "after"): N_("%(event)s: at the earliest %(length)s after: %(base)s."),
        ("at-earliest", "before"): N_("%(event)s: at the earliest %(length)s before: %(base)s."),
    }
    text = texts[rule.bound, rule.direction]
    if rule.offset is not None:
        lines = [words.say(text, event=event, length=words.length(rule.offset, rule.unit), base=base)]
    else:
        lines = [
            words.say(text, event=event, length=words.length(band.offset, rule.unit), base=base)
            + " "
            + words.say(N_("This holds for %(range)s applicants."), range=words.range(band.applicants))
            for band in rule.by_applicants
        ]
    return lines + ([words.say(ROLLS[rule.roll])] if ROLLS[rule.roll] else [])


def weekend(words: Words) -> str:
    """The sentence on days off in every week, which stands in no clause."""
    days = words.listed(words.say(WEEKDAYS[day - 1]) for day in words.regulation.calendar.weekend)
    return words.say(N_("Days off in every week: %(days)s."), days=days or "–")


def holidays(words: Words, clause: HolidayYear) -> list[str]:
    lines = [f"{words.day(one.day)}: {words.label(one.label)}" for one in clause.holidays]
    if clause.working:
        lines.append(
            words.say(N_("Worked to make up: %(days)s."), days=words.listed(words.day(day) for day in clause.working))
        )
    return lines


def window(words: Words, rule: Window) -> str:
    return words.say(
        N_("%(length)s after: %(event)s"), length=words.length(rule.length, rule.unit), event=words.event(rule.after)
    )


def appeal(words: Words, clause: AppealChannel) -> list[str]:
    lines = [words.say(CHANNEL_KINDS[clause.kind])]
    if clause.parts:
        lines.append(words.say(N_("Open for: %(parts)s."), parts=words.names("part", clause.parts)))
    lines.append(
        words.say(N_("To be lodged within %(window)s."), window=window(words, clause.window))
        if clause.window
        else words.say(N_("It can be lodged at any time."))
    )
    if clause.decided_within:
        lines.append(words.say(N_("Decided within %(window)s."), window=window(words, clause.decided_within)))
    lines.append(words.say(N_("Decided by: %(role)s."), role=words.named("role", clause.decided_by)))
    lines.append(words.say(N_("If it is well founded: %(effects)s."), effects=words.choices(EFFECTS, clause.effects)))
    if clause.holds_publication:
        lines.append(words.say(N_("The final list waits for it.")))
    return lines + (re_mark(words, clause.re_mark) if clause.re_mark else [])


def re_mark(words: Words, rule: ReMark) -> list[str]:
    lines = [
        words.say(
            N_("Two re-markers mark independently; the new mark replaces the old one when it differs by %(marks)s or more.")
            if rule.markers == 2
            else N_("One re-marker marks; the new mark replaces the old one when it differs by %(marks)s or more."),
            marks=rule.replaces_from,
        ),
        words.say(N_("Earlier marks and markers are hidden."))
        if rule.hide_previous
        else words.say(N_("Earlier marks are shown to the re-markers.")),
        words.say(N_("The new mark may also be lower."))
        if rule.may_lower
        else words.say(N_("The new mark is never lower.")),
    ]
    if rule.dialogue_from is not None:
        lines.append(
            words.say(
                N_("When it differs by %(marks)s or more, the markers talk, with a record."), marks=rule.dialogue_from
            )
        )
    if rule.third_if_different:
        lines.append(words.say(N_("A third re-marker is asked when the two differ.")))
    return lines


def intervention(words: Words, clause: Intervention) -> list[str]:
    return [
        words.say(
            N_("It may concern: %(scopes)s. Decided, with a written reason, by: %(role)s."),
            scopes=words.choices(SCOPES, clause.scopes),
            role=words.named("role", clause.decided_by),
        )
    ]


def retention(words: Words, clause: Retention) -> list[str]:
    data = words.say(DATA[clause.data])
    if clause.months is None:
        lines = [words.say(N_("%(data)s: kept without end."), data=data)]
    else:
        lines = [
            words.say(
                N_("%(data)s: kept for %(months)s months after: %(event)s. Then %(then)s."),
                data=data,
                months=clause.months,
                event=words.event(clause.after),
                then=words.say(THEN[clause.then]),
            )
        ]
    if clause.held_by:
        lines.append(words.say(N_("Put off by %(causes)s."), causes=words.choices(HELD, clause.held_by)))
    return lines


# ---------------------------------------------------------------- people


def role(words: Words, clause: Role) -> list[str]:
    lines = [
        words.say(N_("At least %(people)s people."), people=clause.people)
        if clause.people > 1
        else words.say(N_("At least one person."))
        if clause.people
        else words.say(N_("It may stay empty."))
    ]
    lines.append(
        words.say(N_("It may be held by somebody from outside the agency."))
        if clause.may_be_external
        else words.say(N_("Only for people of the agency."))
    )
    return lines


def conflicts(words: Words, clause: RoleConflicts) -> list[str]:
    lines = [
        words.say(N_("One person holds at most one of these roles: %(roles)s."), roles=words.names("role", group))
        for group in clause.groups
    ]
    if clause.alone:
        lines.append(
            words.say(N_("Together with no other role: %(roles)s."), roles=words.names("role", clause.alone))
        )
    return lines


def approval(words: Words, clause: Approval) -> list[str]:
    who = {"people": clause.people, "roles": words.names("role", clause.roles)}
    if clause.expires_minutes is not None:
        sentence = N_("Approved by %(people)s different people out of: %(roles)s; the approvals lapse after %(minutes)s minutes.")
        return [words.say(sentence, minutes=clause.expires_minutes, **who)]
    sentence = N_("Approved by %(people)s different people out of: %(roles)s; the approvals lapse after %(hours)s hours.")
    return [words.say(sentence, hours=clause.expires_hours or 0, **who)]


def council(words: Words, clause: Council) -> list[str]:
    lines = [
        words.say(
            N_("Number of members, the chair included: %(sizes)s."), sizes=words.listed(str(size) for size in clause.sizes)
        ),
        words.say(N_("The chair comes from outside the agency."))
        if clause.chair_external
        else words.say(N_("The chair may come from the agency.")),
    ]
    lines += [
        words.say(
            N_("Share of members %(group)s: %(share)s."),
            group=words.say(GROUPS[quota.group]),
            share=words.share_range(quota.share),
        )
        for quota in clause.quotas
    ]
    lines.append(words.say(N_("It votes by the rule: %(vote)s."), vote=words.named("vote", clause.vote)))
    lines.append(
        words.say(
            N_("The council recommends, signed by: %(recommends)s. The results are approved by: %(approves)s."),
            recommends=words.named("role", clause.recommends),
            approves=words.named("role", clause.approves),
        )
    )
    return lines


def vote(words: Words, clause: VoteRule) -> list[str]:
    lines = [
        words.say(
            N_("Needed to vote: %(share)s of %(of)s present."),
            share=words.share(clause.quorum),
            of=words.say(DENOMINATORS[clause.quorum_of]),
        ),
        words.say(N_("The ballot is secret.")) if clause.secret else words.say(N_("The ballot is open.")),
        words.say(
            N_("Counted: %(what)s, out of %(of)s."),
            what=words.say(COUNTED[clause.counted]),
            of=words.say(DENOMINATORS[clause.denominator]),
        ),
    ]
    for band in clause.outcomes:
        outcome = words.say(OUTCOMES[band.outcome]) if band.outcome in OUTCOMES else band.outcome
        lines.append(f"{_capital(words.share_range(band.share))}: {outcome}.")
    if clause.runners_up:
        lines.append(
            words.say(N_("When nobody carries, the %(count)s highest go on to the next ballot."), count=clause.runners_up)
        )
    return lines


def relations(words: Words, clause: Relations) -> list[str]:
    lines = []
    if clause.blocking:
        lines.append(
            words.say(
                N_("Whoever stands so to a candidate cannot act: %(relations)s."),
                relations=words.listed(words.relation(one) for one in clause.blocking),
            )
        )
    if clause.declared:
        lines.append(
            words.say(
                N_("To be declared, and the person takes no part where this candidate is concerned: %(relations)s."),
                relations=words.listed(words.relation(one) for one in clause.declared),
            )
        )
    lines.append(words.say(N_("This holds for: %(roles)s."), roles=words.names("role", clause.roles)))
    lines.append(
        words.say(N_("People under discipline cannot act in these roles."))
        if clause.under_discipline_barred
        else words.say(N_("Being under discipline does not bar from these roles."))
    )
    return lines


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
