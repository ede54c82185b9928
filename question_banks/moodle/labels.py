"""Moodle's categories and tags as topic and metadata, and back; GIFT has the same."""

import re
from collections.abc import Iterable

from question_banks.markup import NO_TEXT, Text, normal
from question_banks.model import LEVELS, STATUSES, Metadata


def topic_of(path: str) -> str:
    """ "$course$/top/Governance/Delegation" → "Governance.Delegation"; "//" is a slash inside a name."""
    parts = [part.replace("\x00", "/").strip() for part in path.strip().replace("//", "\x00").split("/")]
    if parts and re.fullmatch(r"\$\w+\$", parts[0]):
        parts = parts[1:]
    if parts and parts[0] in ("top", "Top"):
        parts = parts[1:]
    return ".".join(" ".join(normal(part).split()).replace(".", "_") for part in parts if part)


def path_of(topic: str) -> str:
    """The category of a topic."""
    path = "/".join(part.replace("/", "//") for part in topic.split(".")) if topic else ""
    return "$course$/top" + (f"/{path}" if path else "")


def metadata_of(tags: Iterable[str], topic: str, title: Text = NO_TEXT) -> Metadata:
    """Tags such as "level:apply" are metadata, the others stay tags."""
    tags = [" ".join(normal(tag).split()) for tag in tags]

    def named(prefix: str, allowed: tuple[str, ...] = (), default: str = "") -> str:
        values = [tag[len(prefix) + 1 :] for tag in tags if tag.startswith(f"{prefix}:")]
        return next((value for value in values if not allowed or value in allowed), default)

    kept = tuple(
        tag for tag in tags if tag and not tag.startswith(("level:", "status:", "author:", "source:"))
    )
    return Metadata(
        topic=topic, level=named("level", LEVELS), status=named("status", STATUSES, "draft"), tags=kept, title=title,
        author=named("author"), source=named("source"),
    )  # fmt: skip


def tags_of(metadata: Metadata) -> list[str]:
    """The tags that `metadata_of` reads."""
    tags = list(metadata.tags)
    for prefix, value in (
        ("level", metadata.level),
        ("author", metadata.author),
        ("source", metadata.source),
    ):
        tags += [f"{prefix}:{value}"] if value else []
    return tags + ([f"status:{metadata.status}"] if metadata.status != "draft" else [])
