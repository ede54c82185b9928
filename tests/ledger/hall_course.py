"""From the sealed paper to the published ranking of a simulated competition, with the incidents of its scenario."""

import hashlib
from decimal import Decimal
from fractions import Fraction

from der import token
from hall import CODE, LOG_KEY, Hall, Opening, Scenario, applications, rules

from examsvc.ledger import chains, draws, entries, merkle
from examsvc.ledger.notes import to_base64
from examsvc.marking import rules as marking
from examsvc.papers.rules import neutralise
from examsvc.results import computing
from question_banks import Item, read_bank

HEAD = 'format = "examsvc-bank/1"\nid = "hall"\ntitle = "Hall"\nlanguages = ["vi"]\n\n[[item]]\n'


def competition(
    seed: int = 1, candidates: int = 4, until: str | None = None, scenario: Scenario | None = None
) -> Hall:
    """An honest competition with `candidates` for each post; `until` stops after the first entry of that type."""
    hall = Hall(seed, candidates, scenario=scenario or Scenario())
    for step in (rules, applications, paper, sittings, marking_of_scripts, defence, results, afterwards):
        step(hall)
        if until is not None:
            types = [entries.read_entry(data).type for data in hall.data]
            if until in types:
                del hall.data[types.index(until) + 1 :]
                break
    return hall


def native(number: int, correct: str = "b") -> str:
    """An item as a native document: single choice, several choices with part marks, a number, or a written task (number 0)."""
    if number == 0:
        return f'{HEAD}id = "essay"\nkind = "essay"\nprompt = "Viết về phân cấp."\n'
    kind = ("single", "multiple", "numeric")[(number - 1) % 3]
    lines = [f'id = "i{number}"', f'kind = "{kind}"', f'prompt = "Câu {number}"']
    if kind == "numeric":
        lines.append(f'answer = "{len(correct) + ord(correct[0]) - 98}"')
    else:
        right = {correct} if kind == "single" else {correct, "d"}
        options = [
            f'{{ id = "{c}", text = "{c}"{", correct = true" if c in right else ""} }}' for c in "abcd"
        ]
        lines.append(f"choices = [{', '.join(options)}]")
    if kind == "multiple":
        lines.append('scoring = "per-option"')
    return HEAD + "\n".join(lines) + "\n"


def item_of(document: str) -> Item:
    return read_bank(document.encode(), "native").bank.items[0]


def paper(hall: Hall) -> None:
    scope = {"stage": "written", "posts": hall.posts}
    custodians = {
        "custodians": [{"custodian": f"P-custodian{n}", "recipient": f"age1example{n}"} for n in (1, 2, 3)]
    }
    hall.add(
        "custodians.named",
        "P-chair",
        **scope,
        revision=1,
        threshold=2,
        count=3,
        custodians=hall.commit("paper.custodians", custodians),
    )
    test, essay = hall.scenario.regulation.part("test"), hall.scenario.regulation.part("essay")
    hall.papers = {}
    for code, kind in (("T1", "main"), ("T2", "spare")):
        shift = 0 if code == "T1" else hall.scenario.items
        documents = [native(shift + n) for n in range(1, hall.scenario.items + 1)]
        documents += [native(0).replace("phân cấp", f"phân cấp {n}") for n in range(hall.scenario.tasks)]
        items = [item_of(document) for document in documents]
        marks = [
            *(f"{Decimal(int(test.maximum)) / hall.scenario.items:f}" for _ in range(hall.scenario.items)),
            *(f"{Decimal(int(essay.maximum)) / hall.scenario.tasks:f}" for _ in range(hall.scenario.tasks)),
        ]
        parts = ["test"] * hall.scenario.items + ["essay"] * hall.scenario.tasks
        rows = list(zip(items, documents, marks, parts, strict=True))
        hall.papers[code] = rows
        form = {
            "paper": code,
            "form": "F1",
            "items": [
                {
                    "slot": slot,
                    "item": item.digest,
                    "part": part,
                    "marks": mark,
                    "content": {"vi": document[-40:]},
                }
                for slot, (item, document, mark, part) in enumerate(rows, start=1)
            ],
        }
        forms = [hall.commit("paper.form", form)]
        hall.add("paper.approved", "P-chair", **scope, paper=code, kind=kind, forms=forms)
        shares = []
        for n in (1, 2, 3):
            value = {
                "paper": code,
                "custodian": f"P-custodian{n}",
                "x": n,
                "share": hall.random("share").hex()[:32],
            }
            shares.append(
                {"custodian": f"P-custodian{n}", "x": n, "share": hall.commit("paper.share", value)}
            )
        hall.add(
            "paper.sealed",
            "P-chair",
            **scope,
            paper=code,
            kind=kind,
            forms=forms,
            key=hall.commit("paper.key", key_of(hall, code)),
            ciphertext=hall.random("ciphertext").hex(),
            size=4096,
            threshold=2,
            shares=shares,
        )
    if hall.happens("stamp"):
        stamp(hall)


def key_of(hall: Hall, code: str, version: int = 1) -> dict:
    rows = sorted(hall.papers[code], key=lambda row: row[0].digest)
    corrected = {0: native(1, "c")} if version > 1 else {}
    documents = [row[1] for row in hall.papers[code]]
    return {
        "paper": code,
        "version": version,
        "answers": [
            {"item": item.digest, "key": corrected.get(documents.index(document), document), "marks": mark}
            for item, document, mark, _ in rows
        ],
    }


