"""What proves a second factor besides the authenticator app, whose seed is in `account`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from models.tables.base import utc_column
from rules.ids import new_id


class RecoveryCode(SQLModel, table=True):
    """One recovery code of the person's present set."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    number: int = Field(description="Its place in the set, from 1; the code begins with it.")
    code_hash: str = Field(description="argon2id of the rest of the code.")
    created_at: datetime = Field(sa_column=utc_column())
    used_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
