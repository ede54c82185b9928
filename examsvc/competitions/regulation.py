"""A regulation: every number of a competition that an authority could change, as data.

A regulation is written in TOML, read strictly (`read_toml`), checked for shape here and for sense by `regulation_lint.lint`,
and pinned to a competition by the digest of its canonical bytes (`Regulation.canonical_bytes`, `Regulation.digest`). Other
rooms read their numbers from the typed clauses; docs/formats/regulation.md describes every field.
"""

import hashlib
import json
from collections.abc import Iterator
from importlib import resources
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from examsvc.competitions.board_clauses import Approval, Council, Relations, Role, RoleConflicts, VoteRule
from examsvc.competitions.draw_clauses import DrawRule
from examsvc.competitions.entry_clauses import (
    Admission,
    Criterion,
    FileRule,
    Freeze,
    InForce,
    Posts,
    SourceDocument,
    Transition,
)
from examsvc.competitions.exam_clauses import (
    EssayPart,
    LateBand,
    ObjectivePart,
    PanelPart,
    Paper,
    Part,
    PassMark,
    PlanPart,
    Remedy,
    Sanction,
    Sitting,
    Stage,
    WitnessRules,
)
from examsvc.competitions.marking_clauses import Discrepancy, MarkingScheme, Panel
from examsvc.competitions.procedure_clauses import AppealChannel, Calendar, Intervention, Notice, Retention
from examsvc.competitions.regulation_reading import (
    Problem,
    RegulationError,
    problems_of,
    read_canonical_tree,
    read_toml_tree,
)
from examsvc.competitions.result_clauses import (
    Disclosure,
    Priority,
    Publication,
    Rounding,
    Selection,
    Ties,
    Total,
)
from examsvc.competitions.terms import Clause, Interval, Label, Model, Slug, Text, path_key
from examsvc.ledger import canonical

__all__ = [
    "FORMAT",
    "AppealChannel",
    "Approval",
    "Clause",
    "Council",
    "Criterion",
    "Discrepancy",
    "DrawRule",
    "EssayPart",
    "FileRule",
    "Interval",
    "Label",
    "LateBand",
    "MarkingScheme",
    "ObjectivePart",
    "Panel",
    "PanelPart",
    "Part",
    "PassMark",
    "PlanPart",
    "Problem",
    "Regulation",
    "RegulationError",
    "Retention",
    "Role",
    "Sanction",
    "Stage",
    "VoteRule",
    "clauses",
    "preset_bytes",
    "preset_names",
    "read_canonical",
    "read_document",
    "read_preset",
    "read_toml",
]


class HasId(Protocol):
    """Anything with a name of its own."""

    @property
    def id(self) -> str: ...


Named = TypeVar("Named", bound=HasId)
Document = TypeVar("Document", bound=Model)

FORMAT = 1
"""Version of the schema; a document of another one is refused."""


