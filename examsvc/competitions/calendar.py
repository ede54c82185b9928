"""Deadlines: from events, rules, holidays and the number of applicants to dates with their explanation.

Counting. The day of the base event does not count: one working day after a Friday is the next working day. A deadline in days
ends with its local day: "at latest" on 10 March means before local midnight at the start of 11 March; "at earliest" means from
local midnight at the start of the day. Months keep the day of the month, or take the last one where the month is shorter
(31 January and one month: 28 or 29 February). Hours are counted from the instant.

Working days skip the days of the weekend and the holidays; a day announced as worked to make up counts although it is in a
weekend or a holiday. Holidays of a year that nobody has entered are not guessed: the deadline names the year in `years_without_holidays`.
"""

import calendar as months_of_years
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo

from examsvc.competitions.procedure_clauses import Calendar, DeadlineRule, HolidayYear, Window
from examsvc.competitions.regulation import Regulation, read_document
from examsvc.competitions.terms import Label, Model


class DeadlineCycleError(ValueError):
    """Rules that count from each other in a circle; the message names the events."""


# ---------------------------------------------------------------------------------------------- working days


@dataclass(frozen=True)
class WorkingDays:
    """Which days are worked."""

    weekend: frozenset[int]
    """Days off in every week, 1 = Monday to 7 = Sunday; never all seven."""
    holidays: frozenset[date]
    made_up: frozenset[date]
    """Days worked although they are in a weekend or are a holiday."""
    years: frozenset[int]
    """Years whose holidays are known."""

    def __post_init__(self) -> None:
        if len(self.weekend) >= 7:
            raise ValueError("The weekend has all seven days; leave at least one working day.")

    def is_working(self, day: date) -> bool:
        """Whether people work on this day."""
        return day in self.made_up or (day.isoweekday() not in self.weekend and day not in self.holidays)

    def shift(self, day: date, count: int) -> date:
        """The count-th working day after the day, before it for a negative count, the day itself for 0."""
        step = timedelta(days=1 if count > 0 else -1)
        left = abs(count)
        while left:
            day += step
            left -= self.is_working(day)
        return day

    def nearest(self, day: date, direction: Literal[1, -1]) -> date:
        """The day itself if it is worked, else the next (1) or the previous (−1) working day."""
        while not self.is_working(day):
            day += timedelta(days=direction)
        return day


def working_days(calendar: Calendar, institution: Iterable[HolidayYear] = ()) -> WorkingDays:
    """Working days of a regulation's calendar; the institution's tables stand in for years the regulation lacks."""
    years = {table.year: table for table in institution} | {table.year: table for table in calendar.years}
    return WorkingDays(
        frozenset(calendar.weekend),
        frozenset(holiday.day for table in years.values() for holiday in table.holidays),
        frozenset(day for table in years.values() for day in table.working),
        frozenset(years),
    )


class HolidayTables(Model):
    """Holidays of several years, as an institution keeps them."""

    title: Label
    """What country or office they are for."""
    years: tuple[HolidayYear, ...]
    """One table for each year."""


def read_holidays(data: bytes) -> HolidayTables:
    """Holiday tables from TOML. RegulationError with every problem found."""
    return read_document(data, HolidayTables)


def holiday_presets() -> tuple[str, ...]:
    """Names of the holiday tables that ship with the program, sorted."""
    folder = resources.files("examsvc.competitions") / "holidays"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


def holiday_preset(name: str) -> HolidayTables:
    """Holiday tables that ship with the program. KeyError for a name not in `holiday_presets()`."""
    if name not in holiday_presets():
        raise KeyError(name)
    return read_holidays((resources.files("examsvc.competitions") / "holidays" / f"{name}.toml").read_bytes())


# ---------------------------------------------------------------------------------------------- deadlines

State = Literal["waiting-for-base", "waiting-for-applicants", "open", "overdue", "kept", "broken"]


