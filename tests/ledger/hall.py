"""A whole competition as entries and openings, made with the pure functions alone; every value follows from a seed.

Two posts share a mixed written stage (one objective item, one essay); both then have a defence. It is honest unless a test says otherwise.
"""

import hashlib
from dataclasses import dataclass, field
from fractions import Fraction

from examsvc.competitions.regulation import read_preset
from examsvc.ledger import chains, checkpoints, commitments, draws, entries, merkle
from examsvc.ledger.bundle import Material, Opened, Save
from examsvc.ledger.checkpoints import Checkpoint
from examsvc.ledger.definitions import StageKind
from examsvc.ledger.notes import COSIGNATURE, ED25519, SignerKey
from examsvc.ledger.policy import read_policy

CODE = "dept-heads-2026"
START = 1_790_000_000
POSTS = ("P1", "P2")
STAGES = {
    post: {
        "written": frozenset({StageKind.OBJECTIVE, StageKind.WRITTEN}),
        "defence": frozenset({StageKind.DEFENCE}),
        "eligibility": frozenset(),
    }
    for post in POSTS
}
LOG_KEY = SignerKey("exam.example/dept-heads-2026", ED25519, bytes(32))
WITNESSES = [
    SignerKey(f"witness.example/w{n}", COSIGNATURE, hashlib.sha256(b"witness %d" % n).digest())
    for n in (1, 2, 3)
]
REGULATION = read_preset("demo").canonical_bytes()
NOTICE = "Thông báo thi tuyển trưởng phòng".encode()
OUTSIDE = "Xổ số kiến thiết 20.11.2026, giải đặc biệt: 84021".encode()


@dataclass
class Opening:
    """What opens one commitment."""

    entry: int | None
    object: str
    salt: bytes
    value: object

    @property
    def commitment(self) -> str:
        return commitments.commit(self.object, self.salt, self.value)


@dataclass
class Hall:
    seed: int = 1
    candidates: int = 4
    data: list[bytes] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    saves: dict[str, list[Opening]] = field(default_factory=dict)
    heads: dict[int, dict[str, int]] = field(default_factory=dict)
    outside: dict[str, bytes] = field(default_factory=dict)
    time: int = START
    _drawn: int = 0

    def random(self, label: str = "") -> bytes:
        self._drawn += 1
        return hashlib.sha256(f"{self.seed}/{self._drawn}/{label}".encode()).digest()

    def commit(self, name: str, value: object, entry: int | None = -1) -> str:
        entries.check_object(name, value)
        opening = Opening(len(self.data) if entry == -1 else entry, name, self.random("salt"), value)
        self.openings.append(opening)
        return opening.commitment

    def add(self, type: str, by: str = "system", **body: object) -> int:
        definition = entries.entry_type(type)
        if definition.approvers:
            lines = [f"{type} {sorted(body)}"]
            body["summary"] = self.commit("approval.summary", {"type": type, "lines": lines})
            body["approvals"] = [
                {"by": "P-chair", "t": self.time},
                {"by": "P-secretary", "t": self.time + 1},
            ]
        self.time += 2
        index = len(self.data)
        self.data.append(entries.entry_bytes(index, CODE, type, self.time, by, body))
        return index

    def draw(self, code: str, purpose: str, task: str, parameters: object, posts=POSTS) -> object:
        posts = list(posts)
        people = ["P-custodian1", "P-custodian2"]
        terms = {
            "draw": code,
            "source": "Xổ số kiến thiết 20.11.2026",
            "published": self.time + 50,
            "method": draws.METHOD,
        }
        self.add(
            "draw.announced",
            "P-secretary",
            posts=posts,
            draw=code,
            purpose=purpose,
            participants=people,
            terms=self.commit("draw.terms", terms),
        )
        nonces, salts = {}, {}
        for person in people:
            nonces[person] = self.random("nonce").hex()
            commitment = self.commit("draw.nonce", {"draw": code, "person": person, "nonce": nonces[person]})
            salts[person] = self.openings[-1].salt.hex()
            self.add("draw.committed", person, posts=posts, draw=code, person=person, nonce=commitment)
        inputs = self.commit("draw.inputs", {"draw": code, "task": task, "parameters": parameters})
        self.add("draw.fixed", "P-secretary", posts=posts, draw=code, inputs=inputs)
        self.time += 60
        for person in people:
            self.add(
                "draw.revealed",
                person,
                posts=posts,
                draw=code,
                person=person,
                nonce=nonces[person],
                salt=salts[person],
            )
        seed = draws.seed(code, inputs, nonces, OUTSIDE)
        result = draws.replay(seed, task, parameters).result
        self.outside[code] = OUTSIDE
        self.add(
            "draw.drawn",
            "P-secretary",
            posts=posts,
            draw=code,
            outside=hashlib.sha256(OUTSIDE).hexdigest(),
            seed=seed,
            result=self.commit("draw.result", {"draw": code, "result": result}),
        )
        return result