class Regulation(Model):
    """A whole regulation."""

    format: Literal[1]
    """Version of this schema."""
    id: Slug
    """Name of the regulation."""
    version: Text
    """Version of its text, as its author counts."""
    title: Label
    """Title."""
    summary: Label
    """What it is for and what must be known before using it."""
    languages: Annotated[tuple[Literal["vi", "en"], ...], Field(min_length=1)]
    """Languages in which candidates may sit, the first is offered first."""
    jurisdiction: Label
    """Where it applies."""
    example: bool
    """True where it follows no rule of any authority and only shows what is possible."""
    sources: tuple[SourceDocument, ...]
    """Documents that it rests on."""
    in_force: InForce
    """When the rule is in force."""
    transition: Transition
    """What a change of the rule does to a competition under way."""
    freezes: tuple[Freeze, ...] = ()
    """Periods in which no competition may be opened."""
    posts: Posts
    """Posts and appointments it is for."""
    admission: Admission
    """Who may enter."""
    files: tuple[FileRule, ...]
    """What candidates hand in."""
    notice: Notice
    """The public notice."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    """Steps of the selection, in order."""
    sitting: Sitting
    """Rules of the hall."""
    late: tuple[LateBand, ...]
    """Late limits by length of the part."""
    sanctions: tuple[Sanction, ...]
    """Sanctions in the hall."""
    remedies: tuple[Remedy, ...]
    """What disturbances lead to."""
    paper: Paper
    """How papers are kept."""
    draws: tuple[DrawRule, ...] = ()
    """What is decided by lot and how; what is absent is not drawn, or by the computer at once where a draw is needed."""
    marking: tuple[MarkingScheme, ...]
    """How scripts are marked."""
    panels: tuple[Panel, ...]
    """Panels that hear candidates."""
    rounding: Rounding
    """Where numbers are rounded."""
    total: Total
    """How parts make the total."""
    priority: Priority | None = None
    """Priority points; none where absent."""
    ties: Ties
    """How ties are broken."""
    selection: Selection
    """Who is chosen."""
    publication: Publication
    """What is published."""
    disclosure: Disclosure
    """How much the public record shows."""
    calendar: Calendar
    """Deadlines, working days and holidays."""
    appeals: tuple[AppealChannel, ...]
    """Ways to contest."""
    interventions: tuple[Intervention, ...]
    """Who may postpone, suspend, resume, annul, correct."""
    roles: Annotated[tuple[Role, ...], Field(max_length=60)]
    """Roles and how many people each needs."""
    conflicts: RoleConflicts
    """Roles that exclude each other."""
    approvals: tuple[Approval, ...]
    """Steps that two or more people approve."""
    council: Council
    """The council."""
    votes: tuple[VoteRule, ...]
    """Votes: the council's and any others."""
    relations: Relations
    """Relations that bar or lead to recusal."""
    retention: tuple[Retention, ...]
    """How long data is kept."""
    witnesses: WitnessRules | None = None
    """Outside witnesses of the log; none where absent."""

    @model_validator(mode="after")
    def _part_names_are_unique(self) -> Self:
        names = [part.id for part in self.parts]
        for name in names:
            if names.count(name) > 1:
                raise PydanticCustomError(
                    "duplicate-part", "has two parts with the name {name}", {"name": name}
                )
        return self

    # -------------------------------------------------------------------------------------- looking things up

    @property
    def parts(self) -> tuple[ObjectivePart | EssayPart | PlanPart | PanelPart, ...]:
        """All parts, in the order in which they are sat."""
        return tuple(part for stage in self.stages for part in stage.parts)

    def part(self, part_id: str) -> ObjectivePart | EssayPart | PlanPart | PanelPart:
        """The part of this name. KeyError where there is none."""
        return _named(self.parts, part_id)

    def stage(self, stage_id: str) -> Stage:
        """The stage of this name. KeyError where there is none."""
        return _named(self.stages, stage_id)

    def stage_of(self, part_id: str) -> Stage:
        """The stage that a part belongs to. KeyError where there is no such part."""
        for stage in self.stages:
            if any(part.id == part_id for part in stage.parts):
                return stage
        raise KeyError(part_id)

    def marking_of(self, part: EssayPart | PlanPart) -> MarkingScheme:
        """The marking scheme of a part. KeyError where the regulation lacks it (lint reports that)."""
        return _named(self.marking, part.marking)

    def panel_of(self, part: PanelPart) -> Panel:
        """The panel of a part. KeyError where the regulation lacks it (lint reports that)."""
        return _named(self.panels, part.panel)

    def file(self, file_id: str) -> FileRule:
        """The rule of a file. KeyError where there is none."""
        return _named(self.files, file_id)

    def role(self, role_id: str) -> Role:
        """The role of this name. KeyError where there is none."""
        return _named(self.roles, role_id)

    def vote(self, vote_id: str) -> VoteRule:
        """The vote rule of this name. KeyError where there is none."""
        return _named(self.votes, vote_id)

    def channel(self, channel_id: str) -> AppealChannel:
        """The appeal channel of this name. KeyError where there is none."""
        return _named(self.appeals, channel_id)

    def sanction(self, sanction_id: str) -> Sanction:
        """The sanction of this name. KeyError where the regulation does not know it."""
        return _named(self.sanctions, sanction_id)

    def approval(self, step: str) -> Approval | None:
        """The rule for approving a step; None where one person may take it alone."""
        return next((approval for approval in self.approvals if approval.step == step), None)

    def draw(self, purpose: str) -> DrawRule | None:
        """The rule of a draw; None where the regulation says nothing."""
        return next((one for one in self.draws if one.id == purpose), None)

    def intervention(self, kind: str) -> Intervention | None:
        """The rule for postponing, suspending and so on; None where the regulation does not allow it."""
        return next((one for one in self.interventions if one.kind == kind), None)

    def late_limit(self, minutes: int) -> int:
        """Latest admission after the bell, in minutes, for a part of this length. LookupError for a gap (lint)."""
        for band in self.late:
            if minutes in band.duration:
                return band.minutes
        raise LookupError(f"No late limit is stated for a part of {minutes} minutes.")

    # -------------------------------------------------------------------------------------- bytes

    def canonical_bytes(self) -> bytes:
        """The one spelling of this regulation: JSON after RFC 8785, every field present, exact numbers as texts."""
        return canonical.encode(self.model_dump(mode="json"))

    def digest(self) -> str:
        """SHA-256 of the canonical bytes, 64 lower-case hexadecimal digits."""
        return hashlib.sha256(self.canonical_bytes()).hexdigest()


