"""Clauses on force, posts, admission, files and the notice, in words."""

from __future__ import annotations

from examsvc.base.errors import N_
from examsvc.competitions.entry_clauses import (
    Accommodations,
    DateCriterion,
    DeclarationCriterion,
    DocumentCriterion,
    FileRule,
    Freeze,
    InForce,
    LadderCriterion,
    MinimumCandidates,
    NumberCriterion,
    Posts,
    Stream,
    SupplementRule,
    Transition,
)
from examsvc.competitions.procedure_clauses import Notice
from examsvc.competitions.wording import Words

POST_KINDS = {
    "leadership": N_("leadership posts"),
    "civil-servant": N_("civil servants' posts"),
    "public-employee": N_("public employees' posts"),
    "senior-civil-service": N_("posts of the senior civil service"),
    "official": N_("officials' posts"),
}
APPOINTMENTS = {
    "first-appointment": N_("first appointment"),
    "re-appointment": N_("re-appointment"),
    "recruitment": N_("recruitment"),
    "promotion": N_("promotion"),
}
ELECTED = {
    "excluded": N_("Elected titles are left to election."),
    "feeds-ballot": N_("For elected titles the exam feeds the list of candidates and a ballot decides."),
    "allowed": N_("Elected titles may be filled by the exam."),
}
STREAMS = {
    "planned-here": N_("People planned for the post may enter."),
    "planned-elsewhere": N_("People planned for an equivalent post elsewhere may enter."),
    "nominated": N_("People outside the planning list may enter when they are nominated."),
    "open": N_("Everybody who meets the criteria may enter."),
    "in-service": N_("People in service may enter."),
}
MEASURES = {
    "age": N_("Age"),
    "service": N_("Length of service"),
    "service-in-field": N_("Length of service in the field"),
    "time-in-post": N_("Time in the present post"),
    "time-to-retirement": N_("Time left until retirement"),
    "time-since-discipline": N_("Time since the last disciplinary measure"),
}
SEXES = {"everyone": N_("everyone"), "women": N_("women"), "men": N_("men")}
PURPOSES = {
    "action-plan": N_("action plan"),
    "commitment": N_("commitment of responsibility"),
    "application": N_("application"),
    "evidence": N_("evidence"),
    "photograph": N_("photograph"),
    "nomination": N_("nomination"),
}
BELOW = {
    "extend": N_("the time for applications is extended"),
    "cancel": N_("the competition for the post is cancelled"),
    "proceed-with-reason": N_("it goes on with the candidates there are"),
}
ACCOMMODATIONS = {
    "extra-minutes": N_("extra time"),
    "separate-room": N_("a separate room"),
    "breaks-that-stop-the-clock": N_("breaks that stop the clock"),
    "reader": N_("a reader"),
    "scribe": N_("a scribe"),
    "large-print": N_("large print"),
}
CHANNELS = {
    "website": N_("the website"),
    "notice-board": N_("the notice board of the office"),
    "mass-medium": N_("a mass medium"),
}
CONTENTS = {
    "posts": N_("posts and vacancies"),
    "places": N_("number and place of the posts"),
    "criteria": N_("who may apply"),
    "deadline": N_("the time for applications"),
    "form-and-content": N_("form and content of the exam"),
    "time-and-place": N_("time and place of the exam"),
    "files": N_("what is handed in"),
    "regulation": N_("the regulation"),
    "contact": N_("whom to ask"),
    "appeals": N_("how to contest"),
    "privacy": N_("what becomes of personal data"),
}


def in_force(words: Words, clause: InForce) -> list[str]:
    if clause.since is None:
        lines = [words.say(N_("It is not known since when the rule is in force."))]
    else:
        lines = [words.say(N_("In force since %(day)s."), day=words.day(clause.since))]
    if clause.ended is not None:
        lines.append(words.say(N_("No longer in force from %(day)s."), day=words.day(clause.ended)))
    return lines


def transition(words: Words, clause: Transition) -> list[str]:
    if clause.rule == "keep-pinned":
        return [words.say(N_("A competition ends under the regulation with which it began, whatever changes meanwhile."))]
    return [
        words.say(
            N_("When the rule changes, a competition under way has %(months)s months to end; then it is cancelled."),
            months=clause.months,
        )
    ]


def freeze(words: Words, clause: Freeze) -> list[str]:
    if clause.ended is None:
        return [words.say(N_("From %(day)s no competition may be opened; the end is not known."), day=words.day(clause.since))]
    return [
        words.say(
            N_("From %(day)s until the day before %(end)s no competition may be opened."),
            day=words.day(clause.since),
            end=words.day(clause.ended),
        )
    ]


def posts(words: Words, clause: Posts) -> list[str]:
    return [
        words.say(N_("For: %(kinds)s."), kinds=words.choices(POST_KINDS, clause.kinds)),
        words.say(N_("Kind of appointment: %(kinds)s."), kinds=words.choices(APPOINTMENTS, clause.appointments)),
        words.say(ELECTED[clause.elected_titles]),
        words.say(
            N_("Levels, from the lowest to the highest: %(levels)s."),
            levels=", ".join(words.label(level.label) for level in clause.levels),
        ),
        words.say(
            N_("Posts for which one person may apply in one competition: %(count)s. Posts of one competition: %(range)s."),
            count=clause.posts_per_candidate,
            range=words.range(clause.posts_per_competition),
        ),
    ]


