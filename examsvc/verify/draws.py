"""V7: every draw replays from its seed, the seed from its parts, and what was done follows the draw."""

from collections.abc import Iterator

from examsvc.ledger import draws as drawing
from examsvc.ledger import entries
from examsvc.ledger.draws import DrawError
from examsvc.ledger.entries import Entry
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLE = "draws replay from their seeds, and what was done follows them"


def draws(read: Bundle) -> Finding:
    """V7."""
    reasons: list[str] = []
    drawn = read.of("draw.drawn")
    for made in drawn:
        reasons += [f"draw {made.body['draw']}: {reason}" for reason in _draw(read, made)]
    known = {entry.body["draw"] for entry in drawn}
    for entry in read.entries:
        if (
            entry is not None
            and not entry.type.startswith("draw.")
            and "draw" in entry.body
            and entry.body["draw"] not in known
        ):
            reasons.append(
                f"entry {entry.index} ({entry.type}) names the draw {entry.body['draw']}, which was never made"
            )
    reasons += _void(read)
    if not reasons:
        reasons += _followed(read)
    for draw in read.outside:
        if draw not in known:
            reasons.append(f"there is an outside value for the draw {draw}, which was never made")
    voided = read.of("draw.voided")
    notes = [f"{len(drawn)} draws, {len(voided)} void"]
    notes += [
        f"{void.body['draw']}: declared void when every number was revealed; whoever knew the outside value knew the result, so compare "
        "the value as it was published with the reason given"
        for void in voided
        if _all_revealed(read, void)
    ]
    alone = [
        entry.body["draw"]
        for entry in read.of("draw.announced")
        if _method(read, entry) == drawing.SERVER_METHOD
    ]
    if alone:
        notes.append(
            f"{', '.join(alone)}: held by the server alone; they replay, but whoever ran it could have tried several "
            "and kept the one he liked"
        )
    return conclude("V7", TITLE, reasons, notes)


def _method(read: Bundle, announced: Entry) -> str | None:
    terms = read.opened(announced.body["terms"])
    return None if terms is None else str(terms["method"])


def _one(read: Bundle, type: str, draw: str) -> Entry | None:
    return next((entry for entry in read.of(type) if entry.body["draw"] == draw), None)


def _draw(read: Bundle, drawn: Entry) -> Iterator[str]:
    draw = drawn.body["draw"]
    announced, fixed = _one(read, "draw.announced", draw), _one(read, "draw.fixed", draw)
    if announced is None or fixed is None:
        yield "it was not announced, or its inputs were not fixed"
        return
    terms, inputs, result = (
        read.opened(commitment)
        for commitment in (announced.body["terms"], fixed.body["inputs"], drawn.body["result"])
    )
    alone = _method(read, announced) == drawing.SERVER_METHOD
    outside = (
        entries.leaf_hash(read.raw_entries[read.entries.index(fixed)]).hex().encode()
        if alone
        else read.outside.get(draw)
    )
    if terms is None or inputs is None or result is None or outside is None:
        yield "terms, inputs, result or outside value are not in the bundle"
        return
    if {terms["draw"], inputs["draw"], result["draw"]} != {draw} or terms["method"] not in (
        drawing.METHOD,
        drawing.SERVER_METHOD,
    ):
        yield "its terms, inputs or result belong to another draw or method"
    if drawing.outside_digest(outside) != drawn.body["outside"]:
        yield "the outside value is not the one in the log"
    if not alone and not fixed.time < terms["published"] <= drawn.time:
        yield "the outside value was not published between the fixing of the inputs and the draw"
    nonces: dict[str, str] = {}
    for person in announced.body["participants"]:
        committed = [
            e for e in read.of("draw.committed") if (e.body["draw"], e.body["person"]) == (draw, person)
        ]
        revealed = [
            e for e in read.of("draw.revealed") if (e.body["draw"], e.body["person"]) == (draw, person)
        ]
        if len(committed) != 1 or len(revealed) != 1:
            yield f"{person} did not commit to and reveal one nonce"
            return
        if not committed[0].index < fixed.index < revealed[0].index < drawn.index:
            yield f"{person} committed or revealed out of turn"
        body = revealed[0].body
        if not drawing.reveals(committed[0].body["nonce"], draw, person, body["nonce"], body["salt"]):
            yield f"{person} revealed another nonce than was committed to"
        nonces[person] = body["nonce"]
    strangers = {
        e.body["person"] for e in read.of("draw.committed", "draw.revealed") if e.body["draw"] == draw
    } - nonces.keys()
    if strangers:
        yield f"{', '.join(sorted(strangers))} took part without being announced"
    if drawing.seed(draw, fixed.body["inputs"], nonces, outside) != drawn.body["seed"]:
        yield "the seed is not the one that its parts give"
    try:
        replayed = drawing.replay(drawn.body["seed"], inputs["task"], inputs["parameters"]).result
    except (DrawError, TypeError) as error:  # parameters are any value
        yield f"its inputs cannot be drawn from: {error}"
        return
    if replayed != result["result"]:
        yield "the result is not the one that the seed gives"


