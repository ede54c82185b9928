"""Forms of the room sittings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import StringField

from examsvc.base.forms import Form, at_most, required


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
