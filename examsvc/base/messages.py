"""Messages to people: always on their page, and by e-mail where a mail server is set.

An operation writes a message in its own transaction; a job carries it to the mail server afterwards and tries again when the
server does not answer.  A message that the server refuses for good stays on the page, with the reason for the office.
"""

from __future__ import annotations

import re
import secrets
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from examsvc.base import jobs
from examsvc.base.database import Base, Document, UTCDateTime, writing
from examsvc.base.language import LANGUAGES, in_language
from examsvc.settings import Settings

KIND = "mail.send"
TIMEOUT = 20
_ADDRESS = re.compile(r"[^@\s,;<>\"\\]+@[^@\s,;<>\"\\]+\.[^@\s,;<>\"\\.]+")


class Message(Base):
    """A message in both languages to an account, to an address, or to both; the row is also the outbox."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("account_id IS NOT NULL OR email IS NOT NULL", name="goes_to_somebody"),
        CheckConstraint("mailed_at IS NULL OR email IS NOT NULL", name="only_an_address_gets_mail"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    competition: Mapped[str] = mapped_column(String(60), default="")
    subject: Mapped[dict[str, str]] = mapped_column(Document)
    body: Mapped[dict[str, str]] = mapped_column(Document)
    language: Mapped[str | None] = mapped_column(String(2))
    confidential: Mapped[bool] = mapped_column(default=False)
    mail_code: Mapped[str] = mapped_column(String(32))
    written_at: Mapped[datetime] = mapped_column(UTCDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    mailed_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    problem: Mapped[str | None] = mapped_column(Text)


def send(
    session: Session,
    *,
    subject: Mapping[str, str],
    body: Mapping[str, str],
    now: datetime,
    account_id: int | None = None,
    email: str | None = None,
    competition: str = "",
    confidential: bool = False,
) -> Message:
    """Writes a message; e-mail follows after the commit.

    Without ``email`` the account's own address is used.  An e-mail is in the account's language, in both where there is
    no account.  The body of a confidential message (a link that opens an account) never stands on a page and is forgotten
    once it is mailed.
    """
    language = None
    if account_id is not None:
        row = session.execute(
            text("SELECT email, language FROM accounts WHERE id = :id"), {"id": account_id}
        ).one()
        language = row.language
        email = email or row.email
    message = Message(
        account_id=account_id,
        email=email,
        competition=competition,
        subject=dict(subject),
        body=dict(body),
        language=language,
        confidential=confidential,
        mail_code=secrets.token_hex(16),
        written_at=now,
    )
    session.add(message)
    session.flush()
    if email is not None and _mailer is not None:
        jobs.ask_for(session, KIND, now, message=message.id)
    return message


def unread(session: Session, account_id: int) -> int:
    """How many messages of this person were not read yet."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(Message)
            .where(Message.account_id == account_id, Message.read_at.is_(None), Message.confidential.is_(False))
        )
        or 0
    )


def of_account(session: Session, account_id: int, most: int = 200) -> list[Message]:
    """This person's messages, the newest first; confidential ones went by e-mail only."""
    return list(
        session.scalars(
            select(Message)
            .where(Message.account_id == account_id, Message.confidential.is_(False))
            .order_by(Message.id.desc())
            .limit(most)
        )
    )


def mark_read(session: Session, account_id: int, upto: int, now: datetime) -> None:
    """Everything up to this message was before the person's eyes."""
    session.execute(
        update(Message)
        .where(Message.account_id == account_id, Message.id <= upto, Message.read_at.is_(None))
        .values(read_at=now)
    )


# ---------------------------------------------------------------- e-mail


class Undeliverable(Exception):
    """The mail server refused the message for good; trying again would not help."""


@dataclass(frozen=True)
class Letter:
    """What goes to the mail server."""

    to: str
    subject: str
    text: str
    code: str
    written_at: datetime


Mailer = Callable[[Letter], None]
_mailer: Mailer | None = None


