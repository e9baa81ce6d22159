"""Texts in the person's language. Russian text is the message id; English is the second language.

The catalogues are read from the `.po` files once, when the process first needs them; no compiled
files are kept. The language and time zone of the request are in a context variable, so that
templates, filters and messages of refusals agree without passing them around.
"""

import gettext as gnu
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from rules.refusals import Words
from rules.texts.cleaning import AccusativeTitle

LANGUAGES = {"ru": "Русский", "en": "English"}
DEFAULT_LANGUAGE = "ru"
LOCALE_FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True)
class Presentation:
    """How this request is shown: the language of texts and the zone of times."""

    language: str = DEFAULT_LANGUAGE
    zone: str = "Europe/Moscow"
    institution_zone: str = "Europe/Moscow"
    """The zone in which days of the catalogue, of certificates and of the archive begin."""

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone as an object, for `astimezone`."""
        return ZoneInfo(self.zone)

    @property
    def locale(self) -> str:
        """Babel's name of the language; English is written as in Britain."""
        return "en_GB" if self.language == "en" else "ru"


_current: ContextVar[Presentation] = ContextVar("presentation", default=Presentation())  # noqa: B039


def current() -> Presentation:
    """How the present request is shown."""
    return _current.get()


def present(presentation: Presentation) -> None:
    """From now on, show this request so."""
    _current.set(presentation)


@contextmanager
def presented(presentation: Presentation) -> Iterator[None]:
    """Show everything that is rendered within the block in this language and zone."""
    token = _current.set(presentation)
    try:
        yield
    finally:
        _current.reset(token)


@cache
def catalogue(language: str) -> gnu.NullTranslations:
    """The texts of one language, from all its files; an unknown language is read as Russian."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    messages = Catalog(locale=known)
    for source in sorted((LOCALE_FOLDER / known / "LC_MESSAGES").glob("*.po")):
        with source.open("rb") as file:
            for message in read_po(file, locale=known):
                if message.id:
                    messages.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gnu.GNUTranslations(compiled)


def gettext(message: str) -> str:
    """The message in the current language; without a translation, the Russian text itself."""
    return catalogue(current().language).gettext(message)


def ngettext(one: str, many: str, n: int) -> str:
    """The form of a message for the number `n`; Russian has three, from its own catalogue."""
    return catalogue(current().language).ngettext(one, many, n)


def in_words(message: str) -> str:
    """A message of the rules in the current language, filled with its facts if it has any."""
    if isinstance(message, Words):
        facts = {name: _fact(value) for name, value in message.facts.items()}
        return gettext(message.msgid).format(**facts)
    return gettext(message)


def _fact(value: object) -> object:
    if isinstance(value, AccusativeTitle) and current().language != DEFAULT_LANGUAGE:
        return gettext(value.called)
    return gettext(value) if isinstance(value, str) else value


def marked(message: str) -> str:
    """Mark a message for the catalogue that is translated later, when it is shown."""
    return message


def choose_language(*wishes: str | None) -> str:
    """The first known language among the wishes; a wish may be an Accept-Language header."""
    for wish in wishes:
        for part in (wish or "").split(","):
            tag = part.split(";")[0].strip().lower().split("-")[0]
            if tag in LANGUAGES:
                return tag
    return DEFAULT_LANGUAGE
