"""Encrypted values are bound to their rows: every value is encrypted again, once."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from crypto.key_ring import FOR_WORKFLOW, KeyRing, UndecryptableError
from models.encrypted_columns import decrypt_for, encrypt_for

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES: dict[str, tuple[list[str], list[str]]] = {
    "account": (["person_id"], ["totp_secret"]),
    "account_session": (["id"], ["pending_secret"]),
    "case": (["id"], ["draft"]),
    "case_comment": (["id"], ["text"]),
    "case_decision": (["id"], ["reason", "remarks"]),
    "case_retention": (["case_id"], ["hold_reason"]),
    "case_version": (["case_id", "number"], ["data", "findings"]),
    "contact_change": (["id"], ["value"]),
    "document": (["id"], ["title"]),
    "document_version": (["id"], ["file_name"]),
    "export": (["id"], ["filters", "scope"]),
    "journal_entry": (["id"], ["contents"]),
    "notice": (["id"], ["contents"]),
    "person": (["id"], ["name", "email", "phone", "snils", "inn"]),
    "push_subscription": (["id"], ["contents"]),
    "request_answer": (["id"], ["title", "document_number", "message", "data"]),
    "request_file": (["answer_id", "position"], ["name"]),
    "request_receipt": (["id"], ["reason"]),
    "saved_view": (["id"], ["name", "query"]),
}
"""For each table, its primary key and its encrypted columns."""

OLD, NEW = b"\x01", b"\x02"
TOGETHER = 500

Again = Callable[[KeyRing, bytes, str, tuple[Any, ...]], bytes]


def upgrade() -> None:
    """Bind the existing values, then add constraints that refuse a value bound to no row.

    Each batch is a transaction of its own; if the migration is cut off, it goes on where it was.
    Values that old processes have written meanwhile are bound once the constraints stop them from
    writing more.
    """
    _encrypt_again(OLD, _bind)
    for table, (_, columns) in TABLES.items():
        checks = [_check(table, name) for name in columns]
        gone = [f"drop constraint if exists {name}" for name, _ in checks]
        new = [f"add constraint {name} check ({rule}) not valid" for name, rule in checks]
        op.execute(f'alter table "{table}" {", ".join([*gone, *new])}')
    _encrypt_again(OLD, _bind)
    for table, (_, columns) in TABLES.items():
        for name in columns:
            op.execute(f'alter table "{table}" validate constraint {_check(table, name)[0]}')


def downgrade() -> None:
    """Bind values to their column only, as before."""
    for table, (_, columns) in TABLES.items():
        gone = [f"drop constraint if exists {_check(table, name)[0]}" for name in columns]
        op.execute(f'alter table "{table}" {", ".join(gone)}')
    _encrypt_again(NEW, _unbind)


def _check(table: str, column: str) -> tuple[str, str]:
    """The name and the rule of the constraint that refuses a value bound to no row."""
    return f"{table}_{column}_bound", f"substr({column}, 1, 1) <> '\\x01'::bytea"


def _bind(ring: KeyRing, sealed: bytes, place: str, key: tuple[Any, ...]) -> bytes:
    try:
        plain = ring.decrypt(sealed, place.encode(), FOR_WORKFLOW)
    except UndecryptableError as error:
        raise UndecryptableError(
            f"{place} of the row {', '.join(map(str, key))} opens with no key of MEDCAB_KEYS."
            " Put the key back that it was encrypted with, and migrate again: what has been done"
            " stays done. A value that was changed has to be restored or removed first."
        ) from error
    return encrypt_for(ring, plain, place, key)


def _unbind(ring: KeyRing, sealed: bytes, place: str, key: tuple[Any, ...]) -> bytes:
    return ring.encrypt(decrypt_for(ring, sealed, place, key), place.encode(), FOR_WORKFLOW)


def _encrypt_again(version: bytes, again: Again) -> None:
    """Encrypt again every value that begins with this version."""
    migration = op.get_context()
    with migration.autocommit_block():
        # The changes that this migration made to the tables are committed by now.
        engine = op.get_bind().engine
        for name, (keys, columns) in TABLES.items():
            table, after = sa.table(name, *map(sa.column, [*keys, *columns])), None
            while True:
                with engine.begin() as connection:
                    query = _standing(table, keys, columns, version)
                    if after is not None:
                        query = query.where(sa.tuple_(*_of(table, keys)) > after)
                    rows = connection.execute(query).mappings().all()
                    if not rows:
                        break
                    changed = [_changed(name, row, keys, columns, version, again) for row in rows]
                    connection.execute(_change(table, keys, columns), changed)
                after = tuple(rows[-1][one] for one in keys)


def _standing(
    table: sa.TableClause, keys: list[str], columns: list[str], version: bytes
) -> sa.Select[Any]:
    """The next rows with a value that begins with this version."""
    stale = (sa.func.substr(one, 1, 1) == version for one in _of(table, columns))
    query = sa.select(table).where(sa.or_(*stale)).order_by(*_of(table, keys))
    return query.limit(TOGETHER).with_for_update()


def _change(table: sa.TableClause, keys: list[str], columns: list[str]) -> sa.Update:
    row = (one == sa.bindparam(f"of_{one.name}") for one in _of(table, keys))
    new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns}
    return sa.update(table).where(*row).values(new)


def _changed(
    table: str,
    row: sa.RowMapping,
    keys: list[str],
    columns: list[str],
    version: bytes,
    again: Again,
) -> dict[str, Any]:
    """The parameters of `_change` for a row."""
    values = {f"of_{name}": row[name] for name in keys}
    key = tuple(values.values())
    for name in columns:
        value = row[name]
        if value is not None and value[:1] == version:
            value = again(_ring(), value, f"{table}.{name}", key)
        values[f"new_{name}"] = value
    return values


def _of(table: sa.TableClause, names: list[str]) -> list[sa.ColumnClause[Any]]:
    return [table.c[name] for name in names]


def _ring() -> KeyRing:
    settings = context.config.attributes["settings"]
    return KeyRing.installed(settings.keys.get_secret_value(), settings.home)