def _missing(read: Bundle, void: Entry) -> set[str] | None:
    """Whose number was missing when a draw was declared void; None when it was not announced."""
    draw, fixed = void.body["draw"], _one(read, "draw.fixed", void.body["draw"])
    announced = _one(read, "draw.announced", draw)
    if announced is None:
        return None
    handed_in = read.of("draw.committed" if fixed is None else "draw.revealed")
    return set(announced.body["participants"]) - {
        one.body["person"] for one in handed_in if one.body["draw"] == draw and one.index < void.index
    }


def _all_revealed(read: Bundle, void: Entry) -> bool:
    return _one(read, "draw.fixed", void.body["draw"]) is not None and _missing(read, void) == set()


def _void(read: Bundle) -> Iterator[str]:
    """Once the inputs are fixed a draw is void only for a number that is missing, with its name, or for the outside value."""
    for void in read.of("draw.voided"):
        draw, cause, missing = void.body["draw"], void.body["cause"], _missing(read, void)
        if missing is None:
            yield f"draw {draw}: it was declared void and never announced"
        elif cause == "late" and _one(read, "draw.fixed", draw) is not None:
            yield f"draw {draw}: it was declared void as too late when its inputs were fixed in time"
        elif cause in ("withheld", "invalid") and void.body.get("person") not in missing:
            yield f"draw {draw}: it was declared void for a number that nobody withheld, or without a name"


def _followed(read: Bundle) -> Iterator[str]:
    """Seats, allocations, replacements and orders of hearings are those that were drawn."""
    yield from _seats(read)
    for entry in read.of("scripts.allocated", "remark.allocated"):
        allocation = read.opened(entry.body["allocation"])
        if allocation is not None and allocation["rows"] != _result(read, entry.body["draw"]):
            yield f"entry {entry.index}: the allocation is not the one drawn"
    yield from _replacements(read)
    for entry in read.of("tie.decided"):
        tie = read.opened(entry.body["tie"])
        if "draw" in entry.body and tie is not None and tie["order"] != _result(read, entry.body["draw"]):
            yield f"entry {entry.index}: the tie was decided in another order than the lots drawn"
    heard = [entry for entry in read.of("hearing.listed") if read.opened(entry.body["candidate"]) is not None]
    for entry in heard:
        order = _result(read, entry.body["draw"])
        place = entry.body["place"] - 1
        candidate = read.opened(entry.body["candidate"])["candidate"]
        if not isinstance(order, list) or place >= len(order) or order[place] != candidate:
            yield f"entry {entry.index}: the hearing is not in the place that was drawn"


def _seats(read: Bundle) -> Iterator[str]:
    """Whoever was in the draw of a sitting's seats has the place drawn, in every plan from then on; who came later has another."""
    drawn_by: dict[str, str] = {}
    for entry in read.of("sitting.scheduled"):
        sitting, before = entry.body["sitting"], drawn_by.get(entry.body["sitting"])
        if before is not None and entry.body.get("draw") != before:
            yield f"entry {entry.index}: the seats of {sitting} were drawn by {before}, and the plan names it no more"
        if "draw" not in entry.body:
            continue
        drawn_by[sitting] = entry.body["draw"]
        plan, pairs = read.opened(entry.body["plan"]), _result(read, entry.body["draw"])
        if plan is None:
            continue
        places = {seat["candidate"]: f"{seat['room']}.{seat['seat']}" for seat in plan["seats"]}
        if not isinstance(pairs, list) or any(places.get(candidate) != place for candidate, place in pairs):
            yield f"entry {entry.index}: the seats are not the ones drawn"


def _result(read: Bundle, draw: str) -> object:
    drawn = _one(read, "draw.drawn", draw)
    value = read.opened(drawn.body["result"]) if drawn is not None else None
    return None if value is None else value["result"]


def _replacements(read: Bundle) -> Iterator[str]:
    """Who takes over a script is the first of the script's reserve order who did not drop out before."""
    dropped: dict[str, set[str]] = {}
    for entry in read.of("script.reallocated"):
        script, leaves, takes = entry.body["script"], entry.body["from"], entry.body["to"]
        dropped.setdefault(script, set()).add(leaves)
        for allocated in read.of("scripts.allocated"):
            rows = _result(read, allocated.body["draw"])
            drawn, fixed = (
                _one(read, "draw.drawn", allocated.body["draw"]),
                _one(read, "draw.fixed", allocated.body["draw"]),
            )
            if (
                not isinstance(rows, list)
                or drawn is None
                or fixed is None
                or all(row["script"] != script for row in rows)
            ):
                continue
            parameters = read.opened(fixed.body["inputs"])["parameters"]
            markers = {row["marker"]: row["group"] for row in parameters["markers"]}
            holders = _holders(read, entry, rows, script)
            excluded = {marker for s, marker in parameters["excluded"] if s == script} | dropped[script]
            order = drawing.reserves(drawn.body["seed"], script, markers, holders - {leaves}, excluded)
            if leaves not in holders or not order or order[0] != takes:
                yield f"entry {entry.index}: {takes} is not the next in the reserve order of the script {script}"


def _holders(read: Bundle, until: Entry, rows: list[dict[str, object]], script: str) -> set[str]:
    holders = {str(row["marker"]) for row in rows if row["script"] == script}
    for entry in read.of("script.reallocated"):
        if entry.index < until.index and entry.body["script"] == script:
            holders = holders - {entry.body["from"]} | {entry.body["to"]}
    return holders
