"""Rights of the application's role on PostgreSQL: what a role cannot do, no mistake and no stolen password of it can do.

Two roles: the owner makes and migrates tables, the application's role reads, adds, and changes only what may change.  It can neither
take triggers down nor alter their function, and append-only tables it can only add to (of erasable ones it may empty what erasure
empties, once, as the triggers see to).
"""

from __future__ import annotations

import re

from examsvc.base.database import Base
from examsvc.ledger import defences

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


def script(role: str) -> str:
    """SQL for the owner to run after each migration, in the database itself; ``role`` is the application's, made before.

    ValueError when the name is not a plain lower-case one.
    """
    if _ROLE.fullmatch(role) is None:
        raise ValueError("the name of a role has lower-case letters, digits and underscores")
    lines = [
        "-- Run as the owner of the tables, after each migration. The application's role owns nothing.",
        "BEGIN;",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC;",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role};",
        f"REVOKE ALL ON SCHEMA public FROM {role};",
        f"GRANT USAGE ON SCHEMA public TO {role};",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};",
    ]
    kept = {table.name: table for table in defences.append_only()}
    for table in Base.metadata.sorted_tables:
        if table.name not in kept:
            lines.append(f"GRANT INSERT, UPDATE, DELETE ON {table.name} TO {role};")
            continue
        lines.append(f"GRANT INSERT ON {table.name} TO {role};")
        if table.info["append_only"] == "erasable":
            lines.append(f"GRANT UPDATE ({', '.join(defences.erased_columns(table))}) ON {table.name} TO {role};")
    return "\n".join([*lines, "COMMIT;", ""])
