"""The frame around every page, and the small views that all pages use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Theme = Literal["system", "light", "dark"]


@dataclass(frozen=True)
class NavEntry:
    """One entry of the navigation; its name is the same however narrow the screen."""

    key: str
    text: str
    icon: str
    url: str
    count: int = 0


@dataclass(frozen=True)
class Who:
    """The person who is signed in, as the header shows them."""

    name: str
    position: str
    """Empty where the staff list names none."""
    unit: str

    @property
    def place(self) -> str:
        """Post and unit in one line, as far as they are known."""
        return " · ".join(filter(None, (self.position, self.unit)))


@dataclass(frozen=True)
class Frame:
    """What the layout needs. `csrf` goes into every form; `idle_seconds` ends the session."""

    institution: str
    language: str
    theme: Theme
    path: str
    here: str = "/"
    """Path and query, to come back to after a change of language or theme."""
    who: Who | None = None
    nav: Sequence[NavEntry] = ()
    bell: int = 0
    csrf: str = ""
    idle_seconds: int = 0
    draft_key: str = ""
    """The key with which the browser encrypts unsent texts. Only this person's pages carry it."""
    drafts: Literal["", "answer", "waiting"] = ""
    """`answer`: the page answers a form; `waiting`: it comes between a form and its answer."""
    demo: bool = False
    search: bool = True


@dataclass(frozen=True)
class ErrorItem:
    """One line of the error summary: the words, and the field they lead to."""

    message: str
    href: str = ""


@dataclass(frozen=True)
class Flash:
    """What the last act did, said once at the top of the next page."""

    message: str
    tone: Literal["good", "waiting", "bad", "info"] = "good"
    about: str = ""
    """The number of the case that the act was about, where the page shows something else."""
    url: str = ""


@dataclass(frozen=True)
class Option:
    """One answer of a choice."""

    value: str
    label: str
    hint: str = ""
    group: str = ""
    """The heading under which a long list shows it, with those beside it of the same group."""


@dataclass(frozen=True)
class FieldView:
    """A field as the macros draw it. `value` is what was typed, valid or not."""

    name: str
    label: str
    kind: Literal[
        "text", "long_text", "number", "date", "choice", "checkbox", "email", "password", "code"
    ] = "text"
    value: str = ""
    hint: str = ""
    error: str = ""
    required: bool = True
    options: Sequence[Option] = ()
    suggestions: Sequence[Option] = ()
    """Values to take from a list; others may be typed."""
    codes_url: str = ""
    """Where the list is asked for while a person types a code of МКБ-10."""
    width: str = ""
    autocomplete: str = ""
    inputmode: str = ""
    max_length: int = 0
    locked: bool = False
    autofocus: bool = False
    remark: str = ""
    """What a reviewer wrote about the field."""
    answered: bool = False
    """Whether the draft has changed the field since."""
    source: str = ""
    """Where the value came from, if nobody typed it."""


@dataclass(frozen=True)
class Pages:
    """Links of a keyset-paged list; None where there is no such page."""

    before: str | None = None
    after: str | None = None
    shown: int = 0


@dataclass(frozen=True)
class Chip:
    """A filter as a link, with how many it leads to where that is known."""

    text: str
    url: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class ErrorPage:
    """A refusal or a failure as a page: what it is, and what the person can do now."""

    status: int
    title: str
    text: str
    todo: Sequence[str] = ()
    action: str = ""
    url: str = "/"
    reference: str = ""


@dataclass(frozen=True)
class FileRefusal:
    """Why a file was refused, and what the person can do."""

    problem: str
    remedy: str


@dataclass(frozen=True)
class FileRow:
    """One file: name, size, verdict, and what may be done with it."""

    id: str
    name: str
    size: int
    state: Literal["good", "bad", "checking"]
    added_at: datetime | None = None
    verdicts: Sequence[FileRefusal] = ()
    view_url: str | None = None
    download_url: str | None = None
    replace_url: str | None = None
    remove_url: str | None = None
    note: str = ""
    version: int = 1


@dataclass(frozen=True)
class CallToAction:
    """One thing that waits for the person: a card of the home page with one action."""

    tone: Literal["waiting", "paused", "good", "bad", "idle"]
    icon: str
    kicker: str
    title: str
    text: str
    action: str
    url: str
    until: datetime | None = None
