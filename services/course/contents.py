"""The newest version of the course, read from its file."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.course import Course, CourseQuestion, CourseSection, CourseText

FILE = Path(__file__).with_name("confidentiality.yaml")


@cache
def course() -> Course:
    """The course as it stands. Raises KeyError or ValueError for a file that is not whole."""
    read: Any = yaml.safe_load(FILE.read_text("utf-8"))
    made = Course(
        version=int(read["version"]),
        since=read["since"],
        title=_text(read["title"]),
        sections=[
            CourseSection(_text(one["title"]), [_text(text) for text in one["text"]])
            for one in read["sections"]
        ],
        questions=[
            CourseQuestion(
                one["name"],
                _text(one["question"]),
                {value: _text(words) for value, words in one["choices"].items()},
                one["right"],
            )
            for one in read["questions"]
        ],
    )
    if any(one.right not in one.choices for one in made.questions):
        raise ValueError("a question of the course has no right answer")
    return made


def _text(value: Any) -> CourseText:
    if set(value) != {"ru", "en"} or not all(
        isinstance(one, str) and one for one in value.values()
    ):
        raise ValueError(f"a text of the course is to be in both languages: {value}")
    return CourseText(value["ru"], value["en"])
