"""A whole competition as entries and openings, made with the pure functions alone; every value follows from a seed.

Two posts share a mixed written stage (one objective item, one essay); both then have a defence. It is honest unless a test says otherwise.
A scenario varies regulation, size and incidents (scenarios.py); hall_course.py holds what happens from the paper to the results.
"""

import hashlib
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from examsvc.competitions.regulation import Regulation, read_preset
from examsvc.ledger import checkpoints, commitments, draws, entries, merkle
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


def regulated(change: Callable[[dict[str, Any]], object]) -> Regulation:
    """The regulation for demonstrations with some clauses changed in its JSON tree."""
    tree = json.loads(read_preset("demo").canonical_bytes())
    change(tree)
    return Regulation.model_validate_json(json.dumps(tree))


def plain(tree: dict[str, Any]) -> None:
    """One item of 20, one essay of 80 marked twice, a panel of three; means, nothing rounded but at the end, no hurdles."""
    test, essay = tree["stages"][1]["parts"]
    (defence,) = tree["stages"][2]["parts"]
    test |= {"maximum": "20", "weight": "1", "items": "[1, 40]"}
    essay |= {"maximum": "80", "weight": "1", "tasks": "[1, 3]"}
    defence |= {"weight": "1"}
    for part in (test, essay, defence):
        part |= {"hurdle": False, "pass_mark": None}
    tree["marking"][0] |= {"discrepancy": None}
    tree["panels"][0] |= {
        "members": 3, "combine": "mean", "drop_highest": 0, "drop_lowest": 0, "outlier": None, "criteria": [],
    }  # fmt: skip
    tree["total"] |= {"maximum": "200"}


PLAIN = regulated(plain)
REGULATION = PLAIN.canonical_bytes()
NOTICE = "Thông báo thi tuyển trưởng phòng".encode()
OUTSIDE = "Xổ số kiến thiết 20.11.2026, giải đặc biệt: 84021".encode()


@dataclass(frozen=True)
class Scenario:
    """What varies between competitions. `incidents` are names of scenarios.INCIDENTS; `spread` is how far marks of a script lie apart."""

    regulation: Regulation = PLAIN
    posts: tuple[str, ...] = POSTS
    places: Mapping[str, int] = field(default_factory=lambda: {"P1": 1, "P2": 1})
    markers: int = 4
    items: int = 1
    tasks: int = 1
    spread: int = 40
    more_saves: int = 0
    punctual: bool = False
    incidents: frozenset[str] = frozenset()


@dataclass
class Opening:
    """What opens one commitment."""

    entry: int | None
    object: str
    salt: bytes
    value: object
    subject: str | None = None
    erased: bool = False

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
    documents: list[bytes] = field(default_factory=list)
    scenario: Scenario = field(default_factory=Scenario)
    edition: int = 1
    time: int = START
    _drawn: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} {self.candidates}")

    def happens(self, incident: str) -> bool:
        """Whether the scenario has this incident."""
        return incident in self.scenario.incidents

    @property
    def posts(self) -> list[str]:
        return list(self.scenario.posts)

    def random(self, label: str = "") -> bytes:
        self._drawn += 1
        return hashlib.sha256(f"{self.seed}/{self._drawn}/{label}".encode()).digest()

    def commit(self, name: str, value: object, subject: str | None = None) -> str:
        """The commitment to an object, opened in the next entry; `subject` is the candidate with whose data it is erased."""
        entries.check_object(name, value)
        opening = Opening(len(self.data), name, self.random("salt"), value, subject)
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

    def draw(self, code: str, purpose: str, task: str, parameters: object, posts=None) -> object:
        posts = self.posts if posts is None else list(posts)
        if self.happens("void-draw") and purpose == "allocation":
            self._steps(f"{code}-0", purpose, task, parameters, posts, draws.METHOD, withholds="P-custodian2")
            value = {"text": "Một người không công bố số của mình."}
            self.add(
                "draw.voided",
                "P-secretary",
                posts=posts,
                draw=f"{code}-0",
                cause="withheld",
                person="P-custodian2",
                reason=self.commit("reason", value),
            )
        method = draws.SERVER_METHOD if self.happens("server-draw") else draws.METHOD
        nonces, inputs, fixed = self._steps(code, purpose, task, parameters, posts, method)
        outside = OUTSIDE
        if method == draws.SERVER_METHOD:
            outside = entries.leaf_hash(self.data[fixed]).hex().encode()
        else:
            self.outside[code] = outside
        seed = draws.seed(code, inputs, nonces, outside)
        result = draws.replay(seed, task, parameters).result
        self.add(
            "draw.drawn",
            "P-secretary",
            posts=posts,
            draw=code,
            outside=hashlib.sha256(outside).hexdigest(),
            seed=seed,
            result=self.commit("draw.result", {"draw": code, "result": result}),
        )
        return result

    def _steps(
        self, code: str, purpose: str, task: str, parameters: object, posts: list[str], method: str, withholds: str | None = None
    ) -> tuple[dict[str, str], str, int]:
        """A draw up to the reveals; the nonces, the commitment to its inputs, and the entry that fixed them."""
        people = ["P-custodian1", "P-custodian2"]
        terms = {
            "draw": code,
            "source": "Xổ số kiến thiết 20.11.2026",
            "published": self.time + 50,
            "method": method,
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
        fixed = self.add("draw.fixed", "P-secretary", posts=posts, draw=code, inputs=inputs)
        self.time += 60
        for person, nonce in nonces.items():
            if person != withholds:
                self.add("draw.revealed", person, posts=posts, draw=code, person=person, nonce=nonce, salt=salts[person])
        return nonces, inputs, fixed


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
        documents=[hall.scenario.regulation.canonical_bytes(), NOTICE, POLICY_TEXT, *hall.documents],
        outside=hall.outside,
        chains={
            a: [Save(s.commitment) if s.erased else Save(s.commitment, s.salt, s.value) for s in saves]
            for a, saves in hall.saves.items()
        },
        heads=hall.heads,
        registry_entries=registry(),
        registry_checkpoint=checkpoint_of(registry(), REGISTRY_KEY, witnesses),
    )


