"""The small server of a witness: three addresses, no framework, bounded in size and rate.

    POST /add-checkpoint                     c2sp.org/tlog-witness
    GET  /<SHA-256 of the origin>/checkpoint  the newest cosigned checkpoint, for monitors
    GET  /                                    in words: the key, and what was seen of each log
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from examsvc.ledger import witness
from examsvc.ledger.witness_store import Store

Start = Callable[[str, list[tuple[str, str]]], Any]
PLAIN = "text/plain; charset=utf-8"


class Rate:
    """A bucket for each caller: ``burst`` requests at once, then ``each_second``.  Callers who are gone are forgotten."""

    def __init__(self, each_second: float = 5, burst: int = 60, clock: Callable[[], float] = time.monotonic) -> None:
        self._each_second, self._burst, self._clock = each_second, burst, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def allows(self, caller: str) -> bool:
        """Whether one more request is within bounds; it is counted when it is."""
        with self._lock:
            now = self._clock()
            if len(self._buckets) > 10_000:
                self._buckets = {
                    who: (left, at)
                    for who, (left, at) in self._buckets.items()
                    if left + (now - at) * self._each_second < self._burst
                }
            left, at = self._buckets.get(caller, (float(self._burst), now))
            left = min(float(self._burst), left + (now - at) * self._each_second)
            allowed = left >= 1
            self._buckets[caller] = (left - 1 if allowed else left, now)
            return allowed


def application(store: Store, rate: Rate | None = None) -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application of one witness."""
    bound = rate or Rate()

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, kind, body = _answer(store, bound, environ)
        length = ("Content-Length", str(len(body)))
        start(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", kind), length, ("Cache-Control", "no-store")])
        return [body]

    return answer


def _answer(store: Store, rate: Rate, environ: dict[str, Any]) -> tuple[int, str, bytes]:
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    if not rate.allows(str(environ.get("REMOTE_ADDR", ""))):
        return 429, PLAIN, b"too many requests; come back in a minute\n"
    if path == "/add-checkpoint":
        if method != "POST":
            return 405, PLAIN, b"POST a checkpoint here\n"
        data = _body(environ)
        if data is None:
            return 413, PLAIN, f"at most {witness.MAX_BYTES} bytes, with their length stated\n".encode()
        made = store.add_checkpoint(data)
        return made.status, made.content_type, made.body
    if method != "GET":
        return 405, PLAIN, b"only GET here\n"
    if path.endswith("/checkpoint"):
        note = store.checkpoint(path[1 : -len("/checkpoint")])
        return (200, PLAIN, note) if note is not None else (404, PLAIN, b"nothing was cosigned for this log\n")
    return (200, PLAIN, _words(store)) if path in ("", "/") else (404, PLAIN, b"there is no such address\n")


def _body(environ: dict[str, Any]) -> bytes | None:
    length = environ.get("CONTENT_LENGTH", "")
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        data: bytes = environ["wsgi.input"].read(witness.MAX_BYTES + 1)
    elif length.isdigit() and int(length) <= witness.MAX_BYTES:
        data = environ["wsgi.input"].read(int(length))
    else:
        return None
    return data if len(data) <= witness.MAX_BYTES else None


def _words(store: Store) -> bytes:
    lines = ["A witness of examsvc: it signs only what continues what it signed before.", "", store.key.text, ""]
    for one in store.followed():
        when = datetime.fromtimestamp(one.signed, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if one.signed else "not yet"
        lines.append(f"{one.origin}: {one.size} entries, signed {when}" + (f", CONTRADICTED {one.alarms} times" if one.alarms else ""))
    return ("\n".join(lines) + "\n").encode()


def from_environment() -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The application of the witness in ``EXAMSVC_WITNESS_FOLDER``, as ``examsvc witness serve`` starts it."""
    return application(Store(Path(os.environ["EXAMSVC_WITNESS_FOLDER"])))
