"""Forms of the room competitions; those whose fields follow from a regulation are made for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    DateField,
    DateTimeLocalField,
    FileField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, NumberRange, Optional

from examsvc.base.forms import CheckboxesField, Form, at_most, required
from examsvc.competitions.preparing import field_of

MOMENT = "%Y-%m-%dT%H:%M"


class RegulationForm(Form):
    preset = SelectField(_("A regulation that ships with the program"), [Optional()])
    file = FileField(
        _("Or your own regulation, as a TOML file"),
        description=_("At most 512 KB. Begin with one of those above: it can be downloaded from its page."),
        render_kw={"accept": ".toml,text/plain", "required": False},
    )


class NewForm(RegulationForm):
    title_vi = StringField(_("Title in Vietnamese"), [required(_("Write the title in both languages.")), at_most(200)])
    title_en = StringField(_("Title in English"), [required(_("Write the title in both languages.")), at_most(200)])
    slug = StringField(
        _("Address"),
        [required(_("Choose an address.")), at_most(60)],
        description=_("Short, in lower-case letters, digits and hyphens, such as truong-phong-2026. It never changes."),
        render_kw={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"},
    )
    classified = BooleanField(_("Withhold all public pages until the competent authority releases them"))


class PostForm(Form):
    position = SelectField(
        _("From the list of positions"), [Optional()], description=_("Title, unit and level are then taken from there.")
    )
    code = StringField(
        _("Code in this competition"),
        [required(_("Enter a code.")), at_most(20)],
        description=_("Short, such as A or KHTH."),
        render_kw={"autocomplete": "off"},
    )
    title_vi = StringField(_("Title in Vietnamese"), [Optional(), at_most(200)])
    title_en = StringField(_("Title in English"), [Optional(), at_most(200)])
    unit_vi = StringField(_("Unit in Vietnamese"), [Optional(), at_most(200)])
    unit_en = StringField(_("Unit in English"), [Optional(), at_most(200)])
    level = SelectField(_("Level"), [Optional()])
    vacancies = IntegerField(
        _("Vacancies"),
        [InputRequired(_("Enter the number of vacancies.")), NumberRange(1, 999, _("Enter a number from 1 to 999."))],
        default=1,
    )


class CouncilForm(Form):
    number = StringField(_("Number of the decision"), [required(_("Enter the number of the decision.")), at_most(100)])
    decided_on = DateField(_("Date of the decision"), [required(_("Choose the date of the decision."))])


class ConfirmForm(Form):
    """Nothing but the token: what is confirmed stands in hidden fields."""


class HolidaysForm(Form):
    file = FileField(_("Table of holidays, as a TOML file"), render_kw={"accept": ".toml,text/plain", "required": False})
    name = StringField(_("Name of the table"), [required(_("Enter a name.")), at_most(60)])


def _form(name: str, fields: Mapping[str, Any], kw: Mapping[str, Any]) -> Form:
    """A form whose fields follow from data."""
    made: Form = type(name, (Form,), dict(fields))(**kw)
    return made


def witness_form(names: Iterable[str], **kw: Any) -> Form:
    """One field for the key of each witness."""
    fields = {
        f"key_{name.replace('-', '_')}": StringField(
            name, [Optional(), at_most(300)], render_kw={"autocomplete": "off", "spellcheck": "false", "class": "digest"}
        )
        for name in names
    }
    return _form("WitnessForm", fields, kw)


def calendar_form(events: Mapping[str, str], **kw: Any) -> Form:
    """One moment for each event, by name → label, and the table of holidays."""
    fields: dict[str, Any] = {"holidays": SelectField(_("Holidays by which working days are counted"), [Optional()])}
    for event, label in events.items():
        fields[field_of(event)] = DateTimeLocalField(label, [Optional()], format=[MOMENT, f"{MOMENT}:%S"])
    return _form("CalendarForm", fields, kw)


def notice_form(wanted: Iterable[str], **kw: Any) -> Form:
    """Both languages of each text that the notice needs."""
    fields: dict[str, Any] = {}
    for name in wanted:
        for language, label in (("vi", _("Vietnamese")), ("en", _("English"))):
            fields[f"{name.replace('-', '_')}__{language}"] = TextAreaField(
                label, [Optional(), at_most(4000)], render_kw={"rows": 3, "lang": language}
            )
    return _form("NoticeForm", fields, kw)


def text_fields(form: Form, name: str) -> list[Any]:
    """The two fields of one text."""
    return [form[f"{name.replace('-', '_')}__{language}"] for language in ("vi", "en")]


def texts_of(form: Form, names: Iterable[str]) -> dict[str, dict[str, str]]:
    """The texts as they were entered."""
    return {
        name: {language: form[f"{name.replace('-', '_')}__{language}"].data or "" for language in ("vi", "en")}
        for name in names
    }


def decision_form(events: Mapping[str, str], texts: Iterable[str], **kw: Any) -> Form:
    """The reasoned decision: what, since when, why, what the public reads, which dates and texts change."""
    fields: dict[str, Any] = {
        "level": RadioField(_("What does it concern?"), [required(_("Choose what it concerns."))]),
        "posts": CheckboxesField(_("Which posts?")),
        "part": SelectField(_("Which part?"), [Optional()]),
        "sitting": StringField(_("Which sitting? Its code"), [Optional(), at_most(40)]),
        "repeat": BooleanField(_("What is annulled is held again")),
        "number": StringField(
            _("Number of the decision"), [required(_("Enter the number of the decision.")), at_most(100)]
        ),
        "decided_on": DateField(_("Date of the decision"), [required(_("Choose the date of the decision."))]),
        "reason": TextAreaField(
            _("Reason"),
            [required(_("Write the reason.")), at_most(4000)],
            description=_("For the file: who found what, by which rule it is decided. Candidates do not read it."),
            render_kw={"rows": 5},
        ),
        "announcement_vi": TextAreaField(
            _("Announcement in Vietnamese"),
            [required(_("Write in both languages what candidates and the public are to read.")), at_most(2000)],
            description=_("It appears in the notice and goes to every candidate concerned. Name nobody."),
            render_kw={"rows": 4, "lang": "vi"},
        ),
        "announcement_en": TextAreaField(
            _("Announcement in English"),
            [required(_("Write in both languages what candidates and the public are to read.")), at_most(2000)],
            render_kw={"rows": 4, "lang": "en"},
        ),
    }
    for event, label in events.items():
        fields[field_of(event)] = DateTimeLocalField(label, [Optional()], format=[MOMENT, f"{MOMENT}:%S"])
    for name in texts:
        for language, label in (("vi", _("Vietnamese")), ("en", _("English"))):
            fields[f"{name.replace('-', '_')}__{language}"] = TextAreaField(
                label, [Optional(), at_most(4000)], render_kw={"rows": 3, "lang": language}
            )
    return _form("DecisionForm", fields, kw)