def stamp(hall: Hall) -> None:
    """An outside authority stamps the checkpoint of all entries so far."""
    root = merkle.root_of(map(entries.leaf_hash, hall.data))
    text = f"{LOG_KEY.name}\n{len(hall.data)}\n{to_base64(root)}\n".encode()
    document = token(hashlib.sha256(text).digest(), hall.time)
    hall.documents.append(document)
    hall.add(
        "time.stamped",
        size=len(hall.data),
        root=root.hex(),
        authority="tsa",
        token=hashlib.sha256(document).hexdigest(),
    )


# ---------------------------------------------------------------------------------------- sittings


def sittings(hall: Hall) -> None:
    hall.attempts, hall.owner, hall.answers, hall.sat, hall.closed = {}, {}, {}, [], {}
    hall.replaced: set[str] = set()
    hall.sanctioned: dict[str, list[Fraction]] = {}
    hall.excluded: set[str] = set()
    used = "T1"
    if hall.happens("spare"):
        used = "T2"
        hall.add(
            "paper.replaced",
            "P-chair",
            stage="written",
            posts=hall.posts,
            paper="T1",
            spare="T2",
            reason=hall.commit("reason", {"text": "Đề chính bị lộ."}),
        )
    hall.resits = hall.happens("resit") and used == "T1"
    absent = {hall.people[-1][2]} if len(hall.people) > 3 else set()
    hold(hall, "S1", used, [(post, candidate) for post, _, candidate in hall.people], absent)
    if hall.resits and len(hall.sat) > 1:
        post, candidate = hall.sat[0]
        previous = hall.attempts[candidate]
        hall.replaced.add(previous)
        code = f"A-{hall.random('attempt').hex()[:10]}"
        grant = {"candidate": candidate, "attempt": code, "previous": previous, "reason": "Mất điện."}
        hold(hall, "S2", "T2", [(post, candidate)], set(), {candidate: (code, grant)})


def hold(hall: Hall, sitting: str, used: str, people: list, absent: set, granted: dict | None = None) -> None:
    posts = sorted({post for post, _ in people})
    scope = {"stage": "written", "posts": posts}
    seats = [{"candidate": c, "room": "R1", "seat": f"{n}"} for n, (_, c) in enumerate(people, start=1)]
    hall.add(
        "sitting.scheduled",
        "P-secretary",
        **scope,
        sitting=sitting,
        revision=1,
        bell=hall.time + 300,
        rooms=["R1"],
        count=len(seats),
        plan=hall.commit("sitting.plan", {"sitting": sitting, "seats": seats}),
    )
    for n in (1, 2):
        hall.add(
            "paper.share_delivered",
            f"P-custodian{n}",
            stage="written",
            posts=hall.posts,
            paper=used,
            custodian=f"P-custodian{n}",
            x=n,
            genuine=True,
        )
    hall.add(
        "paper.opened",
        stage="written",
        posts=hall.posts,
        paper=used,
        custodians=["P-custodian1", "P-custodian2"],
    )
    digests = [row[0].digest for row in hall.papers[used]]
    for post, candidate in people:
        attempt, grant = (granted or {}).get(candidate, (f"A-{hall.random('attempt').hex()[:10]}", None))
        if grant is not None:
            hall.add(
                "attempt.granted",
                "P-chair",
                stage="written",
                posts=[post],
                attempt=attempt,
                sitting=sitting,
                grant=hall.commit("attempt.grant", grant, candidate),
            )
        hall.attempts[candidate], hall.owner[attempt] = attempt, candidate
        terms = {
            "attempt": attempt,
            "form": "F1",
            "seconds": 3600,
            "slots": [{"slot": n, "item": item} for n, item in enumerate(digests, start=1)],
        }
        value = {"attempt": attempt, "candidate": candidate}
        hall.add(
            "attempt.prepared",
            stage="written",
            posts=[post],
            attempt=attempt,
            sitting=sitting,
            paper=used,
            candidate=hall.commit("attempt.candidate", value, candidate),
            terms=hall.commit("attempt.terms", terms, candidate),
        )
    sat = [(post, candidate) for post, candidate in people if candidate not in absent]
    for post, candidate in sat:
        attempt = hall.attempts[candidate]
        arrival = {"attempt": attempt, "room": "R1", "seat": "1", "document": "cccd", "photograph": True}
        hall.add(
            "attempt.checked_in",
            "P-invigilator",
            stage="written",
            posts=[post],
            attempt=attempt,
            sitting=sitting,
            arrival=hall.commit("attempt.arrival", arrival, candidate),
            excused=False,
        )
    hall.add(
        "sitting.started",
        "P-chair",
        **scope,
        sitting=sitting,
        paper=used,
        bell=hall.time,
        prepared=len(people),
        checked_in=len(sat),
    )
    bell = hall.time
    if hall.happens("pause") and sat:
        frame = {**scope, "sitting": sitting}
        notice = {"sitting": sitting, "text": "Phòng R1 tạm dừng."}
        hall.add("sitting.noticed", "P-chair", **frame, notice=hall.commit("sitting.notice", notice))
        reason = hall.commit("reason", {"text": "Mất điện."})
        hall.add("room.paused", "P-invigilator", **frame, room="R1", **{"from": hall.time}, reason=reason)
        hall.add("room.resumed", "P-invigilator", **frame, room="R1", at=hall.time)
    if hall.happens("credit") and sat:
        post, candidate = sat[0]
        frame = {"stage": "written", "posts": [post], "attempt": hall.attempts[candidate], "sitting": sitting}
        credit = {"attempt": hall.attempts[candidate], "seconds": 60, "reason": "Máy hỏng."}
        move = {"attempt": hall.attempts[candidate], "from": "M1", "to": "M2", "reason": "Máy hỏng."}
        hall.add(
            "attempt.credited", "P-chair", **frame, credit=hall.commit("attempt.credit", credit, candidate)
        )
        move_ = hall.commit("attempt.move", move, candidate)
        hall.add("attempt.moved", "P-invigilator", **frame, lease=2, move=move_)
    for post, candidate in people:
        if candidate in absent:
            hall.add(
                "attempt.absent",
                "P-invigilator",
                stage="written",
                posts=[post],
                attempt=hall.attempts[candidate],
                sitting=sitting,
                cause="no_show",
            )
    for number, (_, candidate) in enumerate(sat):
        write(hall, used, number, candidate)
        for more in range(hall.scenario.more_saves):
            text = f"Bài viết số {number} của thí sinh, lần lưu {more}."
            save(hall, hall.attempts[candidate], len(hall.papers[used]), {"RESPONSE": text})
            hall.answers[hall.attempts[candidate]][-1] = {"RESPONSE": text}
    open_ = {hall.attempts[candidate] for _, candidate in sat}
    heads = {
        a: chains.replay(CODE, a, [s.commitment for s in hall.saves[a]])[-1] for a in hall.saves if a in open_
    }
    hall.heads[len(hall.data)] = {attempt: head.links for attempt, head in heads.items()}
    hall.add(
        "sitting.heads",
        **scope,
        sitting=sitting,
        attempts=len(heads),
        links=sum(head.links for head in heads.values()),
        root=chains.heads_root(heads.values()),
    )
    deadline = bell + 3600
    for number, (post, candidate) in enumerate(sat):
        submit(hall, sitting, post, candidate, heads[hall.attempts[candidate]], deadline, number)
    hall.sat += [one for one in sat if one not in hall.sat]
    hall.closed[sitting] = hall.add(
        "sitting.closed",
        **scope,
        sitting=sitting,
        checked_in=len(sat),
        absent=len(people) - len(sat),
        submitted=len(sat),
    )
    if hall.happens("late") and sat:
        late(hall, sitting, *sat[-1], deadline)
    if sitting == "S1" and sat:
        incidents(hall, sitting, sat)


