"""A draw by steps in the demonstration: invented people give their numbers, and an invented lottery gives the outside value."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examsvc.base.database import writing
from examsvc.competitions.regulation import Regulation
from examsvc.ledger import commitments, draw_records, drawing

OUTSIDE = {
    "what": {"vi": "Năm chữ số của kỳ xổ số tưởng tượng tỉnh Thanh Hà trong ngày", "en": "The five digits of that day's invented lottery of Thanh Ha"},
    "publisher": {"vi": "công ty xổ số tưởng tượng Thanh Hà", "en": "the invented lottery company of Thanh Ha"},
    "place": {"vi": "không ở đâu cả: đây là bản minh họa", "en": "nowhere: this is a demonstration"},
    "days": [1, 2, 3, 4, 5, 6, 7],
    "hour": 18,
    "minute": 45,
    "zone": "Asia/Ho_Chi_Minh",
    "lead_hours": 4,
}
ROLES = ["council-chair", "council-secretary", "council-member"]


def order_by_steps(regulation: Regulation) -> Regulation:
    """The regulation, with the order of hearings drawn by steps."""
    tree = json.loads(regulation.canonical_bytes())
    for rule in tree["draws"]:
        if rule["id"] == "order":
            rule |= {"method": "steps", "participants": ROLES, "outside": OUTSIDE}
    return Regulation.model_validate_json(json.dumps(tree))


def hold(session: Session, slug: str, draw: str, *, readers: Sequence[str], now: datetime) -> datetime:
    """Everybody commits and reveals, time goes to the publication, and two people (by code) read the value; when that was."""
    found = draw_records.draw_of(session, slug, draw)
    if found is None or found.published is None:
        raise LookupError(draw)
    kept = []
    for person in found.participants:
        nonce, salt = secrets.token_hex(32), commitments.new_salt()
        commitment = commitments.commit("draw.nonce", salt, {"draw": draw, "person": person.code, "nonce": nonce})
        kept.append((person.code, nonce, salt.hex()))
        with writing(session):
            drawing.commit(session, slug, draw, commitment=commitment, by=person.code, now=now)
    now += timedelta(hours=1)
    for code, nonce, secret in kept:
        with writing(session):
            drawing.reveal(session, slug, draw, nonce=nonce, salt=secret, by=code, now=now)
    now = max(now, found.published + timedelta(minutes=5))
    value = f"{secrets.randbelow(100_000):05}"
    for code in readers:
        with writing(session):
            drawing.read_outside(session, slug, draw, value=value, place="Đài Phát thanh Thanh Hà (tưởng tượng)", by=code, now=now)
    return now
