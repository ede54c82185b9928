"""A whole exam day over HTTP: N candidates sign in, wait for the bell, answer, lose the network, submit.

The report says what a board must know before the day: whether any acknowledged answer was lost, and how long saving took.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import shlex
import subprocess
import sys
import time
import unicodedata
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import click
import httpx
from rich.console import Console
from rich.progress import Progress

POLL = 15.0
BATCH_PAUSE = 0.4
RETRIES = (1, 2, 4, 8, 15)


@dataclass
class Tally:
    """What all candidates together saw; latencies in seconds, of saves only."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    acknowledged: int = 0
    wrong_digests: int = 0
    lost: int = 0
    checked: int = 0
    receipts: int = 0
    began: float = 0.0
    ended: float = 0.0

    def percentile(self, share: float) -> float:
        """The latency below which this share of saves stayed, in milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def report(self, candidates: int) -> dict[str, Any]:
        seconds = max(self.ended - self.began, 0.001)
        return {
            "candidates": candidates,
            "seconds": round(seconds, 1),
            "saves": self.acknowledged,
            "saves_per_second": round(self.acknowledged / seconds, 1),
            "p50_ms": round(self.percentile(0.50), 1),
            "p95_ms": round(self.percentile(0.95), 1),
            "p99_ms": round(self.percentile(0.99), 1),
            "slowest_ms": round(self.percentile(1.0), 1),
            "retried": self.retried,
            "answers_checked": self.checked,
            "answers_lost": self.lost,
            "wrong_digests": self.wrong_digests,
            "receipts": self.receipts,
            "statuses": dict(sorted(self.statuses.items())),
        }


def digest(value: object) -> str:
    """The digest of docs/formats/player-protocol.md, computed here independently of the server."""
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(unicodedata.normalize("NFC", canonical).encode()).hexdigest()


def invent(presentation: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A well-formed answer to any question that the paper shows."""
    value: dict[str, Any] = {}
    for one in presentation["interactions"]:
        ids = [choice["id"] for choice in one.get("choices", [])]
        kind = one["kind"]
        if kind in ("choice", "inline-choice") and ids:
            if one.get("cardinality") == "multiple":
                value[one["id"]] = sorted(chance.sample(ids, min(len(ids), 2)))
            else:
                value[one["id"]] = chance.choice(ids)
        elif kind == "order":
            chance.shuffle(ids)
            value[one["id"]] = ids
        elif kind == "match":
            targets = [target["id"] for target in one["targets"]]
            chance.shuffle(targets)
            value[one["id"]] = sorted(f"{a} {b}" for a, b in zip(ids, targets, strict=False))
        elif kind == "text-entry":
            value[one["id"]] = str(chance.randint(1, 99))
        elif kind == "extended-text":
            value[one["id"]] = "Kính thưa hội đồng, " + "nội dung " * chance.randint(5, 40)
    return value