def competition(seed: int = 1, candidates: int = 4, until: str | None = None) -> Hall:
    """An honest competition with `candidates` for each post; `until` stops after the first entry of that type."""
    hall = Hall(seed, candidates)
    for step in (_rules, _applications, _paper, _sitting, _marking, _defence, _results):
        step(hall)
        if until is not None:
            types = [entries.read_entry(data).type for data in hall.data]
            if until in types:
                del hall.data[types.index(until) + 1 :]
                break
    return hall


REGISTRY_KEY = SignerKey("exam.example/registry", ED25519, hashlib.sha256(b"registry").digest())
POLICY_TEXT = "".join(
    [f"log {key.verifier.text}\n" for key in (LOG_KEY, REGISTRY_KEY)]
    + [f"witness w{n} {key.verifier.text}\n" for n, key in enumerate(WITNESSES, start=1)]
    + ["group g 2 w1 w2 w3\nquorum g\n"]
).encode()
POLICY = read_policy(POLICY_TEXT)


def checkpoint_of(
    log: list[bytes], key: SignerKey, witnesses: list[SignerKey], time: int = START + 10_000_000
) -> bytes:
    point = Checkpoint(key.name, len(log), merkle.root_of(entries.leaf_hash(data) for data in log))
    return (
        checkpoints.sign(point, key)
        .with_signatures(checkpoints.cosign(point, w, time) for w in witnesses)
        .data
    )


def registry() -> list[bytes]:
    approvals = {"approvals": [{"by": "P-1", "t": START}, {"by": "P-2", "t": START}], "summary": "cd" * 32}
    words = [
        ("log.opened", {"origin": REGISTRY_KEY.name, "key": REGISTRY_KEY.verifier.text}),
        ("release.installed", {"version": "0.1.0", "digest": "ab" * 32, "schema": "0001"}),
        ("witnesses.named", {"policy": hashlib.sha256(POLICY_TEXT).hexdigest(), "witnesses": 3, **approvals}),
        (
            "competition.opened",
            {
                "competition": CODE,
                "origin": LOG_KEY.name,
                "key": LOG_KEY.verifier.text,
                "classified": False,
                **approvals,
            },
        ),
    ]
    return [
        entries.entry_bytes(index, "ministry", type, START, "system", body)
        for index, (type, body) in enumerate(words)
    ]


def material(hall: Hall, witnesses: list[SignerKey] = WITNESSES) -> Material:
    return Material(
        entries=hall.data,
        checkpoint=checkpoint_of(hall.data, LOG_KEY, witnesses),
        openings=[Opened(o.entry, o.commitment, o.object, o.salt, o.value) for o in hall.openings],
        documents=[REGULATION, NOTICE, POLICY_TEXT],
        outside=hall.outside,
        chains={a: [Save(s.commitment, s.salt, s.value) for s in saves] for a, saves in hall.saves.items()},
        heads=hall.heads,
        registry_entries=registry(),
        registry_checkpoint=checkpoint_of(registry(), REGISTRY_KEY, witnesses),
    )


