"""The course on protecting data and passwords: when it is due, and whether answers are right (I12).

Everybody with an account has it to pass, once a year and once a new version is there. Being late
closes nothing: the person is reminded, and stands in a list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.refusals import FieldError, Refusal

LIFE = timedelta(days=365)
"""How long a pass holds, unless a new version comes before."""
TERM = timedelta(days=30)
"""How much time there is from the day it is assigned."""
NEAR = timedelta(days=7)
"""How long before the end of the term somebody is reminded."""


class CourseStage(StrEnum):
    """What somebody is told. Values are stored."""

    ASSIGNED = "assigned"
    NEAR = "near"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class CourseText:
    """A text in both languages."""

    ru: str
    en: str

    def said(self, language: str) -> str:
        """In this language; Russian in any other."""
        return self.en if language == "en" else self.ru


@dataclass(frozen=True)
class CourseSection:
    """A part of the text."""

    title: CourseText
    text: Sequence[CourseText]


@dataclass(frozen=True)
class CourseQuestion:
    """A question with its choices by value, and the one that is right."""

    name: str
    question: CourseText
    choices: Mapping[str, CourseText]
    right: str


@dataclass(frozen=True)
class Course:
    """One version of the course. `since` is the day from which it is assigned."""

    version: int
    since: date
    title: CourseText
    sections: Sequence[CourseSection]
    questions: Sequence[CourseQuestion]

    def demand_right(self, version: int, answers: Mapping[str, str]) -> None:
        """Raise Refusal 409 for another version, 422 for answers that are missing or wrong."""
        if version != self.version:
            raise Refusal("course_changed", "Курс обновился. Прочитайте новую версию.", 409)
        wrong = [
            FieldError(f"answers.{one.name}", _missing(answers.get(one.name, "")))
            for one in self.questions
            if answers.get(one.name) != one.right
        ]
        if wrong:
            message = "Ответьте верно на все вопросы: ответы есть в тексте выше."
            raise Refusal("wrong_answers", message, 422, wrong)


def _missing(answer: str) -> str:
    return "Ответ неверный. Перечитайте текст выше." if answer else "Выберите ответ."


@dataclass(frozen=True)
class CoursePassed:
    """The last time somebody passed, and which version."""

    version: int
    at: datetime


def assigned_at(
    account_since: datetime, course_since: datetime, version: int, last: CoursePassed | None
) -> datetime:
    """When the course is assigned to somebody next, or was last."""
    if last is None:
        return max(account_since, course_since)
    again = last.at + LIFE
    if last.version == version:
        return again
    return min(again, max(course_since, last.at))
