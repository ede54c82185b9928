"""One typed settings object, read from ``EXAMSVC_*`` variables; refuses an unsafe production."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError


class Settings(BaseSettings):
    """Everything that differs between installations and is not a rule of a competition.

    Rules (minutes, marks, deadlines, majorities ...) stand in the regulation of each competition, never here.
    Every field is read from the variable ``EXAMSVC_<NAME>``; docs/settings.md lists them and a test compares.
    """

    model_config = SettingsConfigDict(env_prefix="EXAMSVC_", extra="ignore", hide_input_in_errors=True)

    folder: Path = Field(Path("installation"), description="Folder of keys, of the SQLite database and of the job queue.")
    database_url: str | None = Field(
        None, description="SQLAlchemy address of the database; SQLite in the folder when empty."
    )
    mode: Literal["production", "demo", "test"] = Field(
        "production",
        description="production refuses unsafe settings; demo and test relax HTTPS, and demo signs anybody in as an invented person.",
    )
    base_url: str = Field(
        "https://localhost", description="Address at which people reach the service; links in messages begin with it."
    )
    trusted_hosts: str = Field("", description="Further host names accepted in requests, separated by commas.")
    proxies: int = Field(0, ge=0, le=3, description="Number of reverse proxies in front whose X-Forwarded headers are believed.")
    secret_key: SecretStr | None = Field(
        None, description="Signs cookies; made on first use and kept in the folder when empty."
    )
    people_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Digests identity numbers and seals second factors; made on first use and kept in the folder when empty. Never change it.",
    )
    bank_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="Encrypts stored questions; made on first use and kept in the folder when empty. Several separated by spaces: the first encrypts, the others still decrypt.",
    )
    log_key_file: Path | None = Field(
        None,
        description="File of the secret behind the signing keys of logs, readable by its owner only; keys/logs in the folder when empty. Never change it.",
    )
    witness_addresses: dict[str, str] = Field(
        default_factory=dict,
        description='Addresses of witnesses by the name of their key, as JSON, such as {"witness.example/w1": "http://10.0.0.2:8100"}; https:// and the name when left out.',
    )
    time_zone: str = Field("Asia/Ho_Chi_Minh", description="IANA time zone in which pages and deadlines speak.")
    default_language: Literal["vi", "en"] = Field("vi", description="Language of a visitor who has not chosen.")
    institution_vi: str = Field("Cơ quan tổ chức thi", description="The institution's name in Vietnamese.")
    institution_en: str = Field("Examining authority", description="The institution's name in English.")
    smtp_url: SecretStr | None = Field(
        None, description="smtp://user:password@host:port or smtps://...; messages stay on screen only when empty."
    )
    mail_from: str = Field("examsvc@localhost", description="Sender of e-mail.")
    upload_limit_mb: int = Field(20, ge=1, le=200, description="Largest request body of an upload, in MiB.")
    session_hours: int = Field(12, ge=1, le=24, description="Hours after which everyone signs in again.")
    session_idle_minutes: int = Field(60, ge=5, le=600, description="Idle minutes after which staff sign in again.")
    database_pool: int = Field(8, ge=1, le=64, description="Database connections kept per process on PostgreSQL.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is not a time zone of the IANA list; write for example Asia/Ho_Chi_Minh")
        return value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str | None) -> str | None:
        if not value:
            return value
        try:
            address = make_url(value)
        except (ArgumentError, ValueError):
            address = make_url("nothing://")
        forgotten = address.drivername == "sqlite" and address.database in (None, "", ":memory:")
        if forgotten or address.drivername not in ("sqlite", "postgresql", "postgres", "postgresql+psycopg"):
            raise ValueError(
                "is not the address of an SQLite or PostgreSQL database; write for example postgresql://user:password@host:5432/examsvc,"
                " with characters such as @ : / in a password percent-encoded"
            )
        return value

    @model_validator(mode="after")
    def _safe_production(self) -> Settings:
        if self.mode == "production":
            if not self.base_url.startswith("https://"):
                raise ValueError(
                    "EXAMSVC_BASE_URL must begin with https:// in production: browsers give candidates"
                    " offline storage and cryptography only there"
                )
            if any(not address.startswith(("https://", "http://")) for address in self.witness_addresses.values()):
                raise ValueError("EXAMSVC_WITNESS_ADDRESSES must name addresses of other machines, http:// or https://")
            if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
                raise ValueError("EXAMSVC_SECRET_KEY must have at least 32 characters")
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def secure(self) -> bool:
        """Whether cookies are marked Secure: always, but for a demonstration on the local machine."""
        return self.base_url.startswith("https://")

    def database_address(self) -> str:
        """SQLAlchemy address; PostgreSQL always through psycopg 3."""
        if not self.database_url:
            return f"sqlite:///{(self.folder / 'examsvc.sqlite').absolute()}"
        for prefix in ("postgresql://", "postgres://"):
            if self.database_url.startswith(prefix):
                return "postgresql+psycopg://" + self.database_url[len(prefix) :]
        return self.database_url

    def signing_key(self) -> str:
        """The key that signs cookies."""
        if self.secret_key is not None:
            return self.secret_key.get_secret_value()
        return self._kept_key("cookies")

    def people_key(self) -> str:
        """The key under which identity numbers are digested and second factors are stored: 32 bytes in hexadecimal.

        It must never change: with another key nobody is recognised by his identity number, and every second factor is lost.
        """
        given = self.people_secret.get_secret_value() if self.people_secret is not None else None
        return hashlib.sha256(given.encode()).hexdigest() if given else self._kept_key("people")

    def log_key(self) -> str:
        """The secret from which the signing keys of logs are made (``ledger.keys``): 32 bytes in hexadecimal.

        It must never change: another key could not sign for a log that has begun.
        """
        return self._kept_key("logs", self.log_key_file)

    def witness_address(self, name: str) -> str:
        """Where the witness with this key name is asked; a demonstration has its witnesses in its own folder."""
        if name in self.witness_addresses:
            return self.witness_addresses[name]
        if self.mode == "demo":
            return f"folder:{self.folder / 'witnesses' / name.rpartition('/')[2]}"
        return f"https://{name}"

    def bank_keys(self) -> list[str]:
        """The keys under which questions are stored (``papers.vault``), 32 bytes each in hexadecimal; the first encrypts.

        A key must never be lost: the questions stored with it would be.
        """
        given = self.bank_secret.get_secret_value().split() if self.bank_secret is not None else []
        return [hashlib.sha256(one.encode()).hexdigest() for one in given] or [self._kept_key("banks")]

    @property
    def host(self) -> str:
        """The name by which the installation is known; origins of logs begin with it."""
        return urlsplit(self.base_url).hostname or "localhost"

    def _kept_key(self, name: str, file: Path | None = None) -> str:
        """A key made once, readable by the owner only, shared by all workers of this folder."""
        path = file or self.folder / "keys" / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            if path.stat().st_mode & 0o077:
                raise ValueError(f"{path} can be read by others. Make it its owner's alone: chmod 600 {path}") from None
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(descriptor, "w") as made:
            made.write(secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()


def problems(error: ValidationError) -> list[str]:
    """What is wrong with the settings, a sentence each, by the names of the variables; never their values."""
    return [
        ": ".join([*("EXAMSVC_" + str(name).upper() for name in problem["loc"][:1]), problem["msg"].removeprefix("Value error, ") + "."])
        for problem in error.errors()
    ]