def write(hall: Hall, used: str, number: int, candidate: str) -> None:
    """The candidate's saves: each machine-marked item, the first one twice, then each written task."""
    attempt = hall.attempts[candidate]
    hall.saves[attempt] = []
    given: dict[int, dict] = {}
    for slot, (item, _, _, part) in enumerate(hall.papers[used], start=1):
        if hall.happens("blank") and number % 3 == slot % 3:
            continue
        if part == "essay":
            given[slot] = {"RESPONSE": f"Bài viết số {number} của thí sinh."}
            save(hall, attempt, slot, given[slot])
            continue
        kind = item.kind
        choice = "abc"[(number + slot - 1) % 3]
        value: object = {"single": choice, "multiple": [choice, "d"], "numeric": str(number % 3)}[kind]
        if kind == "single" and number % 2:
            value = item.tokens["RESPONSE"][choice]
        if slot == 1:
            save(hall, attempt, slot, {"RESPONSE": "a"})
        given[slot] = {"RESPONSE": value}
        save(hall, attempt, slot, given[slot])
    hall.answers[attempt] = [given.get(slot) for slot in range(1, len(hall.papers[used]) + 1)]


def save(hall: Hall, attempt: str, slot: int, value: object, at: int | None = None) -> None:
    versions = sum(one.value["slot"] == slot for one in hall.saves[attempt])
    made = {
        "attempt": attempt,
        "slot": slot,
        "version": versions + 1,
        "save": hall.random("save").hex()[:32],
        "value": value,
        "saved_at": hall.time if at is None else at,
        "late": at is not None,
    }
    entries.check_object("attempt.save", made)
    hall.saves[attempt].append(Opening(None, "attempt.save", hall.random("salt"), made))


def answer_set(hall: Hall, attempt: str, deadline: int, slots: int) -> dict:
    newest = {one.value["slot"]: one.value for one in hall.saves[attempt]}
    blank = {"version": 0, "value": None}
    return {
        "attempt": attempt,
        "form": "F1",
        "deadline": deadline,
        "answers": [
            {"slot": slot, **{name: newest.get(slot, blank)[name] for name in ("version", "value")}}
            for slot in range(1, slots + 1)
        ],
    }


def submit(hall: Hall, sitting: str, post: str, candidate: str, head, deadline: int, number: int) -> None:
    attempt = hall.attempts[candidate]
    to_the_end = hall.scenario.punctual or (hall.happens("deadline") and number % 2)
    manner, by = ("deadline", "system") if to_the_end else ("candidate", attempt)
    answers = answer_set(hall, attempt, deadline, len(hall.answers[attempt]))
    hall.add(
        "attempt.submitted",
        by,
        stage="written",
        posts=[post],
        attempt=attempt,
        sitting=sitting,
        manner=manner,
        links=head.links,
        head=head.head,
        answers=hall.commit("attempt.answers", answers, candidate),
    )


