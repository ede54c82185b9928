"""Forms of the room applications; the candidate's details are asked as the regulation needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import (
    DateField,
    Field,
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import TextInput

from examsvc.accounts.rules import RELATION_NAMES
from examsvc.applications.accommodations import MEASURES
from examsvc.applications.questions import NO_LEVEL, Question
from examsvc.base.errors import N_
from examsvc.base.forms import CheckboxesField, Form, at_most, options, required
from examsvc.base.pages import in_reader_language
from examsvc.competitions.regulation import Regulation


class DayField(DateField):
    """A day typed as 17/05/1984: no calendar to page through for a year of birth."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        kw.setdefault("description", _("Day, month and year, for example 17/05/1984."))
        kw.setdefault("render_kw", {"inputmode": "numeric", "placeholder": ""})
        super().__init__(label, validators, format=["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"], **kw)

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        try:
            super().process_formdata([value.strip() for value in valuelist])
        except ValueError:
            self.data = None
            if valuelist and valuelist[0].strip():
                raise ValueError(gettext("Enter a date that exists, with day, month and year.")) from None


class Wanted:
    """An answer that is needed to hand in, but not to keep what one has so far."""

    field_flags: ClassVar[dict[str, Any]] = {"required": True}

    def __call__(self, form: Any, field: Any) -> None:
        Optional()(form, field)


class StartForm(Form):
    post = RadioField(_("Post"), [required(_("Choose the post for which you apply."))])
    stream = RadioField(_("How do you come to this competition?"), [required(_("Choose how you come to the competition."))])


def field_name(question: Question) -> str:
    """The form field of a question."""
    return "q_" + question.name.replace(".", "_").replace("-", "_")


def details_form(
    regulation: Regulation,
    asked: Sequence[Question],
    *,
    answers: Mapping[str, Any],
    birth_date: date | None,
    identity_known: bool,
) -> Form:
    """A form with the date of birth, the identity number and the questions that the regulation needs."""
    fields: dict[str, Any] = {
        "birth_date": DayField(_("Date of birth"), [required(_("Enter your date of birth."))], render_kw={"autocomplete": "bday", "inputmode": "numeric"}),
        "identity": StringField(
            _("Number of the identity document"),
            [at_most(30), Optional() if identity_known else required(_("Enter the number of your identity document."))],
            description=_("Known already; enter it only to correct it. It is kept as a fingerprint and never shown.")
            if identity_known
            else _("Citizen card or passport. It is kept as a fingerprint, only to recognise you, and never shown."),
            render_kw={"autocomplete": "off", "spellcheck": "false"},
        ),
    }
    for question in asked:
        fields[field_name(question)] = _field(question, regulation)
    made = type("DetailsForm", (Form,), fields)
    shown: dict[str, Any] = {"birth_date": birth_date}
    for question in asked:
        value = answers.get(question.name)
        if question.kind == "date" and value:
            value = date.fromisoformat(value)
        shown[field_name(question)] = value
    form: Form = made(data=shown)
    return form


_ONLY_IF = {
    "level": N_("Only if you hold a leadership post now."),
    "disciplined": N_("Only if you answered yes above."),
}


def _field(question: Question, regulation: Regulation) -> Any:
    label = gettext(question.label) if isinstance(question.label, str) else in_reader_language(question.label)
    hint = gettext(question.hint) if question.hint else ""
    if question.only_if is not None:
        hint = f"{gettext(_ONLY_IF[question.only_if[0]])} {hint}"
    wanted = [Wanted() if question.required else Optional()]
    if question.kind == "date":
        example = gettext("Day, month and year, for example 17/05/1984.")
        return DayField(label, wanted, description=f"{hint} {example}".strip())
    if question.kind == "level":
        levels = [(level.id, in_reader_language(level.label.model_dump())) for level in regulation.posts.levels]
        return RadioField(
            label, wanted, choices=options([(NO_LEVEL, gettext("I hold no leadership post")), *levels]), description=hint
        )
    if question.kind == "sex":
        return RadioField(label, wanted, choices=options([("woman", gettext("Woman")), ("man", gettext("Man"))]), description=hint)
    if question.kind == "yes-no":
        return RadioField(label, wanted, choices=options([("yes", gettext("Yes")), ("no", gettext("No"))]), description=hint)
    if question.kind == "priority":
        entries = regulation.priority.entries if regulation.priority is not None else ()
        return CheckboxesField(
            label, choices=options((one.id, in_reader_language(one.label.model_dump())) for one in entries), description=hint
        )
    return StringField(label, [*wanted, at_most(200)], description=hint)


def read_details(form: Form, asked: Sequence[Question]) -> dict[str, Any]:
    """Answers by the question's name, as ``operations.save_details`` takes them."""
    found: dict[str, Any] = {}
    for question in asked:
        value = form[field_name(question)].data
        found[question.name] = value.isoformat() if isinstance(value, date) else value
    return found


class RelativesForm(Form):
    any_close = RadioField(
        _("Is somebody close to you on the council or the boards, or may somebody come on them?"),
        [required(_("Choose yes or no."))],
        choices=options([("no", _("No, as far as I know")), ("yes", _("Yes"))]),
    )


class RelativeForm(Form):
    name = StringField(_("Name of that person"), [required(_("Enter the person's name.")), at_most(120)])
    kind = SelectField(
        _("That person is my"),
        [required(_("Choose the relation from the list."))],
        choices=options([("", "–"), *((kind, _(name)) for kind, name in RELATION_NAMES.items() if kind != "self")]),
    )
    unit = StringField(_("Where that person works"), [at_most(200)])
    identity = StringField(
        _("Number of that person's identity document"),
        [at_most(30)],
        description=_("If you know it. It is kept as a fingerprint only and makes sure that nobody is mistaken for somebody else."),
        render_kw={"autocomplete": "off"},
    )