def _rules(hall: Hall) -> None:
    hall.add("log.opened", origin=LOG_KEY.name, key=LOG_KEY.verifier.text, registry="exam.example/registry")
    office = {"chair": "council-chair", "secretary": "council-secretary", "examiner": "chief-examiner"}
    office |= {f"custodian{n}": "custodian" for n in (1, 2, 3)} | {f"m{n}": "marker" for n in (1, 2, 3, 4)}
    office |= {"invigilator": "invigilator"}
    for name in office:
        identity = {
            "person": f"P-{name}",
            "account": f"u-{name}",
            "name": f"Người {name}",
            "identity": f"0{name}",
        }
        hall.add("person.enrolled", person=f"P-{name}", identity=hall.commit("person.identity", identity))
    for name, role in [*office.items(), *((f"m{n}", "panel-member") for n in (1, 2, 3, 4))]:
        hall.add("role.granted", "P-secretary", person=f"P-{name}", role=role)
    hall.add(
        "regulation.pinned",
        "P-secretary",
        regulation="leadership",
        version="2026-1",
        digest=hashlib.sha256(REGULATION).hexdigest(),
    )
    hall.add(
        "witnesses.named", "P-chair", policy=hashlib.sha256(POLICY_TEXT).hexdigest(), witnesses=len(WITNESSES)
    )
    hall.add(
        "notice.published",
        "P-secretary",
        posts=list(POSTS),
        revision=1,
        digest=hashlib.sha256(NOTICE).hexdigest(),
    )


def _applications(hall: Hall) -> None:
    hall.add("applications.opened", posts=list(POSTS), round=1, until=hall.time + 500)
    hall.people = []
    for post in POSTS:
        for number in range(hall.candidates):
            code = f"U-{hall.random('application').hex()[:10]}"
            hall.people.append((post, code, f"{post}-{number + 1:03}"))
            identity = {
                "application": code,
                "name": f"Thí sinh {number}",
                "born": "1985-01-01",
                "identity": f"{post}{number:010}",
            }
            file = {"application": code, "version": 1, "answers": {"posts": [post]}, "evidence": []}
            hall.add(
                "application.submitted",
                code,
                posts=[post],
                application=code,
                version=1,
                identity=hall.commit("application.identity", identity),
                file=hall.commit("application.file", file),
            )
    hall.time += 500
    hall.add("applications.closed", posts=list(POSTS), round=1, count=len(hall.people))
    for post, code, _ in hall.people:
        value = {
            "application": code,
            "outcome": "eligible",
            "criteria": [{"criterion": "service", "clause": "4.1", "met": True}],
        }
        hall.add(
            "application.decided",
            "P-secretary",
            posts=[post],
            application=code,
            revision=1,
            outcome="eligible",
            eligibility=hall.commit("application.eligibility", value),
        )
    for post in POSTS:
        rows = [{"candidate": c, "application": a, "post": p} for p, a, c in hall.people if p == post]
        hall.add(
            "candidates.listed",
            "P-secretary",
            posts=[post],
            revision=1,
            count=len(rows),
            candidates=hall.commit("candidates.list", {"candidates": rows}),
        )


def _paper(hall: Hall) -> None:
    scope = {"stage": "written", "posts": list(POSTS)}
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
    hall.items = [hashlib.sha256(b"item %d" % n).hexdigest() for n in (1, 2)]
    for paper, kind in (("T1", "main"), ("T2", "spare")):
        form = {
            "paper": paper,
            "form": "F1",
            "items": [
                {
                    "slot": 1,
                    "item": hall.items[0],
                    "marks": "20",
                    "content": {"text": "Câu 1", "options": ["a", "b", "c"]},
                },
                {"slot": 2, "item": hall.items[1], "marks": "80", "content": {"text": "Viết về phân cấp."}},
            ],
        }
        forms = [hall.commit("paper.form", form)]
        hall.add("paper.approved", "P-chair", **scope, paper=paper, kind=kind, forms=forms)
        key = {"paper": paper, "version": 1, "answers": [{"item": hall.items[0], "key": "b", "marks": "20"}]}
        shares = []
        for n in (1, 2, 3):
            value = {
                "paper": paper,
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
            paper=paper,
            kind=kind,
            forms=forms,
            key=hall.commit("paper.key", key),
            ciphertext=hall.random("ciphertext").hex(),
            size=4096,
            threshold=2,
            shares=shares,
        )


