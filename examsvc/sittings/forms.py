"""Forms of the room sittings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import Optional

from examsvc.base.forms import Form, at_most, options, required


class ExamSignInForm(Form):
    candidate_number = StringField(
        _("Candidate number"),
        [required(_("Enter your candidate number.")), at_most(20)],
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )
    code = StringField(
        _("One-time code"),
        [required(_("Enter the code that the invigilator gave you.")), at_most(20)],
        description=_("Six characters, on the slip that you got at check-in."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )


class PlanForm(Form):
    part = SelectField(_("Part of the exam"), validate_choice=False)
    bell = DateTimeLocalField(
        _("Bell"),
        [required(_("Enter day and time of the bell."))],
        description=_("In the institution's time zone; everybody begins at this moment."),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    rooms = TextAreaField(
        _("Rooms"),
        [required(_("Name at least one room.")), at_most(4000)],
        description=_(
            "One room per line: name; places. Add “; separate” for a room that serves only candidates to whom a separate room was"
            " granted. Example: Room 101; 24"
        ),
        render_kw={"rows": 4},
    )


class MoveForm(Form):
    bell = DateTimeLocalField(
        _("New bell"),
        [required(_("Enter day and time of the bell."))],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


class UnrehearsedForm(Form):
    number = StringField(_("Number of the decision"), [required(_("Enter the number of the decision.")), at_most(100)])
    reason = TextAreaField(
        _("Reason"),
        [required(_("Write the reason.")), at_most(2000)],
        description=_("Why there was no rehearsal, and why the sitting goes on all the same. It goes into the record."),
        render_kw={"rows": 4},
    )


DOCUMENTS = (
    ("citizen-card", _("Citizen identity card")),
    ("passport", _("Passport")),
    ("other", _("Another document with a photograph")),
)


class ArrivalForm(Form):
    document = RadioField(_("Identity document seen"), choices=options(DOCUMENTS), default="citizen-card")
    photograph_agrees = BooleanField(_("The photograph agrees with the person before me"))


class LateAdmissionForm(Form):
    document = RadioField(_("Identity document seen"), choices=options(DOCUMENTS), default="citizen-card")
    reason = TextAreaField(
        _("Reason for admitting this candidate after the late limit"), [required(_("Write the reason.")), at_most(2000)]
    )


class TurnAwayForm(Form):
    cause = RadioField(_("Why the candidate does not sit"), validators=[required(_("Choose one."))])


def reason_field() -> TextAreaField:
    """The reason stands last in every form that asks for one: first what, then why."""
    return TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3})


class ReasonForm(Form):
    reason = reason_field()


class CreditForm(Form):
    minutes = IntegerField(_("Minutes to give back"), [required(_("Enter the number of minutes."))])
    reason = reason_field()


class NoticeForm(Form):
    vi = TextAreaField(_("Notice in Vietnamese"), [required(_("Write the notice in both languages.")), at_most(2000)])
    en = TextAreaField(_("Notice in English"), [required(_("Write the notice in both languages.")), at_most(2000)])


class IncidentForm(Form):
    kind = RadioField(
        _("Kind"),
        choices=options(
            [
                ("technical", _("Technical")),
                ("conduct", _("Conduct of a candidate")),
                ("health", _("Health")),
                ("paper", _("The paper")),
                ("other", _("Other")),
            ]
        ),
        default="technical",
    )
    candidate = StringField(
        _("Candidate number, if one candidate is concerned"), [Optional(), at_most(20)], render_kw={"inputmode": "numeric"}
    )
    description = TextAreaField(_("What happened"), [required(_("Write what happened.")), at_most(4000)])
    refuses = BooleanField(_("The candidate refuses to sign"))
    signed = TextAreaField(
        _("Who signed the record"),
        [Optional(), at_most(1000)],
        description=_("One name per line. If the candidate refuses to sign, the nearest candidates sign instead."),
        render_kw={"rows": 3},
    )


class SanctionForm(Form):
    sanction = RadioField(_("Sanction"), validators=[required(_("Choose one."))])
    reason = reason_field()


class SecondAttemptForm(Form):
    bell = DateTimeLocalField(
        _("Bell"),
        [required(_("Enter day and time of the bell."))],
        description=_("Whoever sits again at the same time sits in the same sitting; it uses the spare paper."),
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    room = StringField(_("Room"), [required(_("Name the room.")), at_most(60)])
    reason = reason_field()


class LateAnswersForm(Form):
    outcome = RadioField(
        _("Do the late answers count?"),
        choices=options([("counted", _("They count")), ("dropped", _("They do not count"))]),
        validators=[required(_("Choose one."))],
    )
    reason = reason_field()