def late(hall: Hall, sitting: str, post: str, candidate: str, deadline: int) -> None:
    """An answer arrives after deadline and grace; the board counts it, or does not."""
    attempt = hall.attempts[candidate]
    save(hall, attempt, 1, {"RESPONSE": "b"}, deadline + 100)
    head = chains.replay(CODE, attempt, [one.commitment for one in hall.saves[attempt]])[-1]
    frame = {"stage": "written", "posts": [post], "attempt": attempt, "sitting": sitting}
    hall.time = max(hall.time, deadline + 100)
    hall.add("attempt.late_kept", **frame, links=head.links, head=head.head)
    counts = hall.chance.random() < 0.5
    more = {}
    if counts:
        answers = answer_set(hall, attempt, deadline, len(hall.answers[attempt]))
        hall.answers[attempt] = [row["value"] for row in answers["answers"]]
        more["answers"] = hall.commit("attempt.answers", answers, candidate)
    reason = hall.commit("reason", {"text": "Đường truyền hỏng."}, candidate)
    outcome = "counted" if counts else "dropped"
    hall.add("attempt.late_decided", "P-chair", **frame, outcome=outcome, **more, reason=reason)


def incidents(hall: Hall, sitting: str, sat: list) -> None:
    """Sanctions in the hall: one that takes marks away, one that annuls, one that is lifted again."""
    for place, (name, level) in enumerate(
        (("sanction", "warning"), ("cancel", "cancellation"), ("lifted", "reprimand"))
    ):
        if not hall.happens(name) or place >= len(sat):
            continue
        post, candidate = sat[place]
        attempt = hall.attempts[candidate]
        rule = hall.scenario.regulation.sanction(level)
        frame = {"stage": "written", "posts": [post], "incident": f"I-{name}"}
        report = {
            "incident": f"I-{name}",
            "room": "R1",
            "candidates": [candidate],
            "kind": "conduct",
            "description": "Trao đổi trong phòng.",
            "signed": ["Giám thị"],
        }
        report_ = hall.commit("incident.report", report, candidate)
        hall.add("incident.recorded", "P-invigilator", **frame, sitting=sitting, report=report_)
        value = {
            "candidate": candidate,
            "attempt": attempt,
            "level": level,
            "deduction": f"{float(rule.deduction):g}",
            "clause": f"sanctions.{level}",
            "reason": "Trao đổi trong phòng.",
        }
        imposed = hall.commit("sanction", value, candidate)
        hall.add("sanction.imposed", "P-chair", **frame, order=1, sanction=imposed)
        if name == "lifted":
            reason = hall.commit("reason", {"text": "Nhầm người."}, candidate)
            hall.add("sanction.lifted", "P-chair", **frame, order=1, reason=reason)
        elif attempt not in hall.replaced and not (hall.resits and place == 0 and len(sat) > 1):
            hall.sanctioned.setdefault(candidate, []).append(Fraction(rule.deduction))
            if rule.annuls:
                hall.excluded.add(candidate)


# ---------------------------------------------------------------------------------------- marking


def marking_of_scripts(hall: Hall) -> None:
    scope = {"stage": "written", "posts": hall.posts}
    hall.objective = {}
    by_sitting = {
        entry.body["attempt"]: (entry.body["sitting"], entry.body["paper"])
        for entry in map(entries.read_entry, hall.data)
        if entry.type == "attempt.prepared"
    }
    runs: dict[str, int] = {}
    for sitting, closed in hall.closed.items():
        ended = sorted(a for a in hall.answers if by_sitting[a][0] == sitting)
        if ended:
            score(hall, by_sitting[ended[0]][1], ended, closed, 1, {}, runs)
    used = by_sitting[next(iter(by_sitting))][1]
    first = sorted(a for a in hall.answers if by_sitting[a][1] == used)
    version, faulty = 1, {}
    if hall.happens("key") and used == "T1" and first:
        version = 2
        reason = hall.commit("reason", {"text": "Đáp án sai."})
        key = hall.commit("paper.key", key_of(hall, used, 2))
        order = hall.add("key.corrected", "P-chair", **scope, paper=used, version=2, key=key, reason=reason)
        score(hall, used, first, order, 2, {}, runs)
    if hall.happens("faulty") and first:
        rule = hall.scenario.regulation.part("test").neutralised_item
        digest = hall.papers[used][hall.scenario.items - 1][0].digest
        faulty = {hall.scenario.items: rule}
        word = {"redistribute": "redistributed", "full-marks": "full_marks", "drop": "removed"}[rule]
        value = {"paper": used, "item": digest, "rule": word, "reason": "Không có đáp án đúng."}
        made = hall.commit("item.neutralisation", value)
        order = hall.add("item.neutralised", "P-chair", **scope, paper=used, item=digest, neutralisation=made)
        score(hall, used, first, order, version, faulty, runs)
    hall.scripts, hall.texts = {}, {}
    for sitting in hall.closed:
        code_map(hall, sitting, [a for a in hall.answers if by_sitting[a][0] == sitting])
    allocate(hall)
    hall.essay = {}
    for attempt, mark in hall.settled.values():
        hall.essay[attempt] = hall.essay.get(attempt, Fraction(0)) + mark
    units = len(hall.settled)
    hall.add("marks.locked", "P-examiner", **scope, lock=1, units=units, marks=hall.sheets)
    hall.add(
        "blind.open", "P-secretary", **scope, lock=1, custodians=["P-secretary"], pairs=len(hall.scripts)
    )