class SignForm(Form):
    criterion = HiddenField()
    typed = StringField(
        _("Type your full name to sign"),
        [required(_("Type your full name to sign.")), at_most(120)],
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class UploadForm(Form):
    file = FileField(_("File"), render_kw={"required": False})


class AccommodationForm(Form):
    measures = CheckboxesField(_("What do you need?"))
    explanation = TextAreaField(
        _("Why do you need it?"),
        [required(_("Write in a few words why you need it.")), at_most(4000)],
        description=_("For example: a visual impairment; I work with a screen magnifier. Read only by those who decide."),
        render_kw={"rows": 5},
    )

    def offer(self, kinds: Sequence[str]) -> None:
        self.measures.choices = options((kind, gettext(MEASURES[kind])) for kind in MEASURES if kind in kinds)


class SubmitForm(Form):
    """Handing in: the button is the statement."""


class WithdrawForm(Form):
    sure = RadioField(
        _("Do you really withdraw your application?"),
        [required(_("Choose yes or no."))],
        choices=options([("no", _("No, I go on")), ("yes", _("Yes, I withdraw it for good"))]),
    )


class AnswerForm(Form):
    answer = TextAreaField(_("Your answer"), [at_most(4000)], render_kw={"rows": 5})


# ---------------------------------------------------------------- the office


class FilterForm(Form):
    class Meta(Form.Meta):
        csrf = False

    post = SelectField(_("Post"), [Wanted()])
    state = SelectField(_("State"), [Wanted()])
    search = StringField(_("Name or number"), [Wanted(), at_most(120)])


class FindingForm(Form):
    met = RadioField(
        _("Finding"),
        [required(_("Choose whether the criterion is met."))],
        choices=options([("yes", _("Met")), ("no", _("Not met"))]),
    )
    reason = TextAreaField(
        _("Reason"),
        [at_most(2000)],
        description=_("Needed where the criterion is not met, or where you find other than was computed."),
        render_kw={"rows": 2},
    )


class SupplementForm(Form):
    files = CheckboxesField(_("Files to be handed in anew"))
    text = TextAreaField(
        _("What is missing"),
        [required(_("Write what is missing, so that the candidate understands it.")), at_most(2000)],
        description=_("The candidate reads this. One line for each thing."),
        render_kw={"rows": 5},
    )


class DecisionForm(Form):
    eligible = RadioField(
        _("Decision on the file"),
        [required(_("Choose the decision."))],
        choices=options([("yes", _("The candidate is eligible")), ("no", _("The file is refused"))]),
    )
    reason = TextAreaField(
        _("Reason of a refusal"),
        [at_most(2000)],
        description=_("The candidate reads it. Left empty, the reasons of the criteria that are not met are taken."),
        render_kw={"rows": 3},
    )


class ReasonForm(Form):
    reason = TextAreaField(_("Reason"), [required(_("Write the reason.")), at_most(2000)], render_kw={"rows": 3})


class RelativeMatchForm(Form):
    account = SelectField(_("Who is meant?"), [required(_("Choose who is meant."))])


class GrantForm(Form):
    """The decision on a request; a field of minutes for each seated part is added by :func:`grant_form`."""

    measures = CheckboxesField(_("Granted"))
    reason = TextAreaField(
        _("Reason"),
        [required(_("Write the reason; the candidate will read it.")), at_most(2000)],
        render_kw={"rows": 3},
    )


def grant_form(kinds: Sequence[str], most: Mapping[str, int], labels: Mapping[str, str], **data: Any) -> GrantForm:
    """The decision's form with the extra minutes of each seated part."""
    fields: dict[str, Field] = {
        f"extra_{place}": IntegerField(
            gettext("Extra minutes: %(part)s") % {"part": labels[part]},
            [Optional(), NumberRange(0, limit, message=gettext("Enter 0 to %(most)d minutes.") % {"most": limit})],
            description=gettext("At most %(most)d minutes.") % {"most": limit},
            render_kw={"inputmode": "numeric"},
        )
        for place, (part, limit) in enumerate(most.items())
    }
    form: GrantForm = type("GrantFormWithParts", (GrantForm,), dict(fields))(**data)
    form.measures.choices = options((kind, gettext(MEASURES[kind])) for kind in MEASURES if kind in kinds)
    return form


class ShortageForm(Form):
    outcome = RadioField(_("How does it go on?"), [required(_("Choose how it goes on."))])
    until = DayField(
        _("Take applications until the end of"),
        [Optional()],
        description=_("Only where applications are taken again. The day counts; for example 20/12/2026."),
    )
    reason = TextAreaField(
        _("Reason"),
        [required(_("Write the reason.")), at_most(2000)],
        description=_("For the file; those who approve read it."),
        render_kw={"rows": 4},
    )
    announcement_vi = TextAreaField(
        _("What candidates and the public read, in Vietnamese"), [required(_("Write the announcement.")), at_most(2000)], render_kw={"rows": 3}
    )
    announcement_en = TextAreaField(
        _("What candidates and the public read, in English"), [required(_("Write the announcement.")), at_most(2000)], render_kw={"rows": 3}
    )
    number = StringField(_("Number of the decision"), [required(_("Enter the number of the decision.")), at_most(60)])
    decided_on = DayField(_("Date of the decision"), [required(_("Enter the date of the decision."))])


def end_of(day: date | None, zone: Any) -> datetime | None:
    """The first moment after the day, in UTC."""
    return None if day is None else datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