def _sitting(hall: Hall) -> None:
    scope = {"stage": "written", "posts": list(POSTS)}
    seats = [
        {"candidate": c, "room": "R1", "seat": f"{n}"} for n, (_, _, c) in enumerate(hall.people, start=1)
    ]
    hall.add(
        "sitting.scheduled",
        "P-secretary",
        **scope,
        sitting="S1",
        revision=1,
        bell=hall.time + 300,
        rooms=["R1"],
        count=len(seats),
        plan=hall.commit("sitting.plan", {"sitting": "S1", "seats": seats}),
    )
    for n in (1, 2):
        hall.add(
            "paper.share_delivered",
            f"P-custodian{n}",
            **scope,
            paper="T1",
            custodian=f"P-custodian{n}",
            x=n,
            genuine=True,
        )
    hall.add("paper.opened", **scope, paper="T1", custodians=["P-custodian1", "P-custodian2"])
    hall.attempts = {}
    for post, _, candidate in hall.people:
        attempt = f"A-{hall.random('attempt').hex()[:10]}"
        hall.attempts[candidate] = attempt
        terms = {
            "attempt": attempt,
            "form": "F1",
            "seconds": 3600,
            "slots": [{"slot": n, "item": item} for n, item in enumerate(hall.items, start=1)],
        }
        hall.add(
            "attempt.prepared",
            stage="written",
            posts=[post],
            attempt=attempt,
            sitting="S1",
            paper="T1",
            candidate=hall.commit("attempt.candidate", {"attempt": attempt, "candidate": candidate}),
            terms=hall.commit("attempt.terms", terms),
        )
    absent = hall.people[-1][2] if len(hall.people) > 3 else None
    hall.sat = [(post, candidate) for post, _, candidate in hall.people if candidate != absent]
    for post, candidate in hall.sat:
        attempt = hall.attempts[candidate]
        arrival = {"attempt": attempt, "room": "R1", "seat": "1", "document": "cccd", "photograph": True}
        hall.add(
            "attempt.checked_in",
            "P-invigilator",
            stage="written",
            posts=[post],
            attempt=attempt,
            sitting="S1",
            arrival=hall.commit("attempt.arrival", arrival),
            excused=False,
        )
    hall.add(
        "sitting.started",
        "P-chair",
        **scope,
        sitting="S1",
        paper="T1",
        bell=hall.time,
        prepared=len(hall.people),
        checked_in=len(hall.sat),
    )
    bell = hall.time
    if absent is not None:
        hall.add(
            "attempt.absent",
            "P-invigilator",
            stage="written",
            posts=[hall.people[-1][0]],
            attempt=hall.attempts[absent],
            sitting="S1",
            cause="no_show",
        )
    hall.answers = {}
    for number, (_, candidate) in enumerate(hall.sat):
        attempt = hall.attempts[candidate]
        hall.answers[attempt] = ["abc"[number % 3], f"Bài viết số {number} của thí sinh."]
        hall.saves[attempt] = []
        for slot, value in ((1, "a"), (1, hall.answers[attempt][0]), (2, hall.answers[attempt][1])):
            versions = sum(save.value["slot"] == slot for save in hall.saves[attempt])
            save = {
                "attempt": attempt,
                "slot": slot,
                "version": versions + 1,
                "save": hall.random("save").hex()[:32],
                "value": value,
                "saved_at": hall.time,
                "late": False,
            }
            entries.check_object("attempt.save", save)
            hall.saves[attempt].append(Opening(None, "attempt.save", hall.random("salt"), save))
    heads = [chains.replay(CODE, a, [s.commitment for s in saves])[-1] for a, saves in hall.saves.items()]
    hall.heads[len(hall.data)] = {head.attempt: head.links for head in heads}
    hall.add(
        "sitting.heads",
        **scope,
        sitting="S1",
        attempts=len(heads),
        links=sum(head.links for head in heads),
        root=chains.heads_root(heads),
    )
    for (post, candidate), head in zip(hall.sat, heads, strict=True):
        attempt = hall.attempts[candidate]
        answers = {
            "attempt": attempt,
            "form": "F1",
            "deadline": bell + 3600,
            "answers": [
                {"slot": 1, "version": 2, "value": hall.answers[attempt][0]},
                {"slot": 2, "version": 1, "value": hall.answers[attempt][1]},
            ],
        }
        hall.add(
            "attempt.submitted",
            attempt,
            stage="written",
            posts=[post],
            attempt=attempt,
            sitting="S1",
            manner="candidate",
            links=head.links,
            head=head.head,
            answers=hall.commit("attempt.answers", answers),
        )
    hall.closed = hall.add(
        "sitting.closed",
        **scope,
        sitting="S1",
        checked_in=len(hall.sat),
        absent=len(hall.people) - len(hall.sat),
        submitted=len(hall.sat),
    )


