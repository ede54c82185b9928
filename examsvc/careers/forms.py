"""Forms of the room careers."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange, Optional, Regexp

from examsvc.base.forms import Form, at_most, required

LEVELS = Regexp(r"^[a-z0-9][a-z0-9-]*$", message=_("Use the level's short name as the regulation has it, such as division-head."))


def code_field() -> StringField:
    return StringField(
        _("Code"),
        [required(_("Enter a code.")), at_most(40)],
        description=_("Short and never used again, such as SNV-KHTH."),
        render_kw={"autocomplete": "off"},
    )


def basis_field() -> StringField:
    return StringField(_("Decision"), [Optional(), at_most(300)], description=_("Number and date of the decision or law."))


class UnitForm(Form):
    code = code_field()
    name_vi = StringField(_("Name in Vietnamese"), [required(_("Enter the name.")), at_most(200)])
    name_en = StringField(_("Name in English"), [Optional(), at_most(200)])
    tier = SelectField(_("Tier of administration"), [Optional()])
    parent = SelectField(_("Under the unit"), [Optional()])
    begins_on = DateField(_("First day"), [required(_("Choose the first day."))])
    basis = basis_field()


class EndForm(Form):
    ends_on = DateField(
        _("First day on which it no longer exists"), [required(_("Choose the day."))]
    )
    successors = SelectMultipleField(
        _("Successors"),
        [Optional()],
        description=_("Hold Ctrl to choose several. Only what exists on that day can succeed: add new ones first."),
        render_kw={"size": 8},
    )
    basis = basis_field()


class PositionForm(Form):
    code = code_field()
    title_vi = StringField(_("Title in Vietnamese"), [required(_("Enter the title.")), at_most(200)])
    title_en = StringField(_("Title in English"), [Optional(), at_most(200)])
    level = StringField(
        _("Level"), [required(_("Enter the level.")), at_most(40), LEVELS], render_kw={"list": "levels", "autocomplete": "off"}
    )
    places = IntegerField(_("Number of people"), [InputRequired(_("Enter how many people hold it.")), NumberRange(1, 1000)], default=1)
    elected = BooleanField(_("Elected title: filled by election, not by appointment"))
    standard = SelectField(_("Title standard"), [Optional()])
    begins_on = DateField(_("First day"), [required(_("Choose the first day."))])
    basis = basis_field()


class StandardForm(Form):
    code = code_field()
    name_vi = StringField(_("Name in Vietnamese"), [required(_("Enter the name.")), at_most(200)])
    name_en = StringField(_("Name in English"), [Optional(), at_most(200)])
    source = StringField(_("Source"), [required(_("Enter the document.")), at_most(300)])
    criteria_vi = TextAreaField(
        _("Criteria in Vietnamese"),
        [required(_("Write at least one criterion.")), at_most(20_000)],
        description=_("One criterion on each line."),
        render_kw={"rows": 10},
    )
    criteria_en = TextAreaField(
        _("Criteria in English"),
        [Optional(), at_most(20_000)],
        description=_("In the same order, or left empty."),
        render_kw={"rows": 10},
    )
    begins_on = DateField(_("First day"), [required(_("Choose the first day."))])
    replaces = SelectField(_("Replaces"), [Optional()])


class ServiceForm(Form):
    title = StringField(_("Title of the post"), [required(_("Enter the title.")), at_most(200)])
    unit = StringField(_("Agency and unit"), [required(_("Enter the agency.")), at_most(200)])
    level = StringField(
        _("Leadership level"),
        [Optional(), at_most(40), LEVELS],
        description=_("Leave it empty for a post without leadership."),
        render_kw={"list": "levels", "autocomplete": "off"},
    )
    in_field = BooleanField(_("In the field of the profession"), default=True)
    begins_on = DateField(_("First day"), [required(_("Choose the first day."))])
    ends_on = DateField(_("First day after it"), [Optional()], description=_("Leave it empty while it lasts."))


class CorrectForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3})


class DisciplineForm(Form):
    measure = SelectField(_("Measure"), [required(_("Choose the measure."))])
    basis = StringField(_("Decision"), [required(_("Enter the number and date of the decision.")), at_most(300)])
    decided_on = DateField(_("Day of the decision"), [required(_("Choose the day."))])
    spent_on = DateField(_("First day on which it is spent"), [Optional()])
