"""V10: every mark by the marker it was allocated to, none missing; what counts follows from the sheets."""

from collections.abc import Iterator

from examsvc.ledger.entries import Entry
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "every mark by an allocated marker or panel member, none missing, the one that counts from the sheets"


def marks(read: Bundle) -> Finding:
    """V10. Allocation and who marked are public; the marks themselves are in the restricted edition."""
    locked = {(post, entry.stage) for entry in read.of("marks.locked") for post in entry.posts}
    reasons = [*_scripts(read), *_hearings(read, locked), *_remarks(read)]
    notes = [
        f"{len(read.of('mark.recorded'))} sheets for scripts, {len(read.of('hearing.marked'))} for hearings"
    ]
    return conclude("V10", TITLE, reasons, notes)


def _scripts(read: Bundle) -> Iterator[str]:
    holders: dict[tuple[str, int], str] = {}
    allocated: dict[str, Entry] = {}
    for entry in read.of("scripts.allocated", "script.reallocated"):
        if entry.type == "script.reallocated":
            key = (entry.body["script"], entry.body["round"])
            if holders.get(key) != entry.body["from"]:
                yield f"entry {entry.index}: {entry.body['from']} did not have the script {key[0]} in round {key[1]}"
            holders[key] = entry.body["to"]
            continue
        table = read.opened(entry.body["allocation"])
        if table is None:
            continue
        if len({row["script"] for row in table["rows"]}) != entry.body["scripts"]:
            yield f"entry {entry.index} counts {entry.body['scripts']} scripts, its table another number"
        for row in table["rows"]:
            holders[(row["script"], row["round"])] = row["marker"]
            allocated[row["script"]] = entry
    mapped = sum(len(entry.body["pairs"]) for entry in read.of("blind.map", "plans.map"))
    if read.of("scripts.allocated") and len(allocated) != mapped:
        yield f"{mapped} scripts were mapped and {len(allocated)} allocated"
    newest: dict[tuple[str, int], Entry] = {}
    by_script: dict[str, dict[str, int]] = {}
    for entry in read.of("mark.recorded"):
        body = entry.body
        key = (body["script"], body["round"])
        if entry.actor != body["marker"]:
            yield f"entry {entry.index}: {entry.actor} handed in a sheet for {body['marker']}"
        if body["script"] not in allocated:
            yield f"entry {entry.index}: the script {body['script']} was never allocated"
        elif key in holders and not _was_holder(read, entry, holders[key]):
            yield f"entry {entry.index}: {body['marker']} did not have the script {body['script']} in round {body['round']}"
        if (
            by_script.setdefault(body["script"], {}).setdefault(body["marker"], body["round"])
            != body["round"]
        ):
            yield f"entry {entry.index}: {body['marker']} marked the script {body['script']} in two rounds"
        sheet = read.opened(body["sheet"])
        if sheet is not None and any(
            sheet[name] != body[name] for name in ("script", "marker", "round", "version")
        ):
            yield f"entry {entry.index}: its sheet is for another script, marker, round or version"
        if key not in newest or body["version"] > newest[key].body["version"]:
            newest[key] = entry
    locked = any(
        "written" in map(str, kinds) or "plan" in map(str, kinds)
        for entry in read.of("marks.locked")
        for post in entry.posts
        for kinds in [(read.declared_stages() or {}).get(post, {}).get(str(entry.stage), frozenset())]
    )
    if locked:
        for (script, place), marker in holders.items():
            # a third marker is drawn with the others, and marks only where the regulation asks for it (V13)
            if place < 3 and (script, place) not in newest:
                yield f"the script {script} has no mark by {marker} in round {place}"
    yield from _settled(read, newest)


def _remarks(read: Bundle) -> Iterator[str]:
    """Re-marks by those drawn for it, none of whom marked the script before."""
    drawn: dict[tuple[str, str, int], str] = {}
    for entry in read.of("remark.allocated"):
        table = read.opened(entry.body["allocation"])
        for row in table["rows"] if table is not None else ():
            drawn[(entry.body["appeal"], row["script"], row["round"])] = row["marker"]
    before: dict[str, set[str]] = {}
    for entry in read.of("mark.recorded"):
        before.setdefault(entry.body["script"], set()).add(entry.body["marker"])
    old = {
        value["script"]: value["old"]
        for entry in read.of("remark.ordered")
        for value in map(read.opened, entry.body["pairs"])
        if value is not None
    }
    for entry in read.of("remark.recorded"):
        body = entry.body
        key = (body["appeal"], body["script"], body["round"])
        if (
            entry.actor != body["marker"]
            or drawn.get(key, body["marker"] if not drawn else None) != body["marker"]
        ):
            yield f"entry {entry.index}: {entry.actor} marked {body['script']} again without having been drawn for it"
        if body["marker"] in before.get(old.get(body["script"], ""), set()):
            yield f"entry {entry.index}: {body['marker']} marked this script before"
        sheet = read.opened(body["sheet"])
        if sheet is not None and any(sheet[name] != body[name] for name in ("script", "marker", "round")):
            yield f"entry {entry.index}: its sheet is for another script, marker or round"