def _marking(hall: Hall) -> None:
    scope = {"stage": "written", "posts": list(POSTS)}
    scores = [
        {
            "attempt": a,
            "slots": ["20" if answer[0] == "b" else "0"],
            "total": "20" if answer[0] == "b" else "0",
        }
        for a, answer in sorted(hall.answers.items())
    ]
    hall.add(
        "responses.scored",
        **scope,
        paper="T1",
        version=1,
        attempts=len(scores),
        scores=hall.commit("score.table", {"paper": "T1", "key": 1, "scores": scores}),
        under=hall.closed,
    )
    hall.objective = {row["attempt"]: Fraction(row["total"]) for row in scores}
    hall.scripts = {f"K-{hall.random('script').hex()[:10]}": attempt for attempt in hall.answers}
    pairs = sorted(
        hall.commit("blind.pair", {"attempt": attempt, "slot": 2, "script": script})
        for script, attempt in hall.scripts.items()
    )
    hall.add(
        "blind.map",
        "P-secretary",
        **scope,
        sitting="S1",
        part=1,
        parts=1,
        pairs=pairs,
        sealed=hall.random("sealed").hex(),
    )
    parameters = {
        "scripts": sorted(hall.scripts),
        "markers": [{"marker": f"P-m{n}", "group": f"G{n}"} for n in (1, 2, 3, 4)],
        "rounds": 2,
        "excluded": [],
    }
    rows = hall.draw("D1", "allocation", "allocation", parameters)
    hall.add(
        "scripts.allocated",
        "P-examiner",
        **scope,
        draw="D1",
        rounds=[1, 2],
        scripts=len(hall.scripts),
        allocation=hall.commit("allocation", {"rows": rows}),
    )
    marks: dict[str, list[str]] = {}
    for row in rows:
        mark = f"{40 + int(hall.random('mark')[0]) % 40}"
        marks.setdefault(row["script"], []).append(mark)
        sheet = {
            "script": row["script"],
            "marker": row["marker"],
            "round": row["round"],
            "version": 1,
            "guide": 1,
            "criteria": [{"criterion": "whole", "mark": mark}],
            "total": mark,
        }
        hall.add(
            "mark.recorded",
            row["marker"],
            **scope,
            script=row["script"],
            marker=row["marker"],
            round=row["round"],
            version=1,
            sheet=hall.commit("mark.sheet", sheet),
        )
    hall.essay = {}
    for script, pair in marks.items():
        mean = sum(map(Fraction, pair)) / 2
        text = f"{float(mean):g}"
        hall.essay[hall.scripts[script]] = mean
        value = {"script": script, "marks": pair, "rule": "mean", "mark": text}
        hall.add(
            "mark.settled",
            **scope,
            script=script,
            version=1,
            manner="mean",
            settlement=hall.commit("mark.settlement", value),
        )
    hall.add("marks.locked", "P-examiner", **scope, lock=1, units=len(marks), marks=len(rows))
    hall.add("blind.open", "P-secretary", **scope, lock=1, custodians=["P-secretary"], pairs=len(pairs))


