"""Messages: on the page always, by e-mail through the outbox, against a small SMTP server that speaks on a real socket."""

from __future__ import annotations

import email
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from examsvc.accounts.operations import register_account
from examsvc.base import jobs, messages
from examsvc.base.database import writing
from examsvc.base.jobs import Job
from examsvc.base.messages import Letter, Message, Undeliverable, one_line, written
from examsvc.settings import Settings

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SUBJECT = {"vi": "Kết quả đã có", "en": "The results are out"}
BODY = {"vi": "Mời bạn xem trang của mình.", "en": "Please see your page."}


class SMTPServer(socketserver.ThreadingTCPServer):
    """As much of RFC 5321 as a client needs; ``answers`` replaces the reply to a command."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}


class _Handler(socketserver.StreamRequestHandler):
    server: SMTPServer

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("220 test ESMTP")
        sender, receivers = "", []
        while line := self.rfile.readline():
            word = line.decode().strip()
            command = word.split(" ")[0].upper()
            if command in self.server.answers:
                self.say(self.server.answers[command])
            elif command == "EHLO":
                self.say("250-test")
                self.say("250 8BITMIME")
            elif command == "MAIL":
                sender, receivers = word, []
                self.say("250 ok")
            elif command == "RCPT":
                receivers.append(word.partition(":")[2])
                self.say("250 ok")
            elif command == "DATA":
                self.say("354 go on")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part)
                self.server.taken.append((sender, receivers, b"".join(lines)))
                self.say("250 taken")
            elif command == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


@pytest.fixture
def server() -> Iterator[SMTPServer]:
    with SMTPServer() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        messages.configure(
            Settings(mode="test", smtp_url=f"smtp://127.0.0.1:{made.server_address[1]}", mail_from="thi@coquan.example.vn")
        )
        yield made
        made.shutdown()
    messages.deliver_with(None)


def person(session: Session, language: str = "vi") -> int:
    with writing(session):
        return register_account(
            session, email="an@example.vn", name="An", password_hash=None, now=NOW, language=language
        ).id


def test_a_message_stands_on_the_page_and_goes_by_mail(session: Session, server: SMTPServer) -> None:
    account = person(session)
    with writing(session):
        messages.send(session, account_id=account, subject=SUBJECT, body=BODY, competition="mot", now=NOW)
        assert server.taken == [], "nothing leaves before the commit"
    assert jobs.run_due(session, NOW) == 1
    assert jobs.run_due(session, NOW) == 0
    (sender, receivers, data) = server.taken[0]
    assert "thi@coquan.example.vn" in sender
    assert receivers == ["<an@example.vn>"]
    letter = email.message_from_bytes(data, policy=policy.SMTP)
    assert letter["Subject"] == "Kết quả đã có"
    assert letter.get_content().strip() == BODY["vi"]
    assert letter["To"] == "an@example.vn"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert messages.unread(session, account) == 1
    found = messages.of_account(session, account)
    assert found[0].mailed_at == NOW
    with writing(session):
        messages.mark_read(session, account, found[0].id, NOW)
    assert messages.unread(session, account) == 0


def test_an_address_without_account_gets_both_languages(any_session: Session, server: SMTPServer) -> None:
    with writing(any_session):
        messages.send(any_session, email="khach@example.vn", subject=SUBJECT, body=BODY, now=NOW)
    jobs.run_due(any_session, NOW)
    letter = email.message_from_bytes(server.taken[0][2], policy=policy.SMTP)
    assert letter["Subject"] == "Kết quả đã có / The results are out"
    assert BODY["vi"] in letter.get_content()
    assert BODY["en"] in letter.get_content()


def test_without_a_mail_server_messages_stay_on_the_page(any_session: Session) -> None:
    messages.deliver_with(None)
    account = person(any_session)
    with writing(any_session):
        messages.send(any_session, account_id=account, subject=SUBJECT, body=BODY, now=NOW)
    assert any_session.scalars(select(Job)).all() == []
    assert messages.unread(any_session, account) == 1


def test_a_silent_server_is_tried_again_after_longer_and_longer(any_session: Session, server: SMTPServer) -> None:
    account = person(any_session)
    server.answers["MAIL"] = "451 try again"
    with writing(any_session):
        messages.send(any_session, account_id=account, subject=SUBJECT, body=BODY, now=NOW)
    now, waits = NOW, []
    for _ in range(4):
        assert jobs.run_due(any_session, now) == 0
        job = any_session.scalars(select(Job)).one()
        waits.append(job.due_at - now)
        assert "451" in job.error
        assert jobs.run_due(any_session, job.due_at - timedelta(seconds=1)) == 0
        now = job.due_at
    assert waits == [jobs.RETRY_AFTER * factor for factor in (1, 2, 4, 8)]
    del server.answers["MAIL"]
    assert jobs.run_due(any_session, now) == 1
    assert len(server.taken) == 1


def test_a_refusal_for_good_is_not_repeated_and_is_shown(any_session: Session, server: SMTPServer) -> None:
    account = person(any_session)
    server.answers["RCPT"] = "550 no such mailbox"
    with writing(any_session):
        messages.send(any_session, account_id=account, subject=SUBJECT, body=BODY, now=NOW)
    assert jobs.run_due(any_session, NOW) == 1
    message = any_session.scalars(select(Message)).one()
    assert "550" in message.problem
    assert message.mailed_at is None


def test_a_worker_killed_after_sending_repeats_the_same_letter(any_session: Session, server: SMTPServer) -> None:
    account = person(any_session)
    with writing(any_session):
        messages.send(any_session, account_id=account, subject=SUBJECT, body=BODY, now=NOW)
    jobs.run_due(any_session, NOW)
    with writing(any_session):  # as if the commit after the sending had been lost
        any_session.scalars(select(Message)).one().mailed_at = None
        any_session.scalars(select(Job)).one().state = "waiting"
    jobs.run_due(any_session, NOW + timedelta(hours=1))
    codes = {email.message_from_bytes(data)["Message-ID"] for _, _, data in server.taken}
    assert len(server.taken) == 2
    assert len(codes) == 1
    with writing(any_session):
        any_session.scalars(select(Job)).one().state = "waiting"
    jobs.run_due(any_session, NOW + timedelta(hours=9))
    assert len(server.taken) == 2


def test_a_confidential_message_is_never_on_a_page_and_is_forgotten_once_mailed(
    any_session: Session, server: SMTPServer
) -> None:
    account = person(any_session)
    with writing(any_session):
        messages.send(
            any_session, account_id=account, subject=SUBJECT, body={"vi": "https://x/secret"}, now=NOW, confidential=True
        )
    assert messages.of_account(any_session, account) == []
    assert messages.unread(any_session, account) == 0
    jobs.run_due(any_session, NOW)
    assert b"https://x/secret" in server.taken[0][2]
    assert any_session.scalars(select(Message)).one().body == {}


@pytest.mark.parametrize(
    "subject",
    ["Hello\r\nBcc: everybody@example.vn", "Hello\nBcc: x@y.z", "Hello\rX: y", "Hello\x00\x0b\x85\u2028Bcc: x", "  a\t b  "],
)
def test_a_subject_never_becomes_a_second_header(subject: str) -> None:
    message = written(Letter("an@example.vn", subject, "text", "c" * 32, NOW), "thi@example.vn")
    raw = message.as_bytes()
    head = raw.split(b"\r\n\r\n")[0]
    assert message["Bcc"] is None
    assert sorted(line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")) == sorted(
        [
            b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"Content-Type",
            b"Content-Transfer-Encoding", b"MIME-Version",
        ]
    )  # fmt: skip
    assert one_line(subject) == one_line(one_line(subject))


@pytest.mark.parametrize(
    "address",
    ["a@b.vn\r\nBcc: c@d.vn", "a@b.vn, c@d.vn", "<a@b.vn>", "no address", "a@b", "", "a b@c.vn", '"x"@y.vn', "a@b.vn\x00"],
)
def test_only_one_plain_address_is_written_to(address: str) -> None:
    with pytest.raises(Undeliverable):
        written(Letter(address, "s", "t", "c" * 32, NOW), "thi@example.vn")


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example.vn"])
def test_a_wrong_mail_address_of_the_server_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="EXAMSVC_SMTP_URL"):
        messages.configure(Settings(mode="test", smtp_url=url))
