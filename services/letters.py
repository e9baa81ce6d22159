"""Notices in words: titles and texts in the person's language, and whole e-mails."""

import gettext
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, select_autoescape

from rules.notices import EVENTS, NoticeKind
from settings import Settings

_CATALOGUES = Path(__file__).parent.parent / "cabinet" / "locale"
_TEMPLATES = Path(__file__).with_name("mail_templates")


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of notices in a language; Russian needs none, an unknown language is Russian."""
    source = _CATALOGUES / language / "LC_MESSAGES" / "notices.po"
    if not source.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _environment(language: str) -> Environment:
    """The templates in one language; only those that end in `.html` are escaped."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
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


@dataclass(frozen=True)
class Wording:
    """A notice in words; `path` leads to what it is about, within the cabinet or outside."""

    title: str
    text: str
    then: str
    link: str
    path: str


def worded(
    kind: str, facts: Mapping[str, Any], case_id: UUID | None, language: str, temporal: str = ""
) -> Wording:
    """Put a notice into words."""
    event = EVENTS[NoticeKind(kind)]
    words = catalogue(language).gettext
    filled = {"number": "", **facts}
    return Wording(
        title=words(event.title) % filled,
        text=words(event.text) % filled,
        then=words(event.then) % filled,
        link=words(event.link),
        path=event.path % {"case_id": case_id, "temporal": temporal},
    )


@dataclass(frozen=True)
class Letter:
    """An e-mail, ready to be addressed."""

    subject: str
    text: str
    html: str


def letter(
    kind: str,
    facts: Mapping[str, Any],
    case_id: UUID | None,
    language: str,
    addresses: Addresses,
) -> Letter:
    """Write the e-mail of a notice: what happened, what to do next, and the link."""
    said = worded(kind, facts, case_id, language, addresses.temporal)
    shown = {
        "title": said.title,
        "text": said.text,
        "then": said.then,
        "link": said.link,
        "url": said.path if "://" in said.path else addresses.public + said.path,
        "institution": addresses.institution,
        "language": language,
        "security": EVENTS[NoticeKind(kind)].security,
    }
    templates = _environment(language)
    return Letter(
        subject=said.title,
        text=templates.get_template("notice.txt").render(shown),
        html=templates.get_template("notice.html").render(shown),
    )
