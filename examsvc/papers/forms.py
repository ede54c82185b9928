"""Forms of the room papers."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

from examsvc.base.forms import Form, at_most, options, required

FORMATS = (
    ("", _("Recognise it")),
    ("native", _("Native (TOML)")),
    ("xlsx", _("Excel table (XLSX)")),
    ("csv", _("Table (CSV)")),
    ("moodle-xml", "Moodle XML"),
    ("gift", "GIFT"),
    ("aiken", "Aiken"),
    ("qti3", "QTI 3.0"),
    ("qti2", "QTI 2.0–2.2"),
)
KINDS = {
    "single": _("one choice"),
    "multiple": _("several choices"),
    "true-false": _("true/false"),
    "numeric": _("number"),
    "text": _("short text"),
    "order": _("putting in order"),
    "match": _("matching"),
    "gap": _("gaps"),
    "essay": _("essay"),
    "description": _("text only"),
    "composite": _("other kinds"),
}
LEVELS = {
    "recall": _("recall"),
    "understand": _("understand"),
    "apply": _("apply"),
    "analyse": _("analyse"),
}
STATUSES = {
    "draft": _("draft"),
    "reviewed": _("reviewed"),
    "approved": _("approved"),
    "retired": _("retired"),
}


class CheckboxesField(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ImportForm(Form):
    file = FileField(
        _("File with questions"),
        [FileRequired(_("Choose a file."))],
        description=_("TOML, Excel, CSV, Moodle XML, GIFT, Aiken, or a QTI package. Nothing is stored before you confirm."),
    )
    format = SelectField(_("Format"), choices=options(FORMATS))
    language = SelectField(
        _("Language of the questions, where the file does not say it"),
        choices=options((("vi", "Tiếng Việt"), ("en", "English"))),
    )
    bank_name = StringField(
        _("Name of the bank"),
        [at_most(60)],
        description=_("Small letters without accents, digits and hyphens. Left empty, the file's own name for it is taken."),
    )


class PictureForm(Form):
    file = FileField(
        _("Picture, sound or film"),
        [FileRequired(_("Choose a file."))],
        description=_("PNG, JPEG, GIF or WebP; MP3, WAV or OGG; MP4 or WebM. It is kept encrypted and shown to nobody but who may read the bank."),
    )


class ShippedForm(Form):
    shipped = SelectField(_("Bank that comes with the system"))


class BankForm(Form):
    name = StringField(
        _("Short name of the bank"),
        [required(_("Enter a name.")), at_most(60)],
        description=_("Small letters without accents, digits and hyphens; it stands in addresses."),
    )
    title_vi = StringField(_("Name in Vietnamese"), [required(_("Enter a name.")), at_most(200)])
    title_en = StringField(_("Name in English"), [at_most(200)])


class ReviewForm(Form):
    digest = HiddenField()
    what = RadioField(_("Your decision"), validators=[required(_("Choose one."))])
    comment = TextAreaField(_("Remarks for the author"), [at_most(4000)], render_kw={"rows": 4})


class SearchForm(Form):
    class Meta(Form.Meta):
        csrf = False  # a search changes nothing, and its address can be kept

    words = StringField(_("Words to look for"), [at_most(200)])
    topic = SelectField(_("Topic"), validate_choice=False)
    level = SelectField(_("Cognitive level"), validate_choice=False)
    kind = SelectField(_("Kind"), validate_choice=False)
    status = SelectField(_("State"), validate_choice=False)


class AssembleForm(Form):
    seed = StringField(
        _("Seed"),
        [required(_("Enter a seed.")), at_most(40)],
        description=_("A word or number, best drawn in public: whoever knows it, the bank and the blueprint draws the same paper again."),
    )


    shifts = IntegerField(
        _("For how many sittings at different times"),
        [NumberRange(1, 9, _("Between 1 and 9."))],
        default=1,
        description=_("Each sitting gets papers of its own without common questions; where the blueprint aims at information, all are parallel to the first."),
    )


class SwapForm(Form):
    number = HiddenField()
    item = StringField(_("Question that comes in"), [required(_("Enter the name of a question.")), at_most(200)])
    reason = StringField(_("Reason"), [at_most(500)])


class ReasonForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3})


class KeyForm(Form):
    recipient = StringField(
        _("Public half of your key"),
        [required(_("Enter the line that begins with age1.")), at_most(200)],
        description=_("Make the key on a machine of your own: examsvc custodian init. Only the line that begins with age1 is handed in."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class ShareForm(Form):
    share = FileField(
        _("Opened share"),
        [FileRequired(_("Choose the file."))],
        description=_("The file that examsvc custodian open made on your own machine."),
    )


class NeutraliseForm(Form):
    number = HiddenField()
    reason = TextAreaField(
        _("What is wrong with the question"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3}
    )


class CorrectForm(Form):
    number = HiddenField()
    version = RadioField(_("Corrected version"), validators=[required(_("Choose a version."))], validate_choice=False)
    reason = TextAreaField(_("What was wrong with the key"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3})


def label(names: dict[str, Any], value: str) -> str:
    """A kind, level or state in words; the name itself where it is not known."""
    return str(names.get(value, value))