def _defence(hall: Hall) -> None:
    hall.defence = {}
    for post in POSTS:
        scope = {"stage": "defence", "posts": [post]}
        people = [candidate for p, candidate in hall.sat if p == post]
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
            hearing = f"H-{hall.random('hearing').hex()[:10]}"
            hall.add(
                "hearing.listed",
                "P-secretary",
                **scope,
                hearing=hearing,
                place=place,
                draw=f"D-{post}",
                candidate=hall.commit("hearing.candidate", {"hearing": hearing, "candidate": candidate}),
                panel=["P-m1", "P-m2", "P-m3"],
            )
            hall.add("hearing.begun", "P-m1", **scope, hearing=hearing)
            marks = []
            hall.add("hearing.ended", "P-m1", **scope, hearing=hearing, presentation=1500, questions=900)
            for member in ("P-m1", "P-m2", "P-m3"):
                mark = f"{50 + int(hall.random('defence')[0]) % 40}"
                marks.append(mark)
                sheet = {"hearing": hearing, "member": member, "version": 1, "criteria": [], "total": mark}
                hall.add(
                    "hearing.marked",
                    member,
                    **scope,
                    hearing=hearing,
                    member=member,
                    version=1,
                    sheet=hall.commit("hearing.sheet", sheet),
                )
            hall.add("hearing.shown", **scope, hearing=hearing, members=3, at=hall.time)
            mean = sum(map(Fraction, marks)) / 3
            rounded = f"{float(round(mean, 2)):.2f}"
            hall.defence[candidate] = Fraction(rounded)
            value = {"hearing": hearing, "marks": marks, "rule": "mean", "mark": rounded}
            hall.add(
                "hearing.settled",
                **scope,
                hearing=hearing,
                version=1,
                manner="mean",
                settlement=hall.commit("hearing.settlement", value),
            )
        hall.add("marks.locked", "P-examiner", **scope, lock=1, units=len(people), marks=3 * len(people))


def _results(hall: Hall) -> None:
    hall.rankings = {}
    for post in POSTS:
        rows = []
        sat = {candidate for p, candidate in hall.sat if p == post}
        totals = {}
        for p, _, candidate in hall.people:
            if p != post:
                continue
            if candidate not in sat:
                rows.append({"candidate": candidate, "stages": [], "outcome": "absent"})
                continue
            attempt = hall.attempts[candidate]
            written = hall.objective[attempt] + hall.essay[attempt]
            totals[candidate] = written + hall.defence[candidate]
            rows.append(
                {
                    "candidate": candidate,
                    "stages": [
                        {"stage": "written", "mark": f"{float(written):g}", "passed": "yes"},
                        {
                            "stage": "defence",
                            "mark": f"{float(hall.defence[candidate]):.2f}",
                            "passed": "yes",
                        },
                    ],
                    "total": f"{float(totals[candidate]):.2f}",
                    "outcome": "passed",
                }
            )
        for row in rows:
            if row["candidate"] in totals:
                row["rank"] = 1 + sum(other > totals[row["candidate"]] for other in totals.values())
        value = {"post": post, "run": 1, "rows": rows}
        hall.rankings[post] = value
        ranking = hall.commit("results.ranking", value)
        stages = ["defence", "written"] if sat else ["written"]
        hall.add(
            "results.computed",
            posts=[post],
            run=1,
            stages=stages,
            candidates=len(rows),
            ranking=ranking,
            release="0.1.0",
        )
        decision = {
            "number": f"{post}/QĐ",
            "date": "2026-11-30",
            "authority": "Bộ trưởng",
            "reason": "Đúng quy chế.",
        }
        hall.add(
            "results.approved",
            "P-chair",
            posts=[post],
            run=1,
            ranking=ranking,
            decision=hall.commit("decision", decision),
        )
        hall.add(
            "results.published", "P-secretary", posts=[post], edition=1, run=1, ranking=ranking, cause="first"
        )
