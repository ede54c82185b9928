"""Forms of the room accounts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import EqualTo, Length, Optional, Regexp

from examsvc.accounts.rules import SHORTEST_PASSWORD
from examsvc.base.forms import Form, at_most, options, required


def email_field(label: object = _("E-mail address"), **kw: str) -> EmailField:
    return EmailField(
        label,
        [
            required(_("Enter your e-mail address.")),
            at_most(254),
            Regexp(r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+$", message=_("Enter an address like name@example.vn.")),
        ],
        render_kw={"autocomplete": "email", **kw},
    )


def new_password_field() -> PasswordField:
    return PasswordField(
        _("New password"),
        [
            required(_("Choose a password.")),
            Length(min=SHORTEST_PASSWORD, max=200, message=_("Use at least %(min)d characters; a short sentence is good.")),
        ],
        description=_("At least 12 characters; a short sentence is good."),
        render_kw={"autocomplete": "new-password"},
    )


def repeated_field(of: str) -> PasswordField:
    return PasswordField(
        _("The same password again"),
        [required(_("Enter the password a second time.")), EqualTo(of, message=_("The two passwords differ. Enter both once more."))],
        render_kw={"autocomplete": "new-password"},
    )


def code_field(label: object) -> StringField:
    return StringField(
        label,
        [required(_("Enter the code.")), at_most(20)],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    )


class SignInForm(Form):
    email = EmailField(
        _("E-mail address"), [required(_("Enter your e-mail address.")), at_most(254)], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _("Password"), [required(_("Enter your password.")), at_most(200)], render_kw={"autocomplete": "current-password"}
    )


class RegisterForm(Form):
    name = StringField(
        _("Full name"),
        [required(_("Enter your name as on your identity card.")), at_most(120)],
        description=_("As on your identity card."),
        render_kw={"autocomplete": "name"},
    )
    email = email_field()
    password = PasswordField(
        _("Password"),
        [
            required(_("Choose a password.")),
            Length(min=SHORTEST_PASSWORD, max=200, message=_("Use at least %(min)d characters; a short sentence is good.")),
        ],
        description=_("At least 12 characters; a short sentence is good."),
        render_kw={"autocomplete": "new-password"},
    )


class CodeForm(Form):
    code = code_field(_("Code"))


class ChoosePasswordForm(Form):
    password = new_password_field()
    again = repeated_field("password")


class ChangePasswordForm(Form):
    present = PasswordField(
        _("Present password"),
        [required(_("Enter your present password.")), at_most(200)],
        render_kw={"autocomplete": "current-password"},
    )
    password = new_password_field()
    again = repeated_field("password")


class ForgottenForm(Form):
    email = email_field()
    manner = RadioField(
        _("How can you show who you are?"),
        [required(_("Choose one of the two ways."))],
        choices=options(
            [
                ("mail", _("I can read the e-mail of this address")),
                ("person", _("I come to the office with my identity document")),
            ]
        ),
    )
    factor_lost = BooleanField(_("I have also lost my phone with the authenticator app, or my printed codes"))


class RecoveryCodeForm(Form):
    email = email_field()
    first = code_field(_("First half of the code"))
    second = code_field(_("Second half of the code"))


class IdentityForm(Form):
    identity = StringField(
        _("Number of your identity document"),
        [required(_("Enter the number of your identity document.")), at_most(30)],
        description=_("It is not stored readably; it only serves to find relations to candidates."),
        render_kw={"autocomplete": "off", "inputmode": "numeric"},
    )


class InviteForm(Form):
    name = StringField(_("Full name"), [required(_("Enter the full name.")), at_most(120)], render_kw={"autocomplete": "off"})
    email = email_field(_("E-mail address"), autocomplete="off")


class ProposeForm(Form):
    email = email_field(_("E-mail address of the person"), autocomplete="off")
    role = SelectField(_("Role"), [required(_("Choose the role."))])
    stage = SelectField(_("Only for the stage"), [Optional()])
    until = DateField(
        _("Last day"), [Optional()], description=_("Leave it empty when the role lasts until the competition ends.")
    )


class RevokeForm(Form):
    reason = RadioField(_("Why does the role end?"), [required(_("Choose why the role ends."))])


class DelegateForm(Form):
    email = email_field(_("E-mail address of the person who acts in your place"), autocomplete="off")
    until = DateField(_("Last day"), [required(_("Choose the last day."))])


class ReasonForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 4})


class ApproveForm(Form):
    digest = HiddenField(validators=[required()])


class RelationForm(Form):
    candidate = SelectField(_("Candidate"), [Optional()])
    name = StringField(
        _("Name of the person, if not in the list"), [Optional(), at_most(120)], render_kw={"autocomplete": "off"}
    )
    identity = StringField(
        _("Identity number of the person, if not in the list"),
        [Optional(), at_most(30)],
        description=_("It is not stored readably. When somebody with this number applies, the relation is found."),
        render_kw={"autocomplete": "off"},
    )
    kind = SelectField(_("I am to this person"), [required(_("Choose the relation from the list."))])
    statement = TextAreaField(_("In your own words"), [Optional(), at_most(2000)], render_kw={"rows": 3})


class ContactForm(Form):
    statement = TextAreaField(
        _("Who approached you, when and how?"),
        [required(_("Write who approached you, when and how.")), at_most(4000)],
        render_kw={"rows": 6},
    )
