"""An auditor's permission by itself has an end too.

Revision ID: 0042
Revises: 0035
"""

from alembic import op

revision = "0042"
down_revision = "0035"
branch_labels = None
depends_on = None

_NAME = "role_grant_auditor_ends"
_ENDS = "(valid_until is not null and valid_until - valid_from <= interval '90 days')"


def upgrade() -> None:
    """A grant names a role or a permission from now on."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(_NAME, "role_grant")
    _check(f"role not in ('auditor', 'audit_cases') or {_ENDS}")


def downgrade() -> None:
    """Permissions by themselves are unknown to earlier versions, so they must be gone."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(_NAME, "role_grant")
    _check(f"role <> 'auditor' or {_ENDS}")


def _check(condition: str) -> None:
    """Grants from before there was an end stay as they were: they are over."""
    op.execute(f"alter table role_grant add constraint {_NAME} check ({condition}) not valid")