def score(hall: Hall, used: str, attempts: list, under: int, version: int, faulty: dict, runs: dict) -> None:
    runs[used] = runs.get(used, 0) + 1
    rows = []
    for attempt in attempts:
        earned = {}
        for slot, (item, document, mark, part) in enumerate(hall.papers[used], start=1):
            if part != "test":
                continue
            by = item_of(native(1, "c")) if version == 2 and slot == 1 else item
            value = hall.answers[attempt][slot - 1] or {}
            given = {name: tuple(one) if isinstance(one, list) else one for name, one in value.items()}
            outcome = by.mark(item.identified(given))
            earned[slot] = (
                Fraction(outcome.score) / Fraction(outcome.max_score) * Fraction(mark),
                Fraction(mark),
            )
            assert document
        after = neutralise(earned, faulty)
        hall.objective[attempt] = sum((one for one, _ in after.values()), Fraction(0))
        rows.append(
            {
                "attempt": attempt,
                "slots": [marking.decimal(one) for one, _ in after.values()],
                "total": marking.decimal(hall.objective[attempt]),
            }
        )
    hall.add(
        "responses.scored",
        stage="written",
        posts=sorted({hall.owner[attempt].rpartition("-")[0] for attempt in attempts}),
        paper=used,
        version=runs[used],
        attempts=len(rows),
        scores=hall.commit("score.table", {"paper": used, "key": version, "scores": rows}),
        under=under,
    )


def code_map(hall: Hall, sitting: str, attempts: list) -> None:
    """Every text of a sitting gets a script code; the map stands in the log in parts of at most 800."""
    texts = [
        (attempt, slot)
        for attempt in attempts
        for slot in range(hall.scenario.items + 1, len(hall.answers[attempt]) + 1)
    ]
    posts = hall.posts if sitting == "S1" else sorted({hall.owner[a].rpartition("-")[0] for a in attempts})
    parts = [texts[start : start + 800] for start in range(0, len(texts), 800)] or [[]]
    for part, some in enumerate(parts, start=1):
        pairs = []
        for attempt, slot in some:
            script = f"K-{hall.random('script').hex()[:10]}"
            hall.scripts[script] = attempt
            value = {"attempt": attempt, "slot": slot, "script": script}
            pairs.append(hall.commit("blind.pair", value, hall.owner[attempt]))
        hall.add(
            "blind.map",
            "P-secretary",
            stage="written",
            posts=posts,
            sitting=sitting,
            part=part,
            parts=len(parts),
            pairs=sorted(pairs),
            sealed=hall.random("sealed").hex(),
        )