def _was_holder(read: Bundle, mark: Entry, now: str) -> bool:
    """Whether the marker held the script when he marked it; he may have been replaced since."""
    body = mark.body
    later = [
        entry
        for entry in read.of("script.reallocated")
        if (entry.body["script"], entry.body["round"]) == (body["script"], body["round"])
        and entry.index > mark.index
    ]
    return bool(body["marker"] == (later[0].body["from"] if later else now))


def _settled(read: Bundle, newest: dict[tuple[str, int], Entry]) -> Iterator[str]:
    sheets: dict[str, list[Entry]] = {}
    for key in sorted(newest):
        sheets.setdefault(key[0], []).append(newest[key])
    last = {entry.body["script"]: entry for entry in read.of("mark.settled")}
    for entry in read.of("mark.settled"):
        value, script = read.opened(entry.body["settlement"]), entry.body["script"]
        if value is None:
            continue
        if value["script"] != script:
            yield f"entry {entry.index}: its settlement is for another script"
            continue
        given = [
            read.opened(sheet.body["sheet"]) for sheet in sheets.get(script, ()) if sheet.index < entry.index
        ]
        if (
            entry is last[script]
            and None not in given
            and [sheet["total"] for sheet in given] != value["marks"]
        ):
            yield f"entry {entry.index}: it settles other marks than those on the sheets"


def _hearings(read: Bundle, locked: set[tuple[str, str | None]]) -> Iterator[str]:
    panels: dict[str, set[str]] = {}
    for entry in read.of("hearing.listed", "hearing.substituted"):
        hearing = entry.body["hearing"]
        if entry.type == "hearing.listed":
            panels[hearing] = set(entry.body["panel"])
        elif entry.body["from"] not in panels.get(hearing, set()) or entry.body["to"] in panels[hearing]:
            yield f"entry {entry.index}: {entry.body['to']} cannot take the place of {entry.body['from']}"
        else:
            panels[hearing] = panels[hearing] - {entry.body["from"]} | {entry.body["to"]}
    totals: dict[str, dict[str, str | None]] = {}
    for entry in read.of("hearing.marked"):
        body = entry.body
        if body["member"] not in panels.get(body["hearing"], set()) or entry.actor != body["member"]:
            yield f"entry {entry.index}: {entry.actor} marked a hearing for {body['member']}, who is not on its panel"
        sheet = read.opened(body["sheet"])
        if sheet is not None and any(sheet[name] != body[name] for name in ("hearing", "member", "version")):
            yield f"entry {entry.index}: its sheet is for another hearing, member or version"
        totals.setdefault(body["hearing"], {})[body["member"]] = None if sheet is None else sheet["total"]
    first: dict[str, dict[str, int]] = {}
    for entry in reversed(read.of("hearing.marked")):
        first.setdefault(entry.body["hearing"], {})[entry.body["member"]] = entry.index
    for entry in read.of("hearing.shown"):
        handed_in = first.get(entry.body["hearing"], {})
        early = {member for member, index in handed_in.items() if index < entry.index}
        if early != panels.get(entry.body["hearing"]) or len(early) != entry.body["members"]:
            yield f"entry {entry.index}: marks were shown before every member of the panel had handed in"
    for entry in read.of("hearing.ended"):
        hearing = entry.body["hearing"]
        if any((post, entry.stage) in locked for post in entry.posts) and totals.get(
            hearing, {}
        ).keys() != panels.get(hearing):
            yield f"the hearing {hearing} was not marked by exactly its panel"
    for entry in read.of("hearing.settled"):
        value, given = read.opened(entry.body["settlement"]), totals.get(entry.body["hearing"], {})
        if value is None:
            continue
        if value["hearing"] != entry.body["hearing"]:
            yield f"entry {entry.index}: its settlement is for another hearing"
        elif None not in given.values() and value["marks"] != [given[member] for member in sorted(given)]:
            yield f"entry {entry.index}: it settles other marks than those on the sheets"
