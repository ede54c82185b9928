"""Forms of the room: a hold is entered with its cause, its reason and, where it has one, its end."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import DateField, RadioField, SelectField, TextAreaField
from wtforms.validators import Optional

from examsvc.base.forms import Form, at_most, options, required


class HoldForm(Form):
    """Whose data are kept longer, and why; the choices of people come from the competition."""

    whom = SelectField(_("Whose data"))
    cause = RadioField(
        _("Why they are kept"),
        [required(_("Choose why the data are kept."))],
        choices=options(
            (
                ("complaint", _("A complaint, appeal or denunciation that is not decided")),
                ("archive", _("A duty to keep them for the archive")),
                ("proceedings", _("Proceedings before a court or an inspectorate")),
            )
        ),
    )
    reason = TextAreaField(
        _("Reason"),
        [required(_("Write the reason: which complaint, which duty, which file number.")), at_most(2000)],
    )
    until = DateField(
        _("Until"), [Optional()], description=_("Leave it empty where the end is not known; the office then releases it.")
    )
