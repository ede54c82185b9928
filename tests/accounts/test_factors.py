"""Second factors: what a code opens, once, also when two browsers send it at the same moment."""

from __future__ import annotations

import threading
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from examsvc.accounts import factors, operations, queries, tries
from examsvc.accounts.models import SecondFactor
from examsvc.accounts.rules import MOST_TRIES
from examsvc.base.database import writing
from examsvc.base.errors import Refused
from tests.accounts.people import NOW

KEY = "ab" * 32
# RFC 6238, appendix B: the SHA-1 rows, the last six of their eight digits
VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")]
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


def person(session: Session) -> int:
    with writing(session):
        return operations.register_account(session, email="an@example.vn", name="An", password_hash=None, now=NOW).id


@pytest.mark.parametrize(("moment", "code"), VECTORS)
def test_codes_are_those_of_the_standard(any_session: Session, moment: int, code: str) -> None:
    from datetime import UTC, datetime

    account = person(any_session)
    with writing(any_session):
        factor = factors.begin_app(any_session, account, key=KEY, now=NOW)
        factor.sealed = factors._vault(KEY).encrypt(RFC_SECRET.encode()).decode()
    shown = factors.recognise([factor], code, key=KEY, now=datetime.fromtimestamp(moment, tz=UTC))
    assert shown is not None
    assert shown.step == moment // 30


def both_at_once(engine: Engine, shown: factors.Shown, times: int = 8) -> int:
    """How many of so many browsers get in with the same code at the same moment."""
    gate, entered = threading.Barrier(times), []

    def enter() -> None:
        with Session(engine) as session:
            gate.wait()
            with writing(session):
                entered.append(factors.use(session, shown, NOW))

    threads = [threading.Thread(target=enter) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(entered)


def test_one_code_lets_one_browser_in(engine: Engine) -> None:
    with Session(engine) as session:
        account = person(session)
        with writing(session):
            app = factors.begin_app(session, account, key=KEY, now=NOW)
        code = pyotp.TOTP(factors.secret(app, KEY)).at(NOW)
        by_app = factors.recognise([app], code, key=KEY, now=NOW)
        codes, hashes = factors.printed_list()
        with writing(session):
            printed = factors.begin_printed(session, account, hashes=hashes, now=NOW)
        by_paper = factors.recognise([printed], codes[0], key=KEY, now=NOW)
    assert both_at_once(engine, by_paper) == 1
    with Session(engine) as session, writing(session):
        session.get_one(SecondFactor, by_app.factor_id).ended_at = None  # the list replaced the unconfirmed app
    assert both_at_once(engine, by_app) == 1


def test_tries_at_the_same_moment_are_all_counted(engine: Engine) -> None:
    times, gate, begun = 24, threading.Barrier(24), []

    def guess() -> None:
        with Session(engine) as session:
            gate.wait()
            try:
                with writing(session):
                    tries.begin(session, "password:x", NOW)
                begun.append(1)
            except Refused:
                pass

    threads = [threading.Thread(target=guess) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == MOST_TRIES


def test_a_new_factor_of_one_kind_ends_the_old_one(session: Session) -> None:
    account = person(session)
    now = NOW
    secrets = []
    for _ in range(2):
        now += timedelta(minutes=5)
        with writing(session):
            factor = factors.begin_app(session, account, key=KEY, now=now)
            secrets.append(factors.secret(factor, KEY))
            code = pyotp.TOTP(secrets[-1]).at(now)
            factors.confirm(session, factor, factors.recognise([factor], code, key=KEY, now=now), now=now)
    held = queries.factors(session, account)
    assert [factors.secret(one, KEY) for one in held] == secrets[1:]
    with writing(session):
        factors.end_all(session, account, now)
    assert queries.factors(session, account) == []


def test_a_secret_is_worth_nothing_without_the_key(any_session: Session) -> None:
    from cryptography.fernet import InvalidToken

    account = person(any_session)
    with writing(any_session):
        factor = factors.begin_app(any_session, account, key=KEY, now=NOW)
    with pytest.raises(InvalidToken):
        factors.secret(factor, "cd" * 32)


def test_codes_on_paper_have_no_letters_that_look_alike() -> None:
    drawn = {letter for _ in range(300) for letter in factors.clean_code(factors.new_code())}
    assert drawn == set(factors.ALPHABET)
    assert not drawn & set("0O1IL")


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "１２３４５６", "12 34", "\x00" * 6])
def test_what_is_no_code_opens_nothing(any_session: Session, text: str) -> None:
    account = person(any_session)
    with writing(any_session):
        factor = factors.begin_app(any_session, account, key=KEY, now=NOW)
    assert factors.recognise([factor], text, key=KEY, now=NOW) is None
