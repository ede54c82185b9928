"""The base of every form: CSRF, Vietnamese messages, text normalised at the door, and the error summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import Field, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from examsvc.base import language, web
from examsvc.base.errors import Refused

_ = lazy_gettext


class CheckboxesField(SelectMultipleField):
    """Several of a list, each with its own box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class _Translations:
    """WTForms' own sentences through our catalogue: it has no Vietnamese one."""

    def gettext(self, string: str) -> str:
        return str(gettext(string))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return str(gettext(singular if n == 1 else plural))


class Form(FlaskForm):
    """A form whose text fields are trimmed and in NFC, and which can carry an operation's refusal."""

    class Meta(FlaskForm.Meta):
        csrf_time_limit = None  # a token lives as long as the sitting: a long form must always be postable

        def get_translations(self, form: Any) -> _Translations:
            return _Translations()

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Field:
            if unbound_field.field_class.__name__ in ("StringField", "TextAreaField", "EmailField", "SearchField", "TelField"):
                filters = list(unbound_field.kwargs.get("filters", ()))
                options = {**options, "filters": [_tidy, *filters]}
                unbound_field = type(unbound_field)(
                    unbound_field.field_class,
                    *unbound_field.args,
                    name=unbound_field.name,
                    **{k: v for k, v in unbound_field.kwargs.items() if k != "filters"},
                )
            field: Field = unbound_field.bind(form=form, **options)
            return field

    def refuse(self, refusal: Refused) -> None:
        """Ties an operation's refusal to its field, or to the form as a whole."""
        sentence = web.explain(refusal)
        if refusal.field and refusal.field in self._fields:
            field = self._fields[refusal.field]
            field.errors = [*field.errors, sentence]
        else:
            self.form_errors.append(sentence)

    def summary(self) -> list[tuple[str | None, str]]:
        """(id of the field or None, sentence) for the error summary, in the order of the fields."""
        found: list[tuple[str | None, str]] = [(None, str(sentence)) for sentence in self.form_errors]
        for field in self:
            if field.type == "CSRFTokenField":
                found += [(None, str(sentence)) for sentence in field.errors]
                continue
            for error in field.errors:
                found.append((field.id, str(error) if not isinstance(error, dict) else str(next(iter(error.values())))))
        return found


def _tidy(value: Any) -> Any:
    return language.nfc(value).replace("\r\n", "\n").replace("\x00", "").strip() if isinstance(value, str) else value


def required(sentence: Any = None) -> InputRequired:
    """The answer is needed; the sentence says what to enter."""
    return InputRequired(sentence or _("Fill in this field."))


def at_most(characters: int) -> Length:
    return Length(max=characters, message=_("Write at most %(max)d characters."))


def options(pairs: Iterable[tuple[str, Any]]) -> list[SelectChoice]:
    """Choices of a field from (value, label): WTForms drops plain tuples in its next version."""
    return [SelectChoice(value, label) for value, label in pairs]
