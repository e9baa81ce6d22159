"""First tables, and what the application's role may do with them."""

from alembic import context, op
from sqlmodel import SQLModel

from models.tables.journal import DROP_ERASE_FUNCTION, ERASE_FUNCTION, grants

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and grant the application's role its part."""
    SQLModel.metadata.create_all(op.get_bind())
    op.execute("create sequence case_number")
    role = context.config.get_main_option("app_role") or "medcab"
    op.execute(f"grant usage on schema public to {role}")
    op.execute(f"grant select, insert, update, delete on all tables in schema public to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")
    op.execute(ERASE_FUNCTION)
    for statement in grants(role):
        op.execute(statement)


def downgrade() -> None:
    """Drop everything."""
    op.execute("drop sequence case_number")
    op.execute(DROP_ERASE_FUNCTION)
    SQLModel.metadata.drop_all(op.get_bind())
