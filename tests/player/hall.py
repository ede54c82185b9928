"""A small server that keeps docs/formats/player-protocol.md to the letter, in memory, with switches for every failure.

It refuses with AssertionError-like strictness: a request outside the protocol is remembered in `offences`, and every
test ends by asserting that there were none.
"""

from __future__ import annotations

import json
import mimetypes
import re
import secrets
import threading
import time
import unicodedata
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import rfc8785

from question_banks.markup import normal
from question_banks.model import Bank
from question_banks.responding import count_words

STATIC = Path(__file__).parents[2] / "examsvc" / "static"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LARGEST_BODY = 60_000


def digest(value: Any) -> str:
    """Independently of the player: the RFC 8785 encoder of another project."""
    return sha256(rfc8785.dumps(value)).hexdigest()


def moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


class Cut(Exception):
    """The connection is to be dropped without a reply."""


@dataclass
class Stored:
    version: int
    value: Any
    digest: str
    saved_at: float
    late: bool
    save_id: str
    client_time: str


@dataclass
class Attempt:
    """One attempt with its switches. Times are seconds of the hall's clock, which tests may move (`ahead`)."""

    code: str
    parts: list[dict[str, Any]]
    items: dict[int, Any]
    bell: float
    deadline: float | None
    grace: float = 5.0
    ahead: float = 0.0
    paused_since: float | None = None
    ended: str | None = None  # submitted | closed | stopped
    message: dict[str, str] | None = None
    lease: str | None = None
    machine: str | None = None
    signed_in: bool = True
    number: str = "0017"
    signin_code: str = "K7M2QX"
    csrf: str = field(default_factory=lambda: secrets.token_hex(8))
    history: dict[int, list[Stored]] = field(default_factory=dict)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    flags: list[int] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    receipt: dict[str, Any] | None = None
    submitted: dict[str, int] | None = None
    word_limit: int = 60  # most words of a text, margin included
    # switches
    cut: bool = False  # no connection
    lose_replies: int = 0  # so many replies of saves are lost after the commit
    errors: deque[int] = field(default_factory=deque)  # statuses of the next replies to saves
    slow: float = 0.0  # seconds before each reply to a save
    other_content: int = 0  # so many saves are stored with another content than was sent
    portal: bool = False  # somebody else's page with status 200 answers
    # what happened
    saves: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    offences: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    # ---- the clock ----

    @property
    def now(self) -> float:
        return time.time() + self.ahead

    @property
    def state(self) -> str:
        if self.ended:
            return self.ended
        if self.now < self.bell:
            return "waiting"
        if self.paused_since is not None:
            return "paused"
        return "over" if self.deadline is not None and self.now >= self.deadline else "open"

    def clock(self) -> dict[str, Any]:
        reply: dict[str, Any] = {
            "now": moment(self.now),
            "state": self.state,
            "bell": moment(self.bell),
            "deadline": moment(self.deadline),
        }
        if self.paused_since is not None:
            reply["paused_since"] = moment(self.paused_since)
        if self.message:
            reply["message"] = self.message
        return reply

    # ---- what is stored ----

    def current(self, slot: int) -> Stored | None:
        return self.history[slot][-1] if self.history.get(slot) else None

    def value(self, slot: int) -> Any:
        stored = self.current(slot)
        return stored.value if stored else None

    def store(self, slot: int, value: Any, save_id: str | None = None, client_time: str = "") -> Stored:
        """A save, from the page or (in tests) from another window."""
        with self.lock:
            kept = self.history.setdefault(slot, [])
            late = self.state in ("submitted", "closed", "stopped") or (
                self.deadline is not None and self.now > self.deadline + self.grace
            )
            stored = Stored(len(kept) + 1, value, digest(value), self.now, late, save_id or str(uuid.uuid4()), client_time)
            kept.append(stored)
            return stored

    def restore(self) -> None:
        """The server comes back from a backup of before the first save."""
        with self.lock:
            self.history.clear()
            self.replies.clear()

    def slots(self, values: bool) -> list[dict[str, Any]]:
        rows = []
        for number in self.items:
            stored = self.current(number)
            row: dict[str, Any] = {
                "slot": number,
                "version": stored.version if stored else 0,
                "digest": stored.digest if stored else digest(None),
                "saved_at": moment(stored.saved_at) if stored else None,
            }
            if values:
                row["value"] = stored.value if stored else None
            rows.append(row)
        return rows

    # ---- the protocol ----

    def offence(self, sentence: str) -> None:
        self.offences.append(sentence)

    def get_state(self, query: dict[str, list[str]], lease: str | None) -> tuple[int, dict[str, Any]]:
        reply = self.clock() | {"notices": self.notices}
        if "light" not in query:
            reply |= {"slots": self.slots("values" in query), "flags": self.flags}
        if lease:
            reply["lease_held"] = lease == self.lease
        if self.receipt:
            reply["receipt"] = self.receipt
        return 200, reply

    def get_paper(self) -> tuple[int, dict[str, Any]]:
        if self.state == "waiting":
            self.offence("the paper was asked for before the bell")
            return 403, {"error": "Not yet."}
        return 200, {"paper": "0" * 64, "languages": ["vi", "en"], "parts": self.parts}

    def take_lease(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if set(body) != {"machine", "take_over"} or not re.fullmatch("[0-9a-f]{32}", body["machine"]):
            self.offence(f"lease: {body}")
        if self.machine not in (None, body["machine"]):
            return 423, {"error": {"vi": "Bài thi đang mở ở máy 12.", "en": "Open on machine 12."}, "code": "held-elsewhere"}
        self.machine = body["machine"]
        self.lease = secrets.token_hex(8)
        return 200, {"lease": self.lease}

    def save(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        allowed = {"lease", "saves", "flags", "notices_read"}
        if not {"lease", "saves"} <= set(body) <= allowed or len(body["saves"]) > 50:
            self.offence(f"saves: {sorted(body)}")
        self.saves += body["saves"]
        slots = [one["slot"] for one in body["saves"]]
        if len(set(slots)) < len(slots):
            self.offence("two saves of one slot in one request")
        if self.errors:
            status = self.errors.popleft()
            if status == 413:
                return 413, {"error": {"vi": "Bài quá lớn.", "en": "Too large."}, "code": "too-large"}
            return status, {"error": "Failed."}
        if body["lease"] != self.lease:
            return 423, {"error": {"vi": "Bài thi đã chuyển sang máy khác.", "en": "Moved to another machine."}, "code": "lease-lost"}
        fresh = [one for one in body["saves"] if one["save_id"] not in self.replies]
        for one in body["saves"]:
            self._examine(one)
        refusals = [self._refusal(one, sentence) for one in fresh if (sentence := self._refused(one))]
        if refusals:
            return 422, {"error": "Refused.", "code": "refused", "refusals": refusals}
        conflicts = [one for one in fresh if one["base_version"] != len(self.history.get(one["slot"], []))]
        if conflicts:
            return 409, {"error": "Conflict.", "code": "conflict", "conflicts": [self._conflict(one) for one in conflicts]}
        for one in fresh:
            value = one["value"]
            if self.other_content:
                self.other_content -= 1
                value = {"RESPONSE": "something else"}
            stored = self.store(one["slot"], value, one["save_id"], one["client_time"])
            self.replies[one["save_id"]] = {
                "save_id": one["save_id"],
                "slot": one["slot"],
                "version": stored.version,
                "digest": stored.digest,
                "saved_at": moment(stored.saved_at),
                "late": stored.late,
            }
        if "flags" in body:
            self.flags = body["flags"]
        for notice in self.notices:
            if notice["id"] in body.get("notices_read", []):
                notice["read"] = True
        return 200, {"saves": [self.replies[one["save_id"]] for one in body["saves"]]}

    def _examine(self, one: dict[str, Any]) -> None:
        """What the protocol says of one save."""
        if set(one) != {"save_id", "slot", "base_version", "value", "client_time"}:
            self.offence(f"a save has the members {sorted(one)}")
        if str(uuid.UUID(one["save_id"])) != one["save_id"]:
            self.offence(f"save_id {one['save_id']}")
        if not isinstance(one["base_version"], int) or one["slot"] not in self.items:
            self.offence(f"base_version {one['base_version']} of slot {one['slot']}")
        if not _is_normal(one["value"]) or one["value"] == {}:
            self.offence(f"the value {one['value']!r} is not normal")
        datetime.fromisoformat(one["client_time"])
        first = next((s for s in self.saves if s["save_id"] == one["save_id"]), one)
        if first != one:
            self.offence(f"the save {one['save_id']} changed its content")

    def _refused(self, one: dict[str, Any]) -> str | None:
        if one["value"] is None:
            return None
        verdict = self.items[one["slot"]].accepts(one["value"])
        if not verdict and verdict.code == "response-pair-too-often":  # the page says so, and leaves it to the candidate to change it
            return "pairs"
        if not verdict:
            self.offence(f"question_banks does not accept {one['value']!r}: {verdict}")
            return "?"
        words = max(count_words(part) for part in one["value"].values() if isinstance(part, str)) if _texts(one["value"]) else 0
        return "limit" if words > self.word_limit else None

    def _refusal(self, one: dict[str, Any], why: str) -> dict[str, Any]:
        if why == "pairs":
            sentence = {"vi": "Một lựa chọn được dùng quá số lần.", "en": "A choice is used too often."}
            return {"save_id": one["save_id"], "slot": one["slot"], "error": sentence}
        sentence = {"vi": f"Bài dài quá {self.word_limit} từ.", "en": f"The text is longer than {self.word_limit} words."}
        return {"save_id": one["save_id"], "slot": one["slot"], "error": sentence}

    def _conflict(self, one: dict[str, Any]) -> dict[str, Any]:
        stored = self.current(one["slot"])
        return {
            "save_id": one["save_id"],
            "slot": one["slot"],
            "version": stored.version if stored else 0,
            "value": stored.value if stored else None,
            "digest": stored.digest if stored else digest(None),
            "saved_at": moment(stored.saved_at) if stored else None,
        }

    def submit(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if set(body) != {"lease", "submit_id", "versions"} or set(body["versions"]) != {str(n) for n in self.items}:
            self.offence(f"submit: {body}")
        if body["lease"] != self.lease:
            return 423, {"error": "Lost.", "code": "lease-lost"}
        if not self.ended:
            now = {str(n): len(self.history.get(n, [])) for n in self.items}
            if body["versions"] != now:
                return 409, {"error": "Versions differ.", "code": "conflict", "slots": []}
            self.submitted = now
            self.close("submitted")
        return 200, {"receipt": self.receipt}

    def close(self, how: str = "closed") -> None:
        """The end, by the candidate or by the system: a receipt over what is stored, which stays as it is."""
        answered = sum(1 for n in self.items if self.value(n) is not None)
        self.ended = how
        self.receipt = {
            "code": "K3QX7MZT2PLA5WNBVC6D",
            "submitted_at": moment(self.now),
            "answered": answered,
            "blank": len(self.items) - answered,
            "qr": "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'><path d='M1 1h3v3H1zM5 5h2v2H5z'/></svg>",
        }

    def sign_in(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        right = {"attempt": self.code, "candidate_number": self.number, "code": self.signin_code}
        if body != right:
            return 403, {"error": {"vi": "Số báo danh hoặc mã không đúng.", "en": "Wrong number or code."}}
        self.signed_in = True
        self.csrf = secrets.token_hex(8)
        return 200, {"csrf": self.csrf}


def _texts(value: dict[str, Any]) -> bool:
    return any(isinstance(part, str) for part in value.values())


def _is_normal(value: Any) -> bool:
    if isinstance(value, str):
        return normal(value) == value and unicodedata.is_normalized("NFC", value)
    if isinstance(value, list):
        return bool(value) and all(_is_normal(part) for part in value)
    if isinstance(value, dict):
        return all(_is_normal(part) for part in value.values())
    return value is None or isinstance(value, bool)


def strictly(data: bytes) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), "duplicate keys"
        return dict(pairs)

    return json.loads(data, object_pairs_hook=members)


PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bài thi</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/player/player.css">
<script type="module" src="/static/player/player.js"></script></head>
<body><div id="player" data-attempt="{code}" data-language="{language}" data-csrf="{csrf}" data-time-zone="Asia/Ho_Chi_Minh"
 data-title="Thi tuyển Trưởng phòng Kế hoạch – Tài chính" data-candidate="Số báo danh 0017"
 data-state-url="/attempts/{code}/state" data-paper-url="/attempts/{code}/paper" data-saves-url="/attempts/{code}/saves"
 data-lease-url="/attempts/{code}/lease" data-submit-url="/attempts/{code}/submit" data-signin-url="/attempts/{code}/signin"></div></body></html>"""

CHECK_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kiểm tra máy</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/player/player.css">
<script type="module" src="/static/player/machine-check.js"></script></head>
<body><main><h1>Kiểm tra máy</h1><div id="machine-check" data-language="{language}" data-state-url="/attempts/{code}/state"></div></main></body></html>"""

BLANK_PAGE = '<!doctype html><html lang="en"><title>blank</title><link rel="icon" href="data:,"></html>'


class Hall:
    """The server, with any number of attempts."""

    def __init__(self) -> None:
        self.attempts: dict[str, Attempt] = {}
        self.media: dict[str, tuple[str, bytes]] = {}  # digest → media type, bytes
        hall = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                hall._answer(self, "GET", b"")

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                hall._answer(self, "POST", self.rfile.read(length))

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # the browser gave up first

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def seat(self, bank: Bank, ids: list[list[str]], *, minutes: float = 60, bell: float = -60, **rest: Any) -> Attempt:
        """A new attempt over the items of `bank` in `ids` (a list per part); bell in seconds from now."""
        code = secrets.token_hex(4).upper()
        now = time.time() + rest.get("ahead", 0.0)
        parts: list[dict[str, Any]] = []
        items: dict[int, Any] = {}
        titles = [{"vi": "Kiến thức chung", "en": "General knowledge"}, {"vi": "Chuyên môn", "en": "Professional knowledge"}]
        for title, names in zip(titles, ids, strict=False):
            slots = []
            for name in names:
                number = len(items) + 1
                items[number] = bank[name]
                shown = {language: bank[name].presentation(language, code, "/media/") for language in ("vi", "en")}
                slots.append({"slot": number, "marks": str(bank[name].marks), "item": shown})
            instructions = {"vi": "<p>Đọc kỹ câu hỏi trước khi trả lời.</p>", "en": "<p>Read each question with care.</p>"}
            parts.append({"title": title, "instructions": instructions, "slots": slots})
        attempt = Attempt(code, parts, items, now + bell, None if minutes is None else now + minutes * 60, **rest)
        self.attempts[code] = attempt
        return attempt

    # ---- HTTP ----

    def _answer(self, request: BaseHTTPRequestHandler, method: str, data: bytes) -> None:
        parts = urlsplit(request.path)
        try:
            status, kind, content, headers = self._route(request, method, parts.path, parse_qs(parts.query), data)
        except Cut:
            request.close_connection = True
            return
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("Content-Security-Policy", CSP)
        request.send_header("Cache-Control", "no-store" if not parts.path.startswith("/static/") else "max-age=3600")
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)

    def _route(
        self, request: BaseHTTPRequestHandler, method: str, path: str, query: dict[str, list[str]], data: bytes
    ) -> tuple[int, str, bytes, dict[str, str]]:
        html = "text/html; charset=utf-8"
        if path == "/blank":
            return 200, html, BLANK_PAGE.encode(), {}
        if path.startswith("/static/"):
            file = (STATIC / path.removeprefix("/static/")).resolve()
            assert STATIC in file.parents
            return 200, mimetypes.guess_type(file.name)[0] or "text/plain", file.read_bytes(), {}
        if path.startswith("/media/"):
            kind, data = self.media[path.removeprefix("/media/")]
            return 200, kind, data, {}
        found = re.fullmatch(r"/(attempts|sit|check)/([0-9A-F]+)(?:/(\w+))?", path)
        attempt = self.attempts.get(found[2]) if found else None
        if not found or attempt is None:
            return 404, html, b"no such page", {}
        if attempt.cut:
            raise Cut
        if found[1] in ("sit", "check"):
            page = PAGE if found[1] == "sit" else CHECK_PAGE
            language = query.get("language", ["vi"])[0]
            return 200, html, page.format(code=attempt.code, csrf=attempt.csrf, language=language).encode(), {}
        name = found[3]
        if attempt.portal:
            return 200, html, b"<p>Sign in to the hall's wireless network</p>", {}
        with attempt.lock:
            attempt.requests.append((method, name))
        if name == "saves" and attempt.slow:
            time.sleep(attempt.slow)
        with attempt.lock:
            status, reply, lost = self._protocol(attempt, request, method, name, query, data)
        if lost:
            raise Cut
        headers = {"Retry-After": "1"} if status in (429, 503) else {}
        return status, "application/json", json.dumps(reply, ensure_ascii=False).encode(), headers

    def _protocol(
        self, attempt: Attempt, request: BaseHTTPRequestHandler, method: str, name: str, query: dict[str, list[str]], data: bytes
    ) -> tuple[int, dict[str, Any], bool]:
        if method == "POST":
            if request.headers["Content-Type"] != "application/json" or request.headers["Accept"] != "application/json":
                attempt.offence(f"headers of {name}")
            if name != "signin" and not attempt.signed_in:
                return 401, {"error": "Signed out.", "code": "signed-out"}, False
            if request.headers["X-CSRFToken"] != attempt.csrf and name != "signin":
                return 400, {"error": "The CSRF token is not right."}, False
            if len(data) > LARGEST_BODY:
                return 413, {"error": {"vi": "Quá lớn.", "en": "Too large."}, "code": "too-large"} | attempt.clock(), False
            body = strictly(data)
            operation = {"lease": attempt.take_lease, "saves": attempt.save, "submit": attempt.submit, "signin": attempt.sign_in}
            status, reply = operation[name](body)
        else:
            if not attempt.signed_in:
                return 401, {"error": "Signed out.", "code": "signed-out"}, False
            if name == "state":
                status, reply = attempt.get_state(query, request.headers["X-Exam-Lease"])
            else:
                status, reply = attempt.get_paper()
        if name != "paper" and name != "signin" and status < 500 and status != 413:
            reply = reply | attempt.clock()
        lost = name == "saves" and attempt.lose_replies > 0
        if lost:
            attempt.lose_replies -= 1
        return status, reply, lost
