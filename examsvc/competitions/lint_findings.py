"""What lint can find: the closed list of codes with severity and sentence.

A sentence names its parameters as "%(name)s", so that a page can translate it by code and fill in the same parameters.
Errors forbid pinning the regulation, warnings ask a person to look, notes are for information.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from examsvc.base.errors import N_

Severity = Literal["error", "warning", "note"]

CATALOGUE: Mapping[str, tuple[Severity, str]] = {
    # references
    "unknown-reference": ("error", N_("There is no %(kind)s named %(name)s; define it or correct the name.")),
    "unknown-role": ("error", N_("There is no role named %(name)s; add it to roles or correct the name.")),
    "unused": ("warning", N_("Nothing refers to this %(kind)s; refer to it or remove it.")),
    "role-without-rights": (
        "note",
        N_("The software gives no rights to a role of this name; standard roles are listed in the format."),
    ),
    # force and origin
    "not-in-force": (
        "warning",
        N_("The rule was not in force on %(day)s; every clause needs a person's confirmation."),
    ),
    "in-force-unknown": (
        "warning",
        N_("It is not known since when the rule is in force; every clause needs a person's confirmation."),
    ),
    "frozen": ("error", N_("No competition may be opened on %(day)s; wait until the period has ended.")),
    "freeze-end-unknown": (
        "warning",
        N_("Nobody has confirmed when this period ends; enter its end or confirm that it is over."),
    ),
    "unverified-clause": (
        "warning",
        N_("This clause was not read in its source; a person has to confirm it."),
    ),
    "unverified-fields": (
        "warning",
        N_("The source does not state %(fields)s; a person has to confirm this."),
    ),
    "example": ("note", N_("This regulation is an example and the rule of no authority.")),
    "elected-titles": (
        "error",
        N_("Elected titles are filled by election; exclude them or let the exam feed the ballot."),
    ),
    "ballot-mismatch": (
        "error",
        N_("The exam feeds a ballot in posts but not in selection, or the reverse; state both alike."),
    ),
    # entering
    "no-stream": ("error", N_("Nobody can enter; add a stream of admission.")),
    "ladder-downwards": (
        "warning",
        N_("A holder of %(holds)s may try %(may_try)s, which is not higher; check the rule."),
    ),
    "age-limit-by-sex": ("warning", N_("Age is limited by sex; check that a law in force demands it.")),
    "file-open-too-long": (
        "error",
        N_("The file may change until %(event)s, after the part that uses it; close it earlier."),
    ),
    "criterion-without-evidence": (
        "warning",
        N_("No evidence is named and no person decides; name a file or let a person decide."),
    ),
    "no-eligibility-stage": (
        "warning",
        N_("Criteria are stated but no stage decides on them; add an eligibility stage."),
    ),
    # parts
    "pass-mark-above-maximum": (
        "error",
        N_("The pass mark %(mark)s is above the maximum %(maximum)s; lower it."),
    ),
    "hurdle-without-pass-mark": (
        "error",
        N_("A hurdle needs a pass mark; state one or make the part compensatory."),
    ),
    "pass-mark-without-hurdle": (
        "warning",
        N_("The pass mark has no effect, because the part is no hurdle; remove it or make it one."),
    ),
    "hurdle-too-late": (
        "warning",
        N_("This part only qualifies but comes after the scored part %(part)s; move it to an earlier stage."),
    ),
    "no-whole-number": ("error", N_("The range %(range)s holds no whole number; widen it.")),
    "minutes-missing": ("error", N_("A part that is sat needs its minutes; state them.")),
    "panel-minutes": (
        "error",
        N_("Presentation and questions need %(needed)s minutes but the part has %(minutes)s; make them fit."),
    ),
    "results-at-once-need-marking": (
        "error",
        N_("Results cannot be shown at once where people mark; set results_at_once to false."),
    ),
    "results-at-once-appealable": (
        "warning",
        N_("Results shown at once can still be re-marked; check whether the rule excludes it."),
    ),
    "late-gap": ("error", N_("No late limit covers parts of %(range)s minutes; add a band.")),
    "late-overlap": (
        "error",
        N_("Two late limits cover the same lengths (%(first)s and %(second)s); separate them."),
    ),
    "late-exceeds-part": (
        "error",
        N_("The part lasts %(minutes)s minutes but admits until minute %(late)s; lower the late limit."),
    ),
    "paper-threshold": (
        "error",
        N_(
            "%(threshold)s of %(custodians)s shares cannot open the paper safely; use at least 2 and fewer than all."
        ),
    ),
    "paper-all-shares": (
        "error",
        N_("One lost share of %(custodians)s would lock the paper for good; let fewer than all open it."),
    ),
    "sanction-missing": (
        "warning",
        N_("The sanction %(name)s is not defined; define all four or confirm that it is not used."),
    ),
    "sanctions-not-rising": (
        "warning",
        N_("A graver sanction deducts less than a lighter one; check the deductions."),
    ),
    "remedy-missing": (
        "warning",
        N_("No remedy is declared for a loss of %(range)s minutes by %(cause)s; declare one."),
    ),
    "remedy-overlap": (
        "error",
        N_("The remedies %(first)s and %(second)s cover the same loss; separate them."),
    ),
    "witness-quorum": (
        "error",
        N_("%(quorum)s witnesses must sign but only %(names)s are named; lower the quorum or name more."),
    ),
    # draws
    "draw-missing": (
        "warning",
        N_("Nothing says how this is drawn: %(purpose)s; state a method."),
    ),
    "draw-by-server": (
        "note",
        N_("The computer draws alone here; whoever runs it could try several draws and keep one."),
    ),
    "draw-participants": (
        "error",
        N_("The custodians of the paper give the secret numbers for its questions; name this role and no other."),
    ),
    "draw-zone": ("error", N_("There is no time zone named %(zone)s; write a name such as Asia/Ho_Chi_Minh.")),
    # marking
    "discrepancy-missing": (
        "error",
        N_("Two markers can differ but no policy says what follows; add a discrepancy policy."),
    ),
    "discrepancy-needless": (
        "warning",
        N_("With one marker no marks can differ; remove the policy or ask for two markers."),
    ),
    "discrepancy-gap": ("error", N_("No band covers a difference in %(range)s; add a band.")),
    "discrepancy-overlap": ("error", N_("The bands %(first)s and %(second)s overlap; separate them.")),
    "discrepancy-beyond-maximum": (
        "note",
        N_("The band %(range)s lies above the greatest possible difference %(maximum)s."),
    ),
    "agreement-without-fallback": (
        "error",
        N_("Two markers may fail to agree; state what follows in failing."),
    ),
    "third-mark-unsettled": (
        "error",
        N_("A third mark is asked for but no step settles three marks; add steps."),
    ),
    "three-marks-not-final": (
        "error",
        N_("The last step for three marks may not apply; end with one that always does."),
    ),
    "three-marks-unreachable": (
        "warning",
        N_("This step is never reached, because the one before it always applies; remove it."),
    ),
    "mark-step": (
        "error",
        N_("The maximum %(maximum)s is no multiple of the step %(step)s; change one of them."),
    ),
    "panel-too-small": (
        "error",
        N_(
            "%(members)s members are too few to leave out %(dropped)s marks; enlarge the panel or drop fewer."
        ),
    ),
    "trim-without-drop": (
        "error",
        N_("A trimmed mean must leave out at least one mark; state drop_highest or drop_lowest."),
    ),
    "drop-ignored": (
        "warning",
        N_("Marks are left out only by a trimmed mean; change combine or remove the numbers."),
    ),
    "panel-externals": (
        "error",
        N_("%(external)s outside members cannot sit among %(members)s; lower the number."),
    ),
    "panel-open-entry": (
        "warning",
        N_("Members see each other's marks before entering theirs; ask for independent entry."),
    ),
    "criteria-sum": (
        "error",
        N_("The criteria add up to %(sum)s but the part %(part)s has %(maximum)s; make them equal."),
    ),
    "anchors-overlap": ("warning", N_("The anchors %(first)s and %(second)s overlap; separate them.")),
    "no-substitutes": ("warning", N_("No substitute can replace a recused member; name at least one.")),
    # results
    "weights-sum": (
        "error",
        N_("Weights and maxima add up to %(sum)s, the total says %(maximum)s; make them equal."),
    ),
    "no-weight": ("error", N_("No part counts in the total; give at least one part a weight.")),
    "unequal-weights": ("warning", N_("Parts weigh differently without a stated reason; state it in total.")),
    "priority-before-pass-check": (
        "warning",
        N_("Priority points can lift a failed candidate over the pass mark; check the order."),
    ),
    "priority-without-evidence": ("warning", N_("No evidence is named for this group; name a file.")),
    "ties-empty": ("error", N_("Nothing breaks a tie; end with a draw or a decision with reason.")),
    "ties-not-final": (
        "error",
        N_("The last tie-break may leave candidates equal; end with a draw or a decision with reason."),
    ),
    "ties-unreachable": ("warning", N_("This tie-break is never reached; remove it or move it up.")),
    "ties-incomplete": ("error", N_("The tie-break %(by)s needs its %(field)s and no other; correct it.")),
    "ties-personal": ("warning", N_("Ties are broken by %(by)s; check that a law in force demands it.")),
    "reserve-incomplete": (
        "error",
        N_("A reserve list needs both places and months, or neither; state both."),
    ),
    "unsuccessful-named": (
        "warning",
        N_("The unsuccessful are published by name; publish numbers or nothing."),
    ),
    "publication-without-channel": ("error", N_("No channel of publication is named; name at least one.")),
    # procedure
    "unknown-event": (
        "error",
        N_("Nothing defines the event %(event)s; use a listed event or one that a rule bounds."),
    ),
    "size-gap": ("error", N_("No length is stated for %(range)s applicants; add a band.")),
    "size-overlap": (
        "error",
        N_("Two lengths are stated for the same numbers (%(first)s and %(second)s); separate them."),
    ),
    "deadline-cycle": (
        "error",
        N_("These events count from each other: %(events)s; give one of them a date."),
    ),
    "deadline-contradiction": (
        "error",
        N_("These deadlines cannot all be kept: %(rules)s; change one of them."),
    ),
    "no-holidays": (
        "note",
        N_("Working days are counted but no holidays are listed; the institution's table is used."),
    ),
    "no-working-day": ("error", N_("The weekend has all seven days; leave at least one working day.")),
    "appeal-not-allowed": (
        "error",
        N_("The part %(part)s cannot be re-marked but this channel is open for it; correct one of them."),
    ),
    "appeal-without-channel": (
        "error",
        N_("The part can be re-marked but no channel is open for it; add one."),
    ),
    "appeal-without-part": ("error", N_("This kind of appeal is about a part; name the parts.")),
    "re-mark-rule": (
        "error",
        N_("A channel for re-marking needs its rules, any other must have none; correct it."),
    ),
    "question-complaint-part": (
        "error",
        N_("The part %(part)s has no items that could be neutralised; remove it from the channel."),
    ),
    "intervention-missing": ("warning", N_("Nobody may %(kind)s a competition; name the role that decides.")),
    "retention-missing": ("warning", N_("No rule says how long %(data)s are kept; add one.")),
    # people
    "too-few-in-role": (
        "error",
        N_("The role has %(people)s people but %(needed)s are needed for %(reason)s; raise the number."),
    ),
    "too-few-people": (
        "error",
        N_(
            "%(people)s people are too few: the roles need at least %(needed)s, because %(roles)s exclude each other."
        ),
    ),
    "staffing-undecided": (
        "warning",
        N_("Whether %(people)s people suffice was not decided; between %(low)s and %(high)s are needed."),
    ),
    "approval-unreachable": (
        "error",
        N_("%(people)s people must approve but the roles have only %(available)s; add roles or people."),
    ),
    "vote-gap": ("error", N_("No outcome is stated for a share in %(range)s; add a band.")),
    "vote-overlap": ("error", N_("The outcomes of %(first)s and %(second)s overlap; separate them.")),
    "quota-unreachable": (
        "error",
        N_("No number among %(size)s members gives the group %(group)s a share in %(share)s; change one."),
    ),
    "same-authority": (
        "error",
        N_("The council recommends and the competent authority approves; name two different roles."),
    ),
    "relations-empty": ("warning", N_("No relation bars anybody from a role; name the relations.")),
}


@dataclass(frozen=True)
class Finding:
    """Something a person must mend (error), look at (warning) or know (note)."""

    code: str
    path: str
    """Place, by names: "stages.written.parts.essay"; empty for the whole regulation."""
    severity: Severity
    params: Mapping[str, str]
    message: str
    """The English sentence, with the place in front."""


def finding(code: str, path: str, **params: object) -> Finding:
    """A finding of the catalogue. KeyError for an unknown code, or where a parameter of its sentence is missing."""
    severity, sentence = CATALOGUE[code]
    texts = {name: str(value) for name, value in params.items()}
    return Finding(code, path, severity, texts, (f"{path}: " if path else "") + sentence % texts)