@dataclass(frozen=True)
class Step:
    """One line of the explanation; pages translate by code."""

    code: Literal["base", "forecast-base", "offset", "size", "roll", "bound"]
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Deadline:
    """A rule applied to the events known so far."""

    rule: DeadlineRule
    state: State
    """"kept" and "broken" compare with the event's own time, past or planned; "overdue": not dated and too late."""
    day: date | None
    """Local day of the deadline; None while it waits."""
    instant: datetime | None
    """UTC. At latest: the event must come before it. At earliest: the event must not come before it."""
    forecast: bool
    """Whether the base is not dated itself and was taken from its own deadline."""
    steps: tuple[Step, ...]
    """How it came about."""
    years_without_holidays: tuple[int, ...]
    """Years that were counted in working days although their holidays are not known."""


def deadline_rules(regulation: Regulation) -> tuple[DeadlineRule, ...]:
    """The calendar's rules, and those that follow from appeal windows and retention, which are stated only there.

    Windows bound the events "appeals-closed:<channel>" and "appeals-decided:<channel>", retention "kept-until:<rule>".
    """
    rules = list(regulation.calendar.deadlines)
    for channel in regulation.appeals:
        if channel.window:
            rules.append(_window_rule(f"appeals-closed:{channel.id}", channel.label, channel.window))
        if channel.decided_within:
            rules.append(_window_rule(f"appeals-decided:{channel.id}", channel.label, channel.decided_within))
    for kept in regulation.retention:
        if kept.months is not None:
            label = Label(vi=f"Lưu giữ: {kept.id}", en=f"Kept: {kept.id}")
            window = Window(length=kept.months, unit="months", after=kept.after)
            rules.append(_window_rule(f"kept-until:{kept.id}", label, window, "at-earliest"))
    return tuple(rules)


def _window_rule(
    event: str, label: Label, window: Window, bound: Literal["at-latest", "at-earliest"] = "at-latest"
) -> DeadlineRule:
    # model_construct: the id is the event's name, which says more than a slug of its own would.
    return DeadlineRule.model_construct(
        id=event,
        label=label,
        event=event,
        bound=bound,
        direction="after",
        base=window.after,
        unit=window.unit,
        offset=window.length,
        by_applicants=(),
        roll="none",
        source=event,
        verified=False,
        unverified_fields=(),
    )


def deadlines(
    rules: Sequence[DeadlineRule],
    events: Mapping[str, datetime],
    *,
    days: WorkingDays,
    zone: ZoneInfo,
    now: datetime,
    applicants: int | None = None,
) -> tuple[Deadline, ...]:
    """Every rule's deadline, in the order of the rules.

    `events` holds the times, past or planned, of the events that have one; aware datetimes. A base without a time is taken
    from its own deadline where a rule counts it forward from an earlier event (`Deadline.forecast`): the earliest "at latest",
    or the latest "at earliest" where there is no other. DeadlineCycleError where such rules count from each other.
    """
    for name, at in events.items():
        if at.tzinfo is None:
            raise ValueError(f"The time of {name} has no time zone; give an aware datetime.")
    forward: dict[str, list[DeadlineRule]] = {}
    for rule in rules:
        if rule.direction == "after":
            forward.setdefault(rule.event, []).append(rule)
    done: dict[str, Deadline] = {}

    def moment(event: str, chain: tuple[str, ...]) -> tuple[date, datetime, bool] | None:
        """Local day, instant and whether it is a forecast."""
        if event in events:
            return events[event].astimezone(zone).date(), events[event].astimezone(UTC), False
        if event in chain:
            raise DeadlineCycleError(
                "These events count from each other: "
                + ", ".join((*chain[chain.index(event) :], event))
                + "."
            )
        found = [(r.bound, resolve(r, (*chain, event))) for r in forward.get(event, ())]
        known = [
            (bound, d.day, d.instant) for bound, d in found if d.day is not None and d.instant is not None
        ]
        latest = [(day, instant) for bound, day, instant in known if bound == "at-latest"]
        earliest = [(day, instant) for bound, day, instant in known if bound == "at-earliest"]
        if latest:
            return *min(latest), True
        return (*max(earliest), True) if earliest else None

    def resolve(rule: DeadlineRule, chain: tuple[str, ...] = ()) -> Deadline:
        if rule.id not in done:
            base = moment(rule.base, chain)
            done[rule.id] = _deadline(rule, base, events.get(rule.event), days, zone, now, applicants)
        return done[rule.id]

    return tuple(resolve(rule, (rule.event,) if rule.direction == "after" else ()) for rule in rules)