def _named(items: tuple[Named, ...], name: str) -> Named:
    for item in items:
        if item.id == name:
            return item
    raise KeyError(name)


def read_toml(data: bytes) -> Regulation:
    """Read a regulation from TOML. RegulationError with every problem found."""
    tree = read_toml_tree(data)
    _check_format(tree)
    return _validated(tree, Regulation)


def read_canonical(data: bytes) -> Regulation:
    """Read a regulation from its canonical bytes, and from no other spelling of them. RegulationError.

    A field that this program knows and the document does not was added after the document was pinned; it has its default, and
    the document keeps its bytes. Its digest is that of the bytes, not `digest` of what is returned.
    """
    tree = read_canonical_tree(data)
    _check_format(tree)
    regulation = _validated(tree, Regulation)
    if canonical.encode(regulation.model_dump(mode="json", exclude_unset=True)) != data:
        sentence = "The document is not in canonical form; export the regulation again."
        raise RegulationError([Problem("not-canonical", "", sentence)])
    return regulation


def read_document(data: bytes, model: type[Document]) -> Document:
    """Read a smaller document, such as holiday tables, by the same rules. RegulationError."""
    return _validated(read_toml_tree(data), model)


def _check_format(tree: dict[str, Any]) -> None:
    if tree.get("format", FORMAT) != FORMAT:
        sentence = f"format: this program reads format {FORMAT}; write format = {FORMAT} after adapting the document."
        raise RegulationError([Problem("format", "format", sentence, {"known": str(FORMAT)})])


def _validated(tree: dict[str, Any], model: type[Document]) -> Document:
    try:
        return model.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        raise RegulationError(problems_of(error, tree, model)) from None


# ---------------------------------------------------------------------------------------------- presets


def preset_names() -> tuple[str, ...]:
    """Names of the regulations that ship with the program, sorted."""
    folder = resources.files("examsvc.competitions") / "regulations"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def preset_bytes(name: str) -> bytes:
    """The TOML of a preset. KeyError for a name that is not in `preset_names()`."""
    if name not in preset_names():
        raise KeyError(name)
    return (resources.files("examsvc.competitions") / "regulations" / f"{name}.toml").read_bytes()


def read_preset(name: str) -> Regulation:
    """A preset. KeyError for a name that is not in `preset_names()`."""
    return read_toml(preset_bytes(name))


# ---------------------------------------------------------------------------------------------- clauses


def clauses(regulation: Regulation) -> Iterator[tuple[str, Clause]]:
    """Every clause with its path, "stages.written.parts.essay", outer clauses before inner ones."""
    return _clauses(regulation, "")


def _clauses(model: Model, path: str) -> Iterator[tuple[str, Clause]]:
    if isinstance(model, Clause):
        yield path, model
    for name in type(model).model_fields:
        value = getattr(model, name)
        below = f"{path}.{name}" if path else name
        if isinstance(value, Model):
            yield from _clauses(value, below)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, Model):
                    yield from _clauses(item, f"{below}.{path_key(item) or index}")
