"""V9 nobody vanished and nobody appeared; V17 the code map opens and every person is one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from examsvc.verify.findings import Finding, conclude, not_checkable
from examsvc.verify.reading import Bundle


def nobody_vanished(read: Bundle) -> Finding:
    """V9: lists, attempts and rankings hold the same candidates; by number only in the public edition."""
    title = "nobody vanished and nobody appeared between list, sitting, marks and ranking"
    listed: dict[str, tuple[int, set[str] | None]] = {}
    for entry in read.of("candidates.listed"):
        table = read.opened(entry.body["candidates"])
        for post in entry.posts:
            numbers = (
                None
                if table is None
                else {row["candidate"] for row in table["candidates"] if row["post"] == post}
            )
            listed[post] = (entry.body["count"], numbers)
        if table is not None and len(table["candidates"]) != entry.body["count"]:
            return conclude(
                "V9", title, [f"entry {entry.index} counts {entry.body['count']}, its list another number"]
            )
    reasons = [*_rankings(read, listed), *_seats(read, listed)]
    return conclude("V9", title, reasons)


def _rankings(read: Bundle, listed: dict[str, tuple[int, set[str] | None]]) -> Iterator[str]:
    for entry in read.of("results.computed"):
        table = read.opened(entry.body["ranking"])
        if table is None:
            continue
        (post, *_) = entry.posts
        if table["post"] != post or table["run"] != entry.body["run"] or len(entry.posts) != 1:
            yield f"entry {entry.index}: its ranking is for another post or run"
            continue
        numbers = [row["candidate"] for row in table["rows"]]
        if len(set(numbers)) != len(numbers) or len(numbers) != entry.body["candidates"]:
            yield f"entry {entry.index}: the ranking names a candidate twice, or not as many as it counts"
        count, known = listed.get(post, (0, set()))
        if len(numbers) != count:
            yield f"entry {entry.index}: {count} candidates were listed and {len(numbers)} are ranked"
        if known is not None and set(numbers) != known:
            odd = ", ".join(sorted(set(numbers) ^ known))
            yield f"entry {entry.index}: listed and ranked candidates differ: {odd}"


def _seats(read: Bundle, listed: dict[str, tuple[int, set[str] | None]]) -> Iterator[str]:
    """Attempts belong to listed candidates, one each in a sitting; hearings likewise."""
    sat: Counter[tuple[str, str]] = Counter()
    per_post: Counter[tuple[str, str]] = Counter()
    for entry in read.of("attempt.prepared"):
        value = read.opened(entry.body["candidate"])
        for post in entry.posts:
            per_post[(post, entry.body["sitting"])] += 1
            if value is None:
                continue
            known = listed.get(post, (0, None))[1]
            if value["attempt"] != entry.body["attempt"]:
                yield f"entry {entry.index}: its candidate belongs to another attempt"
            if known is not None and value["candidate"] not in known:
                yield f"entry {entry.index}: an attempt for {value['candidate']}, who was not listed for {post}"
        if value is not None:
            sat[(entry.body["sitting"], value["candidate"])] += 1
    for (sitting, candidate), count in sat.items():
        if count > 1:
            yield f"{candidate} has {count} attempts in the sitting {sitting}"
    for (post, sitting), count in per_post.items():
        if count > listed.get(post, (0, None))[0]:
            yield f"{count} attempts in the sitting {sitting} for {post}, more than candidates listed"
    heard: Counter[tuple[str | None, str]] = Counter()
    for entry in read.of("hearing.listed"):
        value = read.opened(entry.body["candidate"])
        if value is None:
            continue
        if value["hearing"] != entry.body["hearing"]:
            yield f"entry {entry.index}: its candidate belongs to another hearing"
        heard[(entry.stage, value["candidate"])] += 1
        for post in entry.posts:
            known = listed.get(post, (0, None))[1]
            if known is not None and value["candidate"] not in known:
                yield f"entry {entry.index}: a hearing for {value['candidate']}, who was not listed for {post}"


def map_opens(read: Bundle) -> Finding:
    """V17, restricted edition: every script is one text of one submitted attempt, every application one person."""
    title = "the code map opens, and every person is one"
    if not read.restricted:
        return not_checkable("V17", title, "the code map and the identities are in the restricted edition")
    return conclude("V17", title, [*_pairs(read), *_identities(read)])


def _pairs(read: Bundle) -> Iterator[str]:
    submitted = {
        entry.body["attempt"]: (entry.body["sitting"], read.opened(entry.body["answers"]))
        for entry in read.of("attempt.submitted")
    }
    scripts: Counter[str] = Counter()
    texts: Counter[tuple[str, int]] = Counter()
    by_sitting: dict[str, set[tuple[str, int]]] = defaultdict(set)
    erased = False
    for entry in read.of("blind.map"):
        for commitment in entry.body["pairs"]:
            value = read.opened(commitment)
            if value is None:
                erased = True
                continue
            scripts[value["script"]] += 1
            texts[(value["attempt"], value["slot"])] += 1
            by_sitting[entry.body["sitting"]].add((value["attempt"], value["slot"]))
            sitting, answers = submitted.get(value["attempt"], (None, None))
            if sitting != entry.body["sitting"]:
                yield f"the script {value['script']} is of the attempt {value['attempt']}, which was not submitted there"
            elif answers is not None and value["slot"] not in {row["slot"] for row in answers["answers"]}:
                yield f"the script {value['script']} is of a slot that its attempt does not have"
    for name, count in [*scripts.items(), *((f"{a}, slot {s}", n) for (a, s), n in texts.items())]:
        if count > 1:
            yield f"{name} stands in the map {count} times"
    if not erased:
        for sitting, found in by_sitting.items():
            slots = {slot for _, slot in found}
            mapped: dict[str, set[int]] = defaultdict(set)
            for attempt, slot in found:
                mapped[attempt].add(slot)
            for attempt, (where, answers) in submitted.items():
                if (
                    where == sitting
                    and answers is not None
                    and mapped[attempt] != slots & {row["slot"] for row in answers["answers"]}
                ):
                    yield f"the attempt {attempt} has texts that got no script code"
    allocated = {
        row["script"]
        for entry in read.of("scripts.allocated")
        for row in (read.opened(entry.body["allocation"]) or {"rows": []})["rows"]
    }
    if not erased and allocated and not read.of("plans.map") and allocated != set(scripts):
        yield "the scripts that were allocated are not those in the map"


def _identities(read: Bundle) -> Iterator[str]:
    people: dict[str, set[str]] = defaultdict(set)
    for entry in read.of("application.submitted"):
        value = read.opened(entry.body["identity"])
        if value is None:
            continue
        if value["application"] != entry.body["application"]:
            yield f"entry {entry.index}: the identity of another application"
        for post in entry.posts:
            people[f"{value['identity']} for the post {post}"].add(value["application"])
    yield from _twice(people.values(), "one person applied under several applications")
    staff: dict[str, set[str]] = defaultdict(set)
    for entry in read.of("person.enrolled"):
        value = read.opened(entry.body["identity"])
        if value is not None:
            if value["person"] != entry.body["person"]:
                yield f"entry {entry.index}: the identity of another person"
            staff[value["account"]].add(value["person"])
    yield from _twice(staff.values(), "one account acts under several codes")


def _twice(groups: Iterable[set[str]], sentence: str) -> Iterator[str]:
    for group in groups:
        if len(group) > 1:
            yield f"{sentence}: {', '.join(sorted(group))}"
