"""Who passed the course on protecting data, and who was reminded of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Index
from sqlmodel import Field, SQLModel

from models.tables.base import UtcDateTime, utc_column
from rules.ids import new_id


class CoursePass(SQLModel, table=True):
    """All questions of a version were answered right. Append-only."""

    __tablename__ = "course_pass"
    __table_args__ = (Index("course_pass_of_person", "person_id", "at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    version: int
    at: datetime = Field(sa_column=utc_column())


class CourseReminder(SQLModel, table=True):
    """That somebody was told of the course once, for one assignment of it and one stage."""

    __tablename__ = "course_reminder"

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    assigned_at: datetime = Field(sa_column=Column(UtcDateTime(), primary_key=True))
    stage: str = Field(primary_key=True, description="One of `rules.course.CourseStage`.")
    at: datetime = Field(sa_column=utc_column())
