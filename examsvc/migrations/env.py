"""Alembic's environment: the metadata of all rooms, on the connection that `apply` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy import inspect

from examsvc.base.database import UTCDateTime
from examsvc.ledger import defences
from examsvc.migrations.metadata import metadata
from examsvc.papers.vault import EncryptedBytes, EncryptedText


def render_item(kind: str, item: object, _context: Any) -> str | Literal[False]:
    """Writes our own column types as what the database sees."""
    if kind == "type" and isinstance(item, (EncryptedBytes, EncryptedText)):
        return "sa.LargeBinary()"
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=render_item,
    transactional_ddl=True,  # SQLite has it too, once the driver leaves BEGIN to us
)
with context.begin_transaction():
    context.run_migrations()
    present = set(inspect(connection).get_table_names())
    # also after a migration that made a table anew and so lost its triggers
    defences.put_up(connection, [table for table in defences.append_only() if table.name in present])
