"""Forms of the room marking; sheets are read by name from the page, since their criteria come from the rubric."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField, TextAreaField

from examsvc.base.forms import Form, at_most, required


class DecideForm(Form):
    mark = StringField(_("Mark"), [required(_("Enter the mark.")), at_most(20)], render_kw={"inputmode": "decimal"})
    reason = TextAreaField(_("Reason"), [required(_("Write the reason; it goes into the record.")), at_most(4000)])


class GuideForm(Form):
    vi = TextAreaField(_("Marking guide in Vietnamese"), [required(_("Write the guide.")), at_most(20000)], render_kw={"rows": 14})
    en = TextAreaField(_("Marking guide in English"), [required(_("Write the guide.")), at_most(20000)], render_kw={"rows": 14})
    reason = TextAreaField(_("Reason for the change"), [required(_("Write the reason; it goes into the record.")), at_most(2000)])


class StepAsideForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason; it goes into the record.")), at_most(2000)])


class ExplainForm(Form):
    text = TextAreaField(
        _("Your explanation"), [required(_("Write the reason; it goes into the record.")), at_most(4000)]
    )
