"""Notices in words: titles and texts in the person's language, and whole e-mails."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.dates import format_date
from jinja2 import Environment, FileSystemLoader, select_autoescape

from rules.notices.events import DAYS, DETAILS, EVENTS
from rules.notices.kinds import NoticeKind
from settings import Settings
from words.translation import catalogue

TEMPLATES = Path(__file__).with_name("mail_templates")

_NONE = dict.fromkeys(
    ("number", "count", "credential", "person", "result", "absence", "was", "at"), ""
)
"""Facts that words and paths may name; those an event does not have are left out."""
SETTINGS = "/notices/settings"
DIGEST_TITLE = "Уведомлений за день: %(number)s"


@cache
def _environment(language: str) -> Environment:
    """The templates in one language; only those that end in `.html` are escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
    )
    words = catalogue(language)
    made.install_gettext_callables(  # type: ignore[attr-defined]
        words.gettext, words.ngettext, newstyle=True
    )
    return made


@dataclass(frozen=True)
class Addresses:
    """Where the links of notices lead."""

    public: str
    temporal: str
    institution: str

    @classmethod
    def of(cls, settings: Settings) -> "Addresses":
        """The addresses of this installation."""
        public = settings.public_url.rstrip("/")
        temporal = f"{public}/temporal/namespaces/{settings.temporal_namespace}"
        return cls(public, temporal, settings.institution)

    def whole(self, path: str) -> str:
        """The full address of a path in the cabinet; a full address stays as it is."""
        return path if "://" in path else self.public + path


@dataclass(frozen=True)
class Wording:
    """A notice in words; `path` leads to what it is about, in the cabinet or outside."""

    title: str
    text: str
    then: str
    link: str
    path: str
    details: Sequence[tuple[str, str]] = ()


def worded(
    kind: str, facts: Mapping[str, Any], case_id: UUID | None, language: str, temporal: str = ""
) -> Wording:
    """The words of a notice."""
    event = EVENTS[NoticeKind(kind)]
    words = catalogue(language).gettext
    known = {name: _shown(name, facts[name], language) for name in DETAILS if name in facts}
    filled = {**_NONE, **facts}
    return Wording(
        title=words(event.title) % filled,
        text=words(event.text) % filled,
        then=words(event.then) % filled,
        link=words(event.link),
        path=event.path % {**filled, "case_id": case_id, "temporal": temporal},
        details=[(words(DETAILS[name]), value) for name, value in known.items()],
    )


def _shown(name: str, fact: str, language: str) -> str:
    if name in DAYS:
        return format_date(date.fromisoformat(fact), "d MMMM y", locale=language)
    return fact


@dataclass(frozen=True)
class Letter:
    """A mail without its addressee."""

    subject: str
    text: str
    html: str


def letter(
    kind: str,
    facts: Mapping[str, Any],
    case_id: UUID | None,
    language: str,
    addresses: Addresses,
    *,
    code: str = "",
    path: str = "",
) -> Letter:
    """The mail of a notice: what happened, what to do next, and the link.

    `code` confirms a new address; only the message to that address contains it. `path` is that of a
    link which only this mail contains.
    """
    said = worded(kind, facts, case_id, language, addresses.temporal)
    shown = {
        "title": said.title,
        "text": said.text,
        "then": said.then,
        "details": said.details,
        "link": said.link,
        "settings": addresses.whole(SETTINGS),
        "url": addresses.whole(path or said.path),
        "institution": addresses.institution,
        "language": language,
        "security": EVENTS[NoticeKind(kind)].security,
        "code": code,
    }
    return _letter(said.title, "notice", shown, language)


def digest(
    told: Sequence[tuple[str, Mapping[str, Any], UUID | None]],
    language: str,
    addresses: Addresses,
) -> Letter:
    """One mail about several notices, given as kind, facts and case: titles and links."""
    items = [worded(*one, language, addresses.temporal) for one in told]
    title = catalogue(language).gettext(DIGEST_TITLE) % {"number": len(items)}
    shown = {
        "title": title,
        "items": [
            (said.title, said.details, said.then, addresses.whole(said.path)) for said in items
        ],
        "settings": addresses.whole(SETTINGS),
        "institution": addresses.institution,
        "language": language,
    }
    return _letter(title, "digest", shown, language)


def _letter(subject: str, template: str, shown: Mapping[str, Any], language: str) -> Letter:
    templates = _environment(language)
    return Letter(
        subject=subject,
        text=templates.get_template(f"{template}.txt").render(shown),
        html=templates.get_template(f"{template}.html").render(shown),
    )


def short_message(
    kind: str,
    facts: Mapping[str, Any],
    case_id: UUID | None,
    language: str,
    addresses: Addresses,
    *,
    code: str = "",
) -> str:
    """The SMS of a notice: the title, and the code or the link."""
    said = worded(kind, facts, case_id, language, addresses.temporal)
    return f"{said.title}: {code}" if code else f"{said.title}. {addresses.whole(said.path)}"


def push_message(
    kind: str, facts: Mapping[str, Any], case_id: UUID | None, language: str
) -> dict[str, str]:
    """The push message of a notice: the title and the path, nothing else.

    A path outside the cabinet is replaced by the list of notices.
    """
    said = worded(kind, facts, case_id, language)
    path = said.path if EVENTS[NoticeKind(kind)].path.startswith("/") else "/notices"
    return {"title": said.title, "path": path, "language": language}
