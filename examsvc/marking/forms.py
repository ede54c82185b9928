"""Forms of the room marking; sheets are read by name from the page, since their criteria come from the rubric."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField, FileRequired
from wtforms import StringField, TextAreaField

from examsvc.base.forms import Form, at_most, required


class DecideForm(Form):
    mark = StringField(_("Mark"), [required(_("Enter the mark.")), at_most(20)], render_kw={"inputmode": "decimal"})
    reason = TextAreaField(_("Reason"), [required(_("Write the reason; it goes into the record.")), at_most(4000)])


class GuideForm(Form):
    vi = TextAreaField(_("Marking guide in Vietnamese"), [required(_("Write the guide.")), at_most(20000)], render_kw={"rows": 14})
    en = TextAreaField(_("Marking guide in English"), [required(_("Write the guide.")), at_most(20000)], render_kw={"rows": 14})
    reason = TextAreaField(_("Reason for the change"), [required(_("Write the reason; it goes into the record.")), at_most(2000)])


class CodeKeyForm(Form):
    recipient = StringField(
        _("Public half of your key"),
        [required(_("Enter the line that begins with age1.")), at_most(200)],
        description=_("Make the key on a machine of your own: examsvc custodian init. Only the line that begins with age1 is handed in."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class MapForm(Form):
    map = FileField(
        _("Opened code map"),
        [FileRequired(_("Choose the file."))],
        description=_("The file that examsvc custodian open-map made on your own machine."),
    )


class StepAsideForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason; it goes into the record.")), at_most(2000)])


class ExplainForm(Form):
    text = TextAreaField(
        _("Your explanation"), [required(_("Write the reason; it goes into the record.")), at_most(4000)]
    )
