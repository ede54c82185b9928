"""Forms of the ledger's pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import StringField, TextAreaField

from examsvc.base.forms import Form, at_most


class ReceiptForm(Form):
    """What somebody holds in his hand: the twenty characters, or the file, or its text."""

    slip = StringField(
        _("The twenty characters of the receipt"),
        validators=[at_most(60)],
        description=_("Case, spaces and hyphens do not matter."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    file = FileField(
        _("Or the receipt file"),
        description=_("Its name ends in .tlog-proof; it is read and not stored."),
        render_kw={"accept": ".tlog-proof,text/plain"},
    )
    text = TextAreaField(_("Or the text of the receipt file"), render_kw={"rows": 6, "spellcheck": "false"})
