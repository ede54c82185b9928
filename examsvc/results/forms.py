"""Forms of the room results; votes and places in a tie are read by name from the page, since they come from council and run."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import DateField, DateTimeLocalField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import NumberRange, Optional

from examsvc.base.forms import Form, at_most, options, required


class ReasonForm(Form):
    """The reason of a decision on a tie."""

    reason = TextAreaField(_("Reason"), [required(_("Write the reason for this order.")), at_most(4000)])


class VoteForm(Form):
    """The meeting; the members' votes stand beside it by name."""

    held_at = DateTimeLocalField(_("When the meeting was held"), [required(_("Enter day and time of the meeting."))])
    place = StringField(_("Where"), [Optional(), at_most(120)])
    votes_for = IntegerField(_("Votes for"), [Optional(), NumberRange(0, 1000)])
    votes_against = IntegerField(_("Votes against"), [Optional(), NumberRange(0, 1000)])
    abstained = IntegerField(_("Abstentions"), [Optional(), NumberRange(0, 1000)])
    chair_side = RadioField(
        _("The side of the chair, which decides where the regulation says so"),
        [Optional()],
        choices=options((("for", _("For")), ("against", _("Against")))),
    )
    remarks = TextAreaField(_("Remarks for the minutes"), [Optional(), at_most(8000)])


class ApprovalForm(Form):
    decision_number = StringField(_("Number of the decision"), [required(_("Enter the number of the decision.")), at_most(100)])
    decided_on = DateField(_("Date of the decision"), [required(_("Enter the date of the decision."))])
    reason = TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(4000)])


class CauseForm(Form):
    """Why there is a new edition; the first one needs no cause."""

    cause = RadioField(
        _("Why there is a new edition"),
        choices=options((("appeal", _("After an appeal")), ("correction", _("Correction")), ("withdrawal", _("Result withdrawn")))),
        validators=[Optional()],
    )
