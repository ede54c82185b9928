"""Forms of public draws."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField

from examsvc.base.forms import Form, at_most, required


class CommitForm(Form):
    commitment = StringField(
        _("Your commitment"),
        [required(_("Enter the line that the command printed.")), at_most(64)],
        description=_("64 digits and letters. The secret number itself stays on your machine until what is drawn from is fixed."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class RevealForm(Form):
    file = FileField(_("Your secret number"), [FileRequired(_("Choose the file."))], description=_("The file that the command made for this draw."))


class OutsideForm(Form):
    value = StringField(
        _("The outside value, as it was published"),
        [required(_("Type in the value as it was published.")), at_most(2000)],
        description=_("Digit for digit, without looking at what somebody else typed. It counts when two people read the same."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    place = StringField(
        _("Where you read it"),
        [required(_("Write where you read it: a page's address, a newspaper and its date.")), at_most(2000)],
    )
