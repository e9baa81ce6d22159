"""A message that waits, or is to be sent earlier than before, is announced at the commit.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "create function announce_notice() returns trigger language plpgsql as"
        " $$ begin perform pg_notify('notice_due', new.channel); return null; end $$"
    )
    op.execute(
        "create trigger notice_written after insert on notice for each row"
        " when (new.state = 'waiting') execute function announce_notice()"
    )
    op.execute(
        "create trigger notice_hastened after update of state, next_try_at on notice for each row"
        " when (new.state = 'waiting'"
        " and (old.state <> 'waiting' or new.next_try_at < old.next_try_at))"
        " execute function announce_notice()"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop trigger notice_written on notice")
    op.execute("drop trigger notice_hastened on notice")
    op.execute("drop function announce_notice()")