def rules(hall: Hall) -> None:
    hall.add("log.opened", origin=LOG_KEY.name, key=LOG_KEY.verifier.text, registry="exam.example/registry")
    office = {"chair": "council-chair", "secretary": "council-secretary", "examiner": "chief-examiner"}
    office |= {f"custodian{n}": "custodian" for n in (1, 2, 3)}
    hall.markers = [f"m{n}" for n in range(1, hall.scenario.markers + 1)]
    office |= dict.fromkeys(hall.markers, "marker")
    if hall.happens("remark"):
        office |= {"r1": "re-marker", "r2": "re-marker"}
    office |= {"invigilator": "invigilator"}
    for name in office:
        identity = {
            "person": f"P-{name}",
            "account": f"u-{name}",
            "name": f"Người {name}",
            "identity": f"0{name}",
        }
        hall.add("person.enrolled", person=f"P-{name}", identity=hall.commit("person.identity", identity))
    for name, role in [*office.items(), *((name, "panel-member") for name in hall.markers)]:
        hall.add("role.granted", "P-secretary", person=f"P-{name}", role=role)
    hall.add(
        "regulation.pinned",
        "P-secretary",
        regulation="leadership",
        version="2026-1",
        digest=hall.scenario.regulation.digest(),
    )
    hall.add(
        "witnesses.named", "P-chair", policy=hashlib.sha256(POLICY_TEXT).hexdigest(), witnesses=len(WITNESSES)
    )
    hall.add(
        "notice.published",
        "P-secretary",
        posts=hall.posts,
        revision=1,
        digest=hashlib.sha256(NOTICE).hexdigest(),
    )


def applications(hall: Hall) -> None:
    hall.add("applications.opened", posts=hall.posts, round=1, until=hall.time + 500)
    hall.people, hall.born = [], {}
    for post in hall.posts:
        for number in range(hall.candidates):
            code = f"U-{hall.random('application').hex()[:10]}"
            hall.people.append((post, code, f"{post}-{number + 1:03}"))
            identity = {
                "application": code,
                "name": f"Thí sinh {number}",
                "born": f"{1970 + number % 3}-01-0{1 + number % 2}",
                "identity": f"{post}{number:010}",
            }
            hall.born[code] = identity["born"]
            file = {"application": code, "version": 1, "answers": {"posts": [post]}, "evidence": []}
            hall.add(
                "application.submitted",
                code,
                posts=[post],
                application=code,
                version=1,
                identity=hall.commit("application.identity", identity, f"{post}-{number + 1:03}"),
                file=hall.commit("application.file", file, f"{post}-{number + 1:03}"),
            )
    hall.time += 500
    hall.add("applications.closed", posts=hall.posts, round=1, count=len(hall.people))
    for post, code, candidate in hall.people:
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
            eligibility=hall.commit("application.eligibility", value, candidate),
        )
    for post in hall.posts:
        rows = [{"candidate": c, "application": a, "post": p} for p, a, c in hall.people if p == post]
        hall.add(
            "candidates.listed",
            "P-secretary",
            posts=[post],
            revision=1,
            count=len(rows),
            candidates=hall.commit("candidates.list", {"candidates": rows}),
        )
