"""A sitting for invented candidates, to rehearse exam day with: made on request, in a demonstration only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from examsvc.accounts import operations as accounts
from examsvc.accounts import queries as people
from examsvc.base.database import writing
from examsvc.base.errors import N_, Refused
from examsvc.demonstration import announcing, applying, organisation
from examsvc.demonstration.people import STAFF, Person
from examsvc.demonstration.story import DOMAIN, Story
from examsvc.sittings import arrival
from examsvc.sittings.models import Sitting

MOST_CANDIDATES = 2000


@dataclass(frozen=True)
class Place:
    """What one rehearsing candidate needs: the competition's address, the number and the one-time code."""

    competition: str
    number: str
    code: str


def prepare(
    session: Session,
    *,
    candidates: int,
    seconds_to_bell: int,
    now: datetime,
    secret: str = announcing.SECRET,
    host: str = announcing.HOST,
) -> list[Place]:
    """A competition of its own with a sitting whose bell rings in so many seconds, everybody checked in.

    All share one code, so that hashing it takes no time; a real sitting gives each a code of his own.
    """
    if not 1 <= candidates <= MOST_CANDIDATES:
        raise Refused(N_("Rehearse with 1 to %(most)d candidates."), most=MOST_CANDIDATES)
    slug = f"rehearsal-{secrets.token_hex(4)}"
    known = {}
    for person in STAFF:
        account = people.by_email(session, f"{person.handle}@{DOMAIN}")
        if account is None:
            raise Refused(N_("A rehearsal needs a demonstration installation."))
        known[person.handle] = account.id
    invented = [Person(f"{slug}-{number:04d}", f"Thí sinh {number}") for number in range(1, candidates + 1)]
    with writing(session):
        for person in invented:
            known[person.handle] = accounts.register_account(
                session, email=f"{person.handle}@{DOMAIN}", name=person.name, password_hash=None, now=now
            ).id
    story = Story(session, known, slug, now - timedelta(days=40), seed=1, secret=secret, host=host)
    story.announce(
        {"vi": "Tổng duyệt ngày thi", "en": "Rehearsal of an exam day"},
        announcing.objective_only(),
        posts=organisation.ARCHIVIST,
        exam=now + timedelta(seconds=seconds_to_bell),
    )
    story.phase("applications")
    story.apply(invented, applying.plain_file)
    story.now = now
    story.admit()
    story.phase("exam")
    story.paper("test", [{"count": 40, "marks": "1"}], slug)
    sitting = story.sitting("test", now + timedelta(seconds=seconds_to_bell), places=candidates)
    story.make_ready(sitting)
    code = arrival.new_code()
    hashed = arrival.hash_code(code)
    places = []
    with writing(session):
        for attempt in session.get_one(Sitting, sitting).attempts:
            arrival.check_in(
                session,
                attempt,
                code_hash=hashed,
                document="citizen-card",
                photograph_agrees=True,
                by=known["giamthi1"],
                now=now,
            )
            places.append(Place(slug, attempt.application.candidate_number or "", code))
    return places
