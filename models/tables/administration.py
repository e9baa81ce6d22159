"""What administrators changed in the catalogue: who, when, and the value before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.tables.base import utc_column


class CatalogueChange(SQLModel, table=True):
    """One change by one person. The client makes the id: sending it again changes nothing."""

    __tablename__ = "catalogue_change"
    __table_args__ = (Index("catalogue_change_of", "subject", "key", "at"),)

    id: UUID = Field(primary_key=True)
    subject: str = Field(description="`rules.catalogue.entries.Subject`.")
    key: str = Field(description="Code of a programme or unit, key of a type or reason, a day.")
    at: datetime = Field(sa_column=utc_column())
    by: UUID = Field(foreign_key="person.id")
    valid_from: datetime = Field(sa_column=utc_column())
    version: int | None = Field(default=None, description="Of what is kept in versions.")
    before: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    after: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    body_hash: str
