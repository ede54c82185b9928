"""V4 types and numbers, V5 order, V11 locks and approvals: that the competition went as the vocabulary and the regulation say."""

from collections import defaultdict

from examsvc.ledger.definitions import Log
from examsvc.ledger.order import History, Problem
from examsvc.verify.findings import Finding, conclude
from examsvc.verify.reading import Bundle

TITLES = {
    "V4": "known entries only, none too often, none missing",
    "V5": "everything in its order",
    "V11": "nothing after a lock but what two people approved",
}
MAX_REASONS = 50


def course(read: Bundle) -> list[Finding]:
    """V4, V5 and V11 from one pass over the log."""
    reasons: dict[str, list[str]] = defaultdict(list)
    reasons["V4"] += read.entry_problems
    stages = read.declared_stages()
    if stages is None:
        sentence = "the bundle lacks the pinned regulation, or it cannot be read: its stages are unknown"
        return [conclude(check, title, [sentence]) for check, title in TITLES.items()]
    posts = [post for post in read.manifest["posts"] if post in stages]
    for post in read.manifest["posts"]:
        if post not in stages:
            reasons["V4"].append(f"the post {post} was never announced")
    history = History(Log.COMPETITION, stages)
    problems: list[Problem] = []
    for entry in read.entries:
        if entry is not None:
            problems += history.append(entry)
    problems += history.missing(posts)
    if read.registry:
        registry = History(Log.REGISTRY)
        for entry in read.registry:
            if entry is not None:
                problems += registry.append(entry)
        problems += registry.missing()
        wanted = [read.manifest["competition"], read.manifest["origin"]]
        wanted += [entry.body["key"] for entry in read.of("log.opened")]
        if not any(
            entry is not None
            and entry.type == "competition.opened"
            and [entry.body[name] for name in ("competition", "origin", "key")] == wanted
            for entry in read.registry
        ):
            reasons["V4"].append("the registry log does not know this competition")
    for problem in problems:
        place = "" if problem.index is None else f"entry {problem.index}: "
        # an index out of place is V3's to report
        if problem.check != "V3":
            reasons[problem.check].append(f"{place}{problem.message}")
    return [conclude(check, title, reasons[check][:MAX_REASONS]) for check, title in TITLES.items()]
