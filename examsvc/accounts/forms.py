"""Forms of the room accounts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import Length, Regexp

from examsvc.accounts.rules import SHORTEST_PASSWORD
from examsvc.base.forms import Form, at_most, required


class SignInForm(Form):
    email = EmailField(_("E-mail address"), [required(_("Enter your e-mail address."))], render_kw={"autocomplete": "username"})
    password = PasswordField(
        _("Password"), [required(_("Enter your password."))], render_kw={"autocomplete": "current-password"}
    )


class RegisterForm(Form):
    name = StringField(
        _("Full name"),
        [required(_("Enter your name as on your identity card.")), at_most(120)],
        description=_("As on your identity card."),
        render_kw={"autocomplete": "name"},
    )
    email = EmailField(
        _("E-mail address"),
        [required(_("Enter your e-mail address.")), at_most(254), Regexp(r"^[^@\s]+@[^@\s]+\.[^@\s]+$", message=_("Enter an address like name@example.vn."))],
        render_kw={"autocomplete": "email"},
    )
    password = PasswordField(
        _("Password"),
        [
            required(_("Choose a password.")),
            Length(min=SHORTEST_PASSWORD, max=200, message=_("Use at least %(min)d characters; a short sentence is good.")),
        ],
        description=_("At least 12 characters; a short sentence is good."),
        render_kw={"autocomplete": "new-password"},
    )