class Candidate:
    """One browser: keeps unsent answers, retries with the same save_id, believes only acknowledgements."""

    def __init__(self, base: str, place: dict[str, str], tally: Tally, think: float, seed: int) -> None:
        self.place = place
        self.tally = tally
        self.think = think
        self.chance = random.Random(seed)  # noqa: S311 - invented answers
        limits = httpx.Limits(max_connections=2, max_keepalive_connections=2)
        self.client = httpx.AsyncClient(base_url=base, timeout=15, limits=limits)
        self.headers: dict[str, str] = {"Accept": "application/json"}
        self.attempt = ""
        self.lease = ""
        self.versions: dict[int, int] = {}
        self.expected: dict[int, str] = {}

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Sends until the server answers with something other than a failure of its own."""
        for pause in (*RETRIES, *([RETRIES[-1]] * 20)):
            try:
                reply = await self.client.request(method, path, headers=self.headers, **more)
            except httpx.HTTPError as error:
                self.tally.statuses[type(error).__name__] += 1
            else:
                self.tally.statuses[str(reply.status_code)] += 1
                if reply.status_code < 500 and reply.status_code not in (429, 503):
                    return reply
            self.tally.retried += 1
            await asyncio.sleep(pause * (0.5 + 0.5 * self.chance.random()))
        raise click.ClickException("The service did not answer for several minutes; the rehearsal was given up.")

    async def sign_in(self) -> None:
        path = f"/competitions/{self.place['competition']}/sit"
        page = await self.request("GET", path)
        form = {
            "csrf_token": _between(page.text, 'name="csrf_token" type="hidden" value="', '"'),
            "candidate_number": self.place["number"],
            "code": self.place["code"],
        }
        reply = await self.request("POST", path, data=form)
        if reply.status_code != 302:
            raise click.ClickException(f"Candidate {self.place['number']} could not sign in ({reply.status_code}).")
        self.attempt = reply.headers["location"].rstrip("/").rpartition("/")[2]
        page = await self.request("GET", f"/attempts/{self.attempt}")
        self.headers["X-CSRFToken"] = _between(page.text, 'data-csrf="', '"')
        reply = await self.request(
            "POST", f"/attempts/{self.attempt}/lease", json={"machine": uuid.uuid4().hex, "take_over": False}
        )
        self.lease = reply.json()["lease"]

    async def wait_for_bell(self) -> None:
        while True:
            reply = (await self.request("GET", f"/attempts/{self.attempt}/state", params={"light": 1})).json()
            if reply["state"] != "waiting":
                return
            left = _seconds(reply["bell"]) - _seconds(reply["now"])
            await asyncio.sleep(min(max(left, 0.05) + self.chance.random() * 0.8, POLL))

    async def write(self, until: float) -> None:
        """Answers one question after the other, changes some, until the time is up."""
        paper = (await self.request("GET", f"/attempts/{self.attempt}/paper")).json()
        slots = {slot["slot"]: slot["item"] for part in paper["parts"] for slot in part["slots"]}
        self.versions = dict.fromkeys(slots, 0)
        polled = time.monotonic()
        while time.monotonic() < until:
            await asyncio.sleep(self.think * (0.5 + self.chance.random()))
            number = self.chance.choice(list(slots))
            language = self.chance.choice(list(slots[number]))
            await self.save(number, invent(slots[number][language], self.chance))
            if time.monotonic() - polled > POLL:
                polled = time.monotonic()
                await self.request("GET", f"/attempts/{self.attempt}/state", params={"light": 1})

    async def save(self, slot: int, value: dict[str, Any]) -> None:
        body = {
            "lease": self.lease,
            "saves": [
                {
                    "save_id": str(uuid.uuid4()),
                    "slot": slot,
                    "base_version": self.versions[slot],
                    "value": value or None,
                    "client_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                }
            ],
        }
        begun = time.monotonic()
        reply = await self.request("POST", f"/attempts/{self.attempt}/saves", json=body)
        self.tally.latencies.append(time.monotonic() - begun)
        if reply.status_code != 200:
            return
        acknowledged = reply.json()["saves"][0]
        self.tally.acknowledged += 1
        if acknowledged["digest"] != digest(value or None):
            self.tally.wrong_digests += 1
        self.versions[slot] = acknowledged["version"]
        self.expected[slot] = acknowledged["digest"]

    async def submit(self) -> None:
        reply = await self.request(
            "POST",
            f"/attempts/{self.attempt}/submit",
            json={"lease": self.lease, "submit_id": str(uuid.uuid4()), "versions": self.versions},
        )
        if reply.status_code == 200 and len(reply.json()["receipt"]["code"]) == 20:
            self.tally.receipts += 1

    async def check(self) -> None:
        """Asks the server for every answer it acknowledged, and compares."""
        state = (await self.request("GET", f"/attempts/{self.attempt}/state", params={"values": 1})).json()
        stored = {slot["slot"]: digest(slot["value"]) for slot in state["slots"]}
        for slot, expected in self.expected.items():
            self.tally.checked += 1
            if stored.get(slot) != expected:
                self.tally.lost += 1

    async def close(self) -> None:
        await self.client.aclose()


def _run(command: str) -> None:
    """Runs what the caller of this command wants done in the middle of the day."""
    subprocess.run(shlex.split(command), check=False)  # noqa: S603


def _between(text: str, before: str, after: str) -> str:
    found = text.partition(before)[2].partition(after)[0]
    if not found:
        raise click.ClickException("The page is not the one expected; is this an examsvc installation?")
    return found


def _seconds(moment: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(moment).timestamp()


async def _day(url: str, places: list[dict[str, str]], seconds: float, think: float, kill: str | None) -> Tally:
    tally = Tally()
    people = [Candidate(url, place, tally, think, seed) for seed, place in enumerate(places)]
    quiet = Console(stderr=True, quiet=not sys.stderr.isatty())
    try:
        with Progress(console=quiet, transient=True) as progress:
            step = progress.add_task("signing in", total=len(people))

            async def enter(person: Candidate) -> None:
                await asyncio.sleep(person.chance.random() * min(20.0, len(people) / 10))
                await person.sign_in()
                progress.advance(step)

            await asyncio.gather(*(enter(person) for person in people))
            progress.update(step, description="waiting for the bell", completed=0, total=None)
            await asyncio.gather(*(person.wait_for_bell() for person in people))
            tally.began = time.monotonic()
            until = tally.began + seconds
            progress.update(step, description="writing")
            writing = asyncio.gather(*(person.write(until) for person in people))
            if kill:
                await asyncio.sleep(seconds / 2)
                await asyncio.to_thread(_run, kill)
            await writing
            tally.ended = time.monotonic()
            progress.update(step, description="submitting and checking")
            await asyncio.gather(*(person.submit() for person in people))
            await asyncio.gather(*(person.check() for person in people))
    finally:
        await asyncio.gather(*(person.close() for person in people))
    return tally


@click.command(epilog="Example: examsvc rehearse http://127.0.0.1:8000 --candidates 200 --minutes 2")
@click.argument("url")
@click.option("--candidates", default=12, show_default=True, type=click.IntRange(1, 2000), help="How many sit.")
@click.option("--minutes", default=2.0, show_default=True, type=click.FloatRange(0.05, 300), help="How long they write.")
@click.option("--think", default=5.0, show_default=True, type=click.FloatRange(0.05), help="Mean seconds between two answers.")
@click.option("--wait", default=20, show_default=True, type=click.IntRange(5, 3600), help="Seconds from now to the bell.")
@click.option("--kill", metavar="COMMAND", help="Run this in the middle, for instance to restart the server.")
@click.option("--json", "as_json", is_flag=True, help="The report for machines.")
def rehearse(
    url: str, candidates: int, minutes: float, think: float, wait: int, kill: str | None, as_json: bool
) -> None:
    """Simulate an exam day against a demonstration installation at URL and report what a board must know.

    Exit 0 when every acknowledged answer was found again and everybody got a receipt, 1 otherwise.
    """
    try:
        reply = httpx.post(
            f"{url.rstrip('/')}/demo/rehearsal",
            json={"candidates": candidates, "seconds_to_bell": wait + candidates // 10},
            timeout=300,
        )
    except httpx.HTTPError as error:
        raise click.ClickException(f"{url} cannot be reached: {error}") from None
    if reply.status_code != 200:
        raise click.ClickException("A rehearsal needs a demonstration installation: start one with examsvc demo.")
    tally = asyncio.run(_day(url.rstrip("/"), reply.json()["places"], minutes * 60, think, kill))
    report = tally.report(candidates)
    if as_json:
        click.echo(json.dumps(report))
    else:
        for name, value in report.items():
            click.echo(f"{name.replace('_', ' '):18} {value}")
    if tally.lost or tally.wrong_digests or tally.receipts != candidates:
        sys.exit(1)
