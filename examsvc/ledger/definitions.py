"""What the definition of an entry type says; the words themselves stand in `examsvc.ledger.vocabulary`."""

from dataclasses import dataclass
from enum import StrEnum

from examsvc.ledger import fields
from examsvc.ledger.fields import Field


class Log(StrEnum):
    """Which log an entry stands in: one for each competition, and one small registry for each installation."""

    COMPETITION = "competition"
    REGISTRY = "registry"


class Scope(StrEnum):
    """What an entry is about: the whole log, the posts in its `posts`, or the stage in its `stage` for these posts."""

    LOG = "log"
    POST = "post"
    STAGE = "stage"


class StageKind(StrEnum):
    """What kinds of part a stage has; it may have several. Texts read by people are marked under codes."""

    OBJECTIVE = "objective"
    """Sat, marked by the machine."""
    WRITTEN = "written"
    """Sat, marked by people."""
    PLAN = "plan"
    """Handed in with the application, marked by people."""
    DEFENCE = "defence"
    """Heard and marked by a panel."""


class Lock(StrEnum):
    """Whether an entry may follow `marks.locked` of its stage."""

    CLOSED = "closed"  # never
    APPROVED = "approved"  # yes, approved by two or carrying out an order approved by two
    FREE = "free"  # yes: it changes no mark and no rank


class Opening(StrEnum):
    """Who gets salt and object of a commitment."""

    PUBLIC = "public"  # both editions of the bundle
    RESTRICTED = "restricted"  # the restricted edition only
    SUBJECT = "subject"  # the person it concerns and lawful inspection; no bundle


PART_KINDS = {
    "objective": StageKind.OBJECTIVE,
    "essay": StageKind.WRITTEN,
    "plan": StageKind.PLAN,
    "defence": StageKind.DEFENCE,
    "interview": StageKind.DEFENCE,
    "simulation": StageKind.DEFENCE,
}
"""Kind of a part in a regulation → kind of the stage for the log."""

ALL_STAGES = frozenset(StageKind)
SEATED = frozenset({StageKind.OBJECTIVE, StageKind.WRITTEN})
MACHINE_MARKED = frozenset({StageKind.OBJECTIVE})
WRITTEN = frozenset({StageKind.WRITTEN})
PLANS = frozenset({StageKind.PLAN})
BLIND = WRITTEN | PLANS
HEARD = frozenset({StageKind.DEFENCE})
IN_COMPETITION = frozenset({Log.COMPETITION})
IN_REGISTRY = frozenset({Log.REGISTRY})
IN_BOTH = frozenset(Log)

# Codes of things are unique in a log, whatever post or stage they belong to; all other number fields
# (version, round, part …) count within a post or stage.
THINGS = (
    "application",
    "appeal",
    "attempt",
    "competition",
    "custodian",
    "draw",
    "hearing",
    "hold",
    "incident",
    "paper",
    "person",
    "script",
    "sitting",
)

APPROVAL = fields.record(
    Field("by", fields.CODE, "who approved"),
    Field("t", fields.TIME, "when"),
)


@dataclass(frozen=True, slots=True)
class ObjectType:
    """What a commitment hides: `name` goes into the hash, `fields` are all it may hold.

    Openings of `personal` objects are erased on schedule, salt and object; the log stays valid.
    """

    name: str
    note: str
    fields: tuple[Field, ...]
    opening: Opening
    personal: bool


@dataclass(frozen=True, slots=True)
class EntryType:
    """One word of the vocabulary.

    `number` holds the fields that make the entry unique: None any number, () one for each unit of the scope (log, post,
    stage of a post). `after` and `before`: an entry of the first must, of the second must not, already stand for the
    same posts, stage and things. `within`: an entry of the first kind is open, not yet closed by the second.
    `kinds`: it occurs in stages that have a part of one of these.
    `orders`: the body's `under` is the index of an earlier entry of one of these types that this entry carries out.
    """

    name: str
    when: str
    by: str
    log: frozenset[Log]
    scope: Scope
    number: tuple[str, ...] | None
    fields: tuple[Field, ...]
    approvers: int
    after: tuple[str, ...]
    before: tuple[str, ...]
    within: tuple[str, str] | None
    orders: tuple[str, ...]
    kinds: frozenset[StageKind]
    lock: Lock
    required: bool

    @property
    def body(self) -> tuple[Field, ...]:
        """All fields of the body: scope, own, order and approvals."""
        scope: tuple[Field, ...] = ()
        if self.scope is Scope.STAGE:
            scope = (STAGE_FIELD, POSTS_FIELD)
        elif self.scope is Scope.POST:
            scope = (POSTS_FIELD,)
        order = (UNDER_FIELD,) if self.orders else ()
        approvals = (APPROVALS_FIELD, SUMMARY_FIELD) if self.approvers else ()
        return scope + self.fields + order + approvals

    @property
    def number_in_words(self) -> str:
        """once, once per post, once per stage, once per attempt, …, or any."""
        unit = {Scope.LOG: (), Scope.POST: ("post",), Scope.STAGE: ("stage",)}[self.scope]
        if self.number is None:
            return "any"
        key = self.number if any(name in THINGS for name in self.number) else unit + self.number
        return "once per " + " and ".join(key) if key else "once"


STAGE_FIELD = Field("stage", fields.CODE, "stage, as the regulation names it")
POSTS_FIELD = Field("posts", fields.set_of(fields.CODE), "posts it applies to")
UNDER_FIELD = Field("under", fields.INTEGER, "index of the entry that ordered it")
APPROVALS_FIELD = Field(
    "approvals", fields.list_of(APPROVAL, most=20), "who approved this very summary, and when"
)
SUMMARY_FIELD = Field(
    "summary", fields.commitment("approval.summary"), "what the approvers read before they approved"
)


def entry(
    name: str,
    *own: Field,
    when: str,
    by: str,
    number: tuple[str, ...] | None,
    scope: Scope = Scope.STAGE,
    log: frozenset[Log] = IN_COMPETITION,
    approvers: int = 0,
    after: tuple[str, ...] = (),
    before: tuple[str, ...] = (),
    within: tuple[str, str] | None = None,
    orders: tuple[str, ...] = (),
    kinds: frozenset[StageKind] = ALL_STAGES,
    lock: Lock | None = None,
    required: bool = False,
) -> EntryType:
    """Define an entry type; what is about a stage may not follow its lock unless `lock` says otherwise."""
    if lock is None:
        lock = Lock.CLOSED if scope is Scope.STAGE else Lock.FREE
    return EntryType(
        name,
        when,
        by,
        log,
        scope,
        number,
        own,
        approvers,
        after,
        before,
        within,
        orders,
        kinds,
        lock,
        required,
    )


def committed(name: str, *own: Field, note: str, opening: Opening, personal: bool) -> ObjectType:
    """Define a committed object."""
    return ObjectType(name, note, own, opening, personal)