def _deadline(
    rule: DeadlineRule,
    base: tuple[date, datetime, bool] | None,
    actual: datetime | None,
    days: WorkingDays,
    zone: ZoneInfo,
    now: datetime,
    applicants: int | None,
) -> Deadline:
    if base is None:
        return Deadline(rule, "waiting-for-base", None, None, False, (), ())
    base_day, base_instant, forecast = base
    length = rule.length(applicants)
    steps = [Step("forecast-base" if forecast else "base", {"event": rule.base, "day": base_day.isoformat()})]
    if length is None:
        return Deadline(rule, "waiting-for-applicants", None, None, forecast, tuple(steps), ())
    if rule.by_applicants:
        steps.append(Step("size", {"applicants": str(applicants), "length": str(length)}))
    sign = 1 if rule.direction == "after" else -1
    if rule.unit == "hours":
        instant = base_instant + sign * timedelta(hours=length)
        day = counted = instant.astimezone(zone).date()
    else:
        if rule.unit == "working-days":
            counted = days.shift(base_day, sign * length)
        elif rule.unit == "months":
            counted = add_months(base_day, sign * length)
        else:
            counted = base_day + timedelta(days=sign * length)
        day = counted
        if rule.roll != "none":
            day = days.nearest(counted, 1 if rule.roll == "next-working-day" else -1)
        instant = local_midnight(day + timedelta(days=1) if rule.bound == "at-latest" else day, zone)
    params = {
        "length": str(length),
        "unit": rule.unit,
        "direction": rule.direction,
        "day": counted.isoformat(),
    }
    steps.append(Step("offset", params))
    if day != counted:
        steps.append(Step("roll", {"day": day.isoformat(), "rule": rule.roll}))
    steps.append(Step("bound", {"bound": rule.bound, "event": rule.event, "instant": instant.isoformat()}))
    if actual is not None:
        early = actual < instant
        state: State = "kept" if early == (rule.bound == "at-latest") else "broken"
    else:
        state = "overdue" if rule.bound == "at-latest" and now >= instant else "open"
    touched = range(min(base_day, day).year, max(base_day, day).year + 1)
    uses_working_days = rule.unit == "working-days" or rule.roll != "none"
    unknown = tuple(year for year in touched if uses_working_days and year not in days.years)
    return Deadline(rule, state, day, instant, forecast, tuple(steps), unknown)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which the local day begins, in UTC; the first existing moment where clocks skip midnight."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def add_months(day: date, count: int) -> date:
    """The same day of the month, `count` months later (earlier if negative), or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, months_of_years.monthrange(year, month + 1)[1]))


def forecast_cycle(rules: Sequence[DeadlineRule]) -> tuple[str, ...]:
    """Events that count forward from each other in a circle, the first repeated at the end; empty where none do."""
    bases: dict[str, set[str]] = {}
    for rule in rules:
        if rule.direction == "after":
            bases.setdefault(rule.event, set()).add(rule.base)
    safe: set[str] = set()

    def walk(event: str, chain: tuple[str, ...]) -> tuple[str, ...]:
        if event in chain:
            return (*chain[chain.index(event) :], event)
        if event not in safe:
            for base in sorted(bases.get(event, ())):
                if circle := walk(base, (*chain, event)):
                    return circle
            safe.add(event)
        return ()

    for event in sorted(bases):
        if circle := walk(event, ()):
            return circle
    return ()