def deliver_with(mailer: Mailer | None) -> None:
    """Sets how letters leave this process; None: messages stay on the page."""
    global _mailer
    _mailer = mailer


def may_be_mailed() -> bool:
    """Whether this installation sends e-mail."""
    return _mailer is not None


def configure(settings: Settings) -> None:
    """E-mail as the settings say."""
    deliver_with(smtp_mailer(settings) if settings.smtp_url is not None else None)


def one_line(subject: str) -> str:
    """A subject without line ends or other control characters, so that it cannot become a second header."""
    return " ".join("".join(c if c.isprintable() else " " for c in subject).split())[:200]


def written(letter: Letter, sender: str) -> EmailMessage:
    """The letter as RFC 5322 has it; Undeliverable when the address is not one plain address."""
    if not _ADDRESS.fullmatch(letter.to) or not letter.to.isprintable():
        raise Undeliverable(f"not an address: {letter.to!r:.100}")
    host = sender.rpartition("@")[2] or "localhost"
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    try:
        message["To"] = Address(addr_spec=letter.to)
    except ValueError as error:
        raise Undeliverable(f"not an address: {letter.to!r:.100}") from error
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.code}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def check_address(settings: Settings) -> SplitResult:
    """The address of the mail server, in parts; ValueError when it is none."""
    assert settings.smtp_url is not None
    parts = urlsplit(settings.smtp_url.get_secret_value())
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("EXAMSVC_SMTP_URL must look like smtp://user:password@host:port or smtps://...")
    return parts


@contextmanager
def mail_server(settings: Settings, patience: float = TIMEOUT) -> Iterator[smtplib.SMTP]:
    """The mail server of the settings, ready to take letters; OSError or smtplib.SMTPException when it is not.

    ``smtp://`` with STARTTLS where the server offers it, ``smtps://`` with TLS from the first byte.
    """
    parts = check_address(settings)
    host, port = parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 587)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    context = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(host, port, timeout=patience, context=context)
        if parts.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=patience)
    )
    with server:
        if parts.scheme == "smtp":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
        if user:
            server.login(user, password)
        yield server


def smtp_mailer(settings: Settings) -> Mailer:
    """Delivers through the mail server of the settings."""
    check_address(settings)

    def deliver(letter: Letter) -> None:
        message = written(letter, settings.mail_from)
        with mail_server(settings) as server:
            try:
                server.send_message(message)
            except smtplib.SMTPRecipientsRefused as error:
                code, reason = next(iter(error.recipients.values()))
                if 500 <= code < 600:
                    raise Undeliverable(f"{code} {reason.decode(errors='replace')}"[:300]) from error
                raise
            except smtplib.SMTPNotSupportedError as error:
                raise Undeliverable(str(error)) from error

    return deliver


@jobs.handles(KIND)
def mail(session: Session, arguments: dict[str, Any], now: datetime) -> None:
    """Carries one message to the mail server.  Safe to repeat: a message that left does not leave again, and a repetition
    after a crash bears the same Message-ID."""
    message = session.get(Message, arguments["message"])
    if message is None or message.mailed_at is not None or message.email is None or _mailer is None:
        return
    languages = (message.language,) if message.language else LANGUAGES
    letter = Letter(
        to=message.email,
        subject=" / ".join(dict.fromkeys(in_language(message.subject, one) for one in languages)),
        text="\n\n".join(dict.fromkeys(in_language(message.body, one) for one in languages)) + "\n",
        code=message.mail_code,
        written_at=message.written_at,
    )
    number = message.id
    session.rollback()  # nothing is held while the mail server thinks
    try:
        _mailer(letter)
        problem = None
    except Undeliverable as error:
        problem = str(error)
    with writing(session):
        message = session.get_one(Message, number)
        message.problem = problem
        if problem is None:
            message.mailed_at = now
            if message.confidential:
                message.body = {}
