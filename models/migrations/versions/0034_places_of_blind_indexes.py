"""Each place of a blind index is unique, so that keys can be rotated while people work.

Revision ID: 0034
Revises: 0027
"""

from alembic import context, op

from crypto.key_ring import KeyRing, place_of

revision = "0034"
down_revision = "0027"
branch_labels = None
depends_on = None

COLUMNS = {"account": "login", "person": "snils_blind", "push_subscription": "endpoint_blind"}


def upgrade() -> None:
    """Add the unique indexes; where the key that indexes fills the second place, move values there.

    Until now an index was a single hash by the oldest key of the ring.
    """
    op.execute("set local lock_timeout = '5s'")
    for table, column in COLUMNS.items():
        if _place() == 1:
            op.execute(_move(table, f"'.' || {column}"))
        for place, name in ((1, "first"), (2, "second")):
            part = f"split_part({column}, '.', {place})"
            op.execute(
                f"create unique index {table}_{column}_{name} on {table} ({part})"
                f" where {part} <> ''"
            )


def downgrade() -> None:
    """Back to a single hash; finish `medcab keys rotate` first."""
    for table, column in COLUMNS.items():
        for name in ("first", "second"):
            op.execute(f"drop index {table}_{column}_{name}")
        op.execute(_move(table, f"ltrim({column}, '.')"))


def _move(table: str, value: str) -> str:
    return f"update {table} set {COLUMNS[table]} = {value}"  # noqa: S608


def _place() -> int:
    settings = context.config.attributes["settings"]
    keys = settings.keys.get_secret_value()
    return place_of(KeyRing.installed(keys, settings.home).in_use[-1]) if keys else 0
