"""The audit: indexes by which it is searched, and an end to every auditor's access.

Revision ID: 0032
Revises: 0023
"""

from alembic import op

revision = "0032"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes and the rule for auditors.

    An auditor's grant without an end gets one: 90 days after its beginning, or this moment where
    that is over. The rule holds for rows written from now on, since a grant that lasted longer
    did last longer.
    """
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "update role_grant set valid_until = greatest(now(), valid_from + interval '90 days')"
        " where role = 'auditor' and (valid_until is null"
        " or (valid_until > now() and valid_until - valid_from > interval '90 days'))"
    )
    op.execute(
        "alter table role_grant add constraint role_grant_auditor_ends check"
        " (role <> 'auditor' or (valid_until is not null"
        " and valid_until - valid_from <= interval '90 days')) not valid"
    )
    op.execute(
        "create index journal_entry_by_person on journal_entry (by_person, id)"
        " where by_person is not null"
    )
    op.execute("create index journal_entry_of_kind on journal_entry (kind, id nulls first)")
    op.create_index("record_view_of_subject", "record_view", ["subject", "id"])
    op.create_index("record_view_by_person", "record_view", ["by_person", "id"])
    op.execute("create index record_view_of_what on record_view (what, id nulls first)")
    op.drop_index("ix_record_view_subject", table_name="record_view")
    op.create_index("login_attempt_from", "login_attempt", ["address", "id"])


def downgrade() -> None:
    """Take the indexes and the rule away; ends that were set stay."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("login_attempt_from", table_name="login_attempt")
    op.create_index("ix_record_view_subject", "record_view", ["subject"])
    op.drop_index("record_view_of_what", table_name="record_view")
    op.drop_index("record_view_by_person", table_name="record_view")
    op.drop_index("record_view_of_subject", table_name="record_view")
    op.drop_index("journal_entry_of_kind", table_name="journal_entry")
    op.drop_index("journal_entry_by_person", table_name="journal_entry")
    op.drop_constraint("role_grant_auditor_ends", "role_grant")