def stream(words: Words, clause: Stream) -> list[str]:
    lines = [words.say(STREAMS[clause.kind])]
    if clause.same_sector_only:
        lines.append(words.say(N_("Only from the same ministry, sector or locality.")))
    return lines + _evidence(words, clause.evidence)


def _evidence(words: Words, files: tuple[str, ...]) -> list[str]:
    return [words.say(N_("To be proved by: %(files)s."), files=words.names("file", files))] if files else []


def _common(words: Words, clause: DateCriterion | NumberCriterion | DocumentCriterion | DeclarationCriterion | LadderCriterion) -> list[str]:
    lines = _evidence(words, clause.evidence)
    if clause.streams:
        lines.append(words.say(N_("Only for: %(streams)s."), streams=words.names("stream", clause.streams)))
    lines.append(
        words.say(
            N_("A person decides on it.") if clause.needs_a_person else N_("The software decides on it from the file.")
        )
    )
    return lines


def date_criterion(words: Words, clause: DateCriterion) -> list[str]:
    low, high = clause.allowed.whole_numbers() or (0, None)
    span = words.length(low, clause.unit) if high is None else f"{words.number(low)}–{words.length(high, clause.unit)}"
    text = N_("%(measure)s: %(span)s or more, on the day: %(event)s.") if high is None else N_("%(measure)s: %(span)s, on the day: %(event)s.")
    lines = [words.say(text, measure=words.say(MEASURES[clause.measure]), span=span, event=words.event(clause.on))]
    if clause.for_sex != "everyone":
        lines.append(words.say(N_("This applies to %(whom)s only."), whom=words.say(SEXES[clause.for_sex])))
    return lines + _common(words, clause)


def number_criterion(words: Words, clause: NumberCriterion) -> list[str]:
    return [
        words.say(
            N_("The number %(measure)s must be %(range)s %(unit)s."),
            measure=clause.measure,
            range=words.range(clause.allowed),
            unit=words.label(clause.unit),
        ),
        *_common(words, clause),
    ]


def document_criterion(words: Words, clause: DocumentCriterion) -> list[str]:
    return [words.say(N_("Examined from: %(file)s."), file=words.named("file", clause.file)), *_common(words, clause)]


def declaration_criterion(words: Words, clause: DeclarationCriterion) -> list[str]:
    return [
        words.say(N_("The candidate signs: “%(statement)s”"), statement=words.label(clause.statement)),
        *_common(words, clause),
    ]


def ladder_criterion(words: Words, clause: LadderCriterion) -> list[str]:
    lines = []
    for rule in clause.rules:
        who = words.named("level", rule.holds) if rule.holds else words.say(N_("without a leadership post"))
        text = N_("Whoever is %(holds)s may try for %(levels)s.") if rule.holds else N_("Whoever is %(holds)s may try for %(levels)s only.")
        line = words.say(text, holds=who, levels=words.names("level", rule.may_try))
        if rule.months:
            line += " " + words.say(N_("Needed: %(months)s months of service."), months=rule.months)
        lines.append(line)
    return lines + _common(words, clause)


def file_rule(words: Words, clause: FileRule) -> list[str]:
    formats = ", ".join(one.upper() for one in clause.formats)
    lines = [
        words.say(
            N_("%(purpose)s, %(need)s; %(formats)s, at most %(size)s MB."),
            purpose=_capital(words.say(PURPOSES[clause.purpose])),
            need=words.say(N_("required") if clause.required else N_("not required")),
            formats=formats,
            size=clause.max_bytes // (1024 * 1024),
        ),
        words.say(N_("It can be replaced until: %(event)s; every version is kept."), event=words.event(clause.editable_until)),
    ]
    if clause.streams:
        lines.append(words.say(N_("Only for: %(streams)s."), streams=words.names("stream", clause.streams)))
    if clause.erase_if_not_chosen:
        lines.append(words.say(N_("It is erased for candidates who are not chosen, when its time is over.")))
    return lines


def minimum_candidates(words: Words, clause: MinimumCandidates) -> list[str]:
    return [
        words.say(N_("Least number of eligible candidates for each post: %(count)s."), count=clause.per_post),
        words.say(
            N_("With fewer, one of these is decided with a written reason by %(role)s: %(ways)s."),
            role=words.named("role", clause.decided_by),
            ways="; ".join(words.say(BELOW[one]) for one in clause.below),
        ),
    ]


def supplement(words: Words, clause: SupplementRule) -> list[str]:
    return [
        words.say(
            N_("A candidate who is asked to complete the file has %(length)s."), length=words.length(clause.length, clause.unit)
        )
    ]


def accommodations(words: Words, clause: Accommodations) -> list[str]:
    return [
        words.say(
            N_("On request, in confidence, candidates who need it get: %(kinds)s."),
            kinds=words.choices(ACCOMMODATIONS, clause.kinds),
        ),
        words.say(
            N_("Extra time is at most %(share)s of the part's minutes. Decided by %(role)s."),
            share=words.share(clause.extra_share),
            role=words.named("role", clause.decided_by),
        ),
    ]


def notice(words: Words, clause: Notice) -> list[str]:
    return [
        words.say(N_("It states: %(contents)s."), contents=words.choices(CONTENTS, clause.contents)),
        words.say(N_("It appears on: %(channels)s."), channels=words.choices(CHANNELS, clause.channels)),
        words.say(
            N_("It may change until: %(event)s. Afterwards only by a reasoned decision."), event=words.event(clause.frozen_from)
        ),
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
