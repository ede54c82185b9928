"""V19: markers, panel members and rooms in numbers; information, never a failure."""

from collections.abc import Iterable
from decimal import Decimal
from statistics import mean, pstdev

from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "markers, panel members and rooms in numbers"


def statistics(read: Bundle) -> Finding:
    """V19. Number of sheets for each marker and panel member; restricted: mean and spread of the marks, and rooms."""
    notes = [
        *_people(read, "mark.recorded", "marker", "scripts"),
        *_people(read, "hearing.marked", "member", "hearings"),
        *_rooms(read),
    ]
    return conclude("V19", TITLE, (), notes)


def _people(read: Bundle, type: str, field: str, what: str) -> Iterable[str]:
    sheets: dict[str, list[str | None]] = {}
    for entry in read.of(type):
        sheet = read.opened(entry.body["sheet"])
        sheets.setdefault(entry.body[field], []).append(None if sheet is None else sheet["total"])
    for person, totals in sorted(sheets.items()):
        marks = [Decimal(total) for total in totals if total is not None]
        text = f"{person}: {len(totals)} sheets for {what}"
        if marks:
            text += f", mean {mean(marks):.2f}, standard deviation {pstdev(marks):.2f}"
        yield text


def _rooms(read: Bundle) -> Iterable[str]:
    rooms: dict[str, int] = {}
    for entry in read.of("attempt.checked_in"):
        arrival = read.opened(entry.body["arrival"])
        if arrival is not None:
            rooms[arrival["room"]] = rooms.get(arrival["room"], 0) + 1
    for room, count in sorted(rooms.items()):
        yield f"room {room}: {count} candidates"