def allocate(hall: Hall) -> None:
    """Drawn markers, their sheets, and what the regulation makes of the marks; a third marker is drawn with the others."""
    scope = {"stage": "written", "posts": hall.posts}
    hall.settled, hall.sheets = {}, 0
    if not hall.scripts:
        return
    scheme = hall.scenario.regulation.marking[0]
    rounds = 3 if scheme.discrepancy is not None else 2
    markers = {f"P-{name}": f"G{n}" for n, name in enumerate(hall.markers, start=1)}
    parameters = {
        "scripts": sorted(hall.scripts),
        "markers": [{"marker": marker, "group": markers[marker]} for marker in sorted(markers)],
        "rounds": rounds,
        "excluded": [],
    }
    rows = hall.draw("D1", "allocation", "allocation", parameters)
    hall.add(
        "scripts.allocated",
        "P-examiner",
        **scope,
        draw="D1",
        rounds=list(range(1, rounds + 1)),
        scripts=len(hall.scripts),
        allocation=hall.commit("allocation", {"rows": rows}),
    )
    hall.holders = {(row["script"], row["round"]): row["marker"] for row in rows}
    if hall.happens("reallocated"):
        reallocate(hall, rows[0], markers)
    maximum = Fraction(hall.papers["T1"][-1][2])
    for script in sorted(hall.scripts):
        middle = hall.chance.randrange(int(maximum) // 4, 3 * int(maximum) // 4)
        marks: list[Fraction] = []
        verdict: object = None
        for place in (1, 2, 3)[:rounds]:
            wide = hall.scenario.spread
            step = Fraction(hall.chance.randrange(-wide, wide + 1), 2)
            mark = min(
                maximum, max(Fraction(0), round((middle + step) / scheme.mark_step) * scheme.mark_step)
            )
            marks.append(sheet(hall, script, place, mark))
            if place == 1:
                continue
            verdict = marking.settle(scheme, hall.scenario.regulation.rounding, marks, maximum)
            if not (isinstance(verdict, marking.Waiting) and verdict.need == "third-mark"):
                break
        settle(hall, script, scheme, marks, verdict, maximum)


def sheet(hall: Hall, script: str, place: int, mark: Fraction) -> Fraction:
    marker = hall.holders[(script, place)]
    corrected = hall.happens("corrected") and place == 1
    for version in (1, 2) if corrected else (1,):
        given = mark if version == 1 + corrected else Fraction(0)
        text = marking.decimal(given)
        value = {
            "script": script,
            "marker": marker,
            "round": place,
            "version": version,
            "guide": 1,
            "criteria": [{"criterion": "whole", "mark": text}],
            "total": text,
        }
        hall.add(
            "mark.recorded",
            marker,
            stage="written",
            posts=hall.posts,
            script=script,
            marker=marker,
            round=place,
            version=version,
            sheet=hall.commit("mark.sheet", value),
        )
    hall.sheets += 1
    return mark


def settle(hall: Hall, script: str, scheme, marks: list, verdict, maximum: Fraction) -> None:
    rounding = hall.scenario.regulation.rounding
    if isinstance(verdict, marking.Waiting):
        middle = Fraction(round(4 * sum(marks, Fraction(0)) / len(marks)), 4)  # a person writes a mark, not a fraction
        told = {"agreed": middle} if verdict.need.startswith("agree") else {"decided": middle}
        verdict = marking.settle(scheme, rounding, marks, maximum, **told)
    hall.settled[script] = (hall.scripts[script], verdict.mark)
    value = {
        "script": script,
        "marks": [marking.decimal(mark) for mark in marks],
        "rule": verdict.rule,
        "mark": marking.decimal(verdict.mark),
    }
    hall.add(
        "mark.settled",
        stage="written",
        posts=hall.posts,
        script=script,
        version=1,
        manner=verdict.manner,
        settlement=hall.commit("mark.settlement", value),
    )


def reallocate(hall: Hall, row: dict, markers: dict) -> None:
    """A marker recognises a script; the next in the reserve order takes it over."""
    script, leaves = row["script"], row["marker"]
    stays = {m for (s, _), m in hall.holders.items() if s == script} - {leaves}
    seed = next(
        entry.body["seed"]
        for entry in map(entries.read_entry, hall.data)
        if entry.type == "draw.drawn" and entry.body["draw"] == "D1"
    )
    order = draws.reserves(seed, script, markers, stays, {leaves})
    if order:
        hall.holders[(script, row["round"])] = order[0]
        hall.add(
            "script.reallocated",
            "P-examiner",
            stage="written",
            posts=hall.posts,
            script=script,
            round=row["round"],
            **{"from": leaves, "to": order[0]},
            cause="recognised",
        )


# ---------------------------------------------------------------------------------------- defence


def defence(hall: Hall) -> None:
    hall.defence, hall.unheard = {}, set()
    panel = hall.scenario.regulation.panels[0]
    members = [f"P-{name}" for name in hall.markers[: panel.members]]
    for post in hall.posts:
        scope = {"stage": "defence", "posts": [post]}
        people = [candidate for p, candidate in hall.sat if p == post and reaches_defence(hall, candidate)]
        if not people:
            value = {
                "number": "12/QĐ",
                "date": "2026-11-21",
                "authority": "Hội đồng",
                "reason": "Không còn thí sinh.",
            }
            hall.add(
                "stage.omitted", "P-chair", **scope, reason="nobody", decision=hall.commit("decision", value)
            )
            continue
        order = hall.draw(f"D-{post}", "order", "permutation", {"items": sorted(people)}, [post])
        for place, candidate in enumerate(order, start=1):
            hear(hall, scope, f"D-{post}", place, candidate, members)
        hall.add("marks.locked", "P-examiner", **scope, lock=1, units=len(people), marks=3 * len(people))


def reaches_defence(hall: Hall, candidate: str) -> bool:
    """Past every hurdle of the written stage, as a run over what is known so far says."""
    if candidate in hall.excluded:
        return False
    if not hasattr(hall, "written"):
        hall.written = {row.number: row for row in ranking(hall).rows}
    row = hall.written[candidate]
    return not any(step.code in ("pass-missed", "cut-missed") and stops(hall, step) for step in row.steps)


def stops(hall: Hall, step) -> bool:
    return step.code == "cut-missed" or (
        step.part is not None and hall.scenario.regulation.part(step.part).hurdle
    )


def panel_totals(hall: Hall, members: list[str]) -> dict[str, Fraction]:
    """Totals from which the regulation makes a mark; a panel whose every sheet it would drop sits again."""
    regulation = hall.scenario.regulation
    while True:
        totals = {member: Fraction(50 + hall.chance.randrange(0, 40, 4)) for member in members}
        try:
            marking.panel_mark(regulation.panels[0], regulation.rounding, totals)
        except ValueError:
            continue
        return totals


def hear(hall: Hall, scope: dict, draw: str, place: int, candidate: str, members: list[str]) -> None:
    hearing = f"H-{hall.random('hearing').hex()[:10]}"
    panel = hall.scenario.regulation.panels[0]
    frame = {**scope, "hearing": hearing}
    value = {"hearing": hearing, "candidate": candidate}
    hall.add(
        "hearing.listed",
        "P-secretary",
        **frame,
        place=place,
        draw=draw,
        candidate=hall.commit("hearing.candidate", value, candidate),
        panel=sorted(members),
    )
    if hall.happens("substituted") and place == 1 and len(hall.markers) > len(members):
        leaves, takes = members[0], f"P-{hall.markers[len(members)]}"
        members = sorted([*members[1:], takes])
        reason = hall.commit("reason", {"text": "Có họ hàng."}, candidate)
        hall.add("hearing.substituted", "P-chair", **frame, **{"from": leaves, "to": takes}, reason=reason)
    if hall.happens("hearing-absent") and place == 2:
        hall.unheard.add(candidate)
        hall.add("hearing.absent", members[0], **frame, cause="no_show")
        return
    hall.add("hearing.begun", members[0], **frame)
    hall.add("hearing.ended", members[0], **frame, presentation=1500, questions=900)
    totals = panel_totals(hall, members)
    for member in members:
        sheet_ = {
            "hearing": hearing,
            "member": member,
            "version": 1,
            "criteria": [{"criterion": "whole", "mark": str(totals[member])}] if place % 2 else [],
            "total": str(totals[member]),
        }
        made = hall.commit("hearing.sheet", sheet_, candidate)
        hall.add("hearing.marked", member, **frame, member=member, version=1, sheet=made)
    hall.add("hearing.shown", **frame, members=len(members), at=hall.time)
    found = marking.panel_mark(panel, hall.scenario.regulation.rounding, totals)
    hall.defence[candidate] = found.mark
    value = {
        "hearing": hearing,
        "marks": [str(totals[member]) for member in sorted(totals)],
        "rule": found.rule,
        "mark": marking.decimal(found.mark),
    }
    hall.add(
        "hearing.settled",
        **frame,
        version=1,
        manner="trimmed" if found.dropped else "mean",
        settlement=hall.commit("hearing.settlement", value, candidate),
    )


# ---------------------------------------------------------------------------------------- results


def inputs(hall: Hall) -> dict:
    """What a score run of the application would rest on."""
    sat = {candidate for _, candidate in hall.sat}
    entrants = []
    for post, code, candidate in hall.people:
        attempt = hall.attempts[candidate]
        marks: dict[str, Fraction] = {}
        if candidate in sat:
            marks |= {"test": hall.objective[attempt], "essay": hall.essay.get(attempt, Fraction(0))}
        if candidate in getattr(hall, "defence", {}):
            marks["plan-defence"] = hall.defence[candidate]
        absent = [] if candidate in sat else ["essay", "test"]
        absent += ["plan-defence"] if candidate in getattr(hall, "unheard", set()) else []
        born = next(
            o.value["born"]
            for o in hall.openings
            if o.object == "application.identity" and o.value["application"] == code
        )
        entrants.append(
            {
                "number": candidate,
                "post": post,
                "marks": {part: computing.write_exact(mark) for part, mark in marks.items()},
                "absent": absent,
                "sanctions": [
                    {
                        "part": part,
                        "deduction": computing.write_exact(share),
                        "annuls": candidate in hall.excluded,
                    }
                    for share in hall.sanctioned.get(candidate, ())
                    for part in ("test", "essay")
                ],
                "excluded": candidate in hall.excluded,
                "priorities": getattr(hall, "priorities", {}).get(candidate, []),
                "person": {"born": born}
                if any(s.by == "older-first" for s in hall.scenario.regulation.ties.steps)
                else {},
            }
        )
    return {
        "entrants": entrants,
        "vacancies": dict(hall.scenario.places),
        "decisions": getattr(hall, "decisions", []),
    }


def ranking(hall: Hall):
    return computing.ranking_of(hall.scenario.regulation, inputs(hall))


def compute(hall: Hall, run: int) -> dict[str, str]:
    """A score run of every post, as the application records it; commitments to the rankings by post."""
    document = computing.as_document(ranking(hall))
    hall.open_ties = document["open_ties"]
    found = {}
    held = sorted(
        {
            entry.stage
            for entry in map(entries.read_entry, hall.data)
            if entry.type == "marks.locked" and entry.stage is not None
        }
    )
    for post in hall.posts:
        rows = [row for row in document["rows"] if row["post"] == post]
        value = computing.ledger_ranking(hall.scenario.regulation, post, run, rows)
        hall.rankings[post] = value
        found[post] = hall.commit("results.ranking", value)
        hall.add(
            "results.computed",
            posts=[post],
            run=run,
            stages=held,
            candidates=len(rows),
            places=hall.scenario.places[post],
            ranking=found[post],
            release="0.1.0",
        )
    return found


def results(hall: Hall) -> None:
    hall.rankings, hall.decisions = {}, []
    if hall.happens("priority"):
        grant(hall)
    if hall.happens("excluded") and len(hall.sat) > 2:
        exclude(hall, hall.sat[1][1])
    run = 1
    found = compute(hall, run)
    while any(tie["needed"] for tie in hall.open_ties) and hall.happens("tie-decisions"):
        decide(hall, next(tie for tie in hall.open_ties if tie["needed"]), run)
        run += 1
        found = compute(hall, run)
    publish(hall, run, found, "first")


def grant(hall: Hall) -> None:
    hall.priorities = {}
    clause = hall.scenario.regulation.priority
    if clause is None:
        return
    for post, code, candidate in hall.people[::2]:
        entry = clause.entries[len(hall.priorities) % len(clause.entries)]
        hall.priorities[candidate] = [entry.id]
        value = {
            "candidate": candidate,
            "category": entry.id,
            "points": marking.decimal(entry.points),
            "evidence": "ab" * 32,
        }
        made = hall.commit("results.priority", value, candidate)
        hall.add("priority.granted", "P-secretary", posts=[post], application=code, priority=made)


def exclude(hall: Hall, candidate: str) -> None:
    post, code, _ = next(one for one in hall.people if one[2] == candidate)
    hall.excluded.add(candidate)
    value = {
        "application": code,
        "outcome": "ineligible",
        "criteria": [{"criterion": "service", "clause": "4.1", "met": False}],
        "reason": "Khai không đúng.",
    }
    hall.add(
        "application.decided",
        "P-secretary",
        posts=[post],
        application=code,
        revision=2,
        outcome="ineligible",
        eligibility=hall.commit("application.eligibility", value, candidate),
    )


def decide(hall: Hall, tie: dict, run: int) -> None:
    """A person orders candidates who are equal in everything, or lots do."""
    numbers, more = sorted(tie["numbers"]), {}
    if tie["by"] == "lots":
        code = f"D-lots{len(hall.decisions)}"
        order = hall.draw(code, "lots", "permutation", {"items": numbers}, [tie["post"]])
        more["draw"] = code
    else:
        order = hall.chance.sample(numbers, len(numbers))
    value = {
        "post": tie["post"],
        "candidates": numbers,
        "order": order,
        "rule": "ties.steps.2",
        "reason": "Bằng nhau mọi mặt.",
    }
    hall.decisions.append({"order": order, "reason": value["reason"], "by": tie["by"]})
    made = hall.commit("results.tie", value)
    hall.add("tie.decided", "P-chair", posts=[tie["post"]], run=run, tie=made, **more)


def publish(hall: Hall, run: int, found: dict[str, str], cause: str) -> None:
    for post in hall.posts:
        value = {
            "number": f"{post}/QĐ",
            "date": "2026-11-30",
            "authority": "Bộ trưởng",
            "reason": "Đúng quy chế.",
        }
        decision = hall.commit("decision", value)
        hall.add("results.approved", "P-chair", posts=[post], run=run, ranking=found[post], decision=decision)
        more = {} if hall.edition == 1 else {"previous": "cd" * 32}
        hall.add(
            "results.published",
            "P-secretary",
            posts=[post],
            edition=hall.edition,
            run=run,
            ranking=found[post],
            **more,
            cause=cause,
        )


def afterwards(hall: Hall) -> None:
    if hall.happens("remark") and hall.settled:
        remark(hall)
    if hall.happens("erasure"):
        erase(hall)


def remark(hall: Hall) -> None:
    """An appeal; one script is marked again under a new code by two re-markers; a second edition follows."""
    script = sorted(hall.settled)[0]
    attempt, before = hall.settled[script]
    owner = hall.owner[attempt]
    post = owner.rpartition("-")[0]
    scope = {"stage": "written", "posts": [post]}
    file = {
        "appeal": "AP1",
        "candidate": owner,
        "subject": "Bài viết",
        "text": "Xin chấm lại.",
        "evidence": [],
    }
    hall.add(
        "appeal.lodged",
        owner,
        posts=[post],
        appeal="AP1",
        kind="remark",
        file=hall.commit("appeal.file", file, owner),
    )
    new = f"K-{hall.random('script').hex()[:10]}"
    pair = hall.commit("remark.pair", {"old": script, "script": new}, owner)
    order = hall.add("remark.ordered", "P-chair", **scope, appeal="AP1", pairs=[pair])
    markers = [{"marker": f"P-r{n}", "group": f"R{n}"} for n in (1, 2)]
    parameters = {"scripts": [new], "markers": markers, "rounds": 2, "excluded": []}
    rows = hall.draw("D-remark", "allocation", "allocation", parameters, [post])
    table = hall.commit("remark.allocation", {"rows": rows})
    frame = {**scope, "appeal": "AP1", "under": order}
    hall.add("remark.allocated", "P-examiner", **frame, draw="D-remark", allocation=table)
    marks = []
    for row in rows:
        mark = marking.decimal(before + len(marks))
        marks.append(mark)
        value = {
            "script": new,
            "marker": row["marker"],
            "round": row["round"],
            "version": 1,
            "guide": 1,
            "criteria": [],
            "total": mark,
        }
        made = hall.commit("mark.sheet", value)
        hall.add(
            "remark.recorded",
            row["marker"],
            **frame,
            script=new,
            marker=row["marker"],
            round=row["round"],
            sheet=made,
        )
    mark = min(sum(map(Fraction, marks), Fraction(0)) / 2, Fraction(hall.papers["T1"][-1][2]))
    mark = Fraction(marking.decimal(mark))
    outcome = "raised" if marking.decimal(mark) != marking.decimal(before) else "unchanged"
    if mark < Fraction(marking.decimal(before)):
        outcome = "lowered"
    value = {
        "script": new,
        "before": marking.decimal(before),
        "marks": marks,
        "rule": "mean",
        "mark": marking.decimal(mark),
    }
    made = hall.commit("remark.settlement", value, owner)
    hall.add("remark.settled", **frame, script=new, outcome=outcome, settlement=made)
    hall.essay[attempt] += mark - before
    hall.edition = 2
    run = 1 + max(
        entry.body["run"] for entry in map(entries.read_entry, hall.data) if entry.type == "results.computed"
    )
    publish(hall, run, compute(hall, run), "appeal")


def erase(hall: Hall) -> None:
    """The data of those who were not selected are erased; entries and checkpoints stay."""
    keep = {
        row["candidate"]
        for table in hall.rankings.values()
        for row in table["rows"]
        if row["outcome"] == "selected"
    }
    gone = {candidate for _, _, candidate in hall.people} - keep
    hall.openings = [o for o in hall.openings if o.subject not in gone]
    for attempt, candidate in hall.owner.items():
        for one in hall.saves.get(attempt, ()):
            one.erased = candidate in gone
    if gone:
        hall.add("erasure.done", category="unsuccessful", subjects="ab" * 32, count=len(gone), keys=len(gone))
