"""Normalising what people type and paste, before anything reads it. Pure functions.

Texts come from Word, from messengers and from PDFs, with invisible characters: soft hyphens, marks
of direction, letters composed of two parts. `clean` is applied to every text that comes in; `plain`
as well where a name, a number or an address is meant.
"""

import re
import unicodedata
from typing import Self

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d\ufeff"
    "\uffa0\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Unicode's ignorable and control characters, halves of surrogates, and noncharacters."""
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_JOINING = re.compile("[\u200c\u200d\ufe0e\ufe0f]")
_STYLES = "\ufe0e\ufe0f"
"""Variation selectors: whether an emoji is drawn as text or in colours."""
_PLURALS = ("ства", "ания", "ения", "ятия", "ава", "ела")
_ACCUSATIVE = str.maketrans("ая", "ую")
_RARE = re.compile(r"[^ -~\u0410-\u044f\u0401\u0451\n\t]")
_ORDINARY = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣-"), "-") | dict.fromkeys(
    map(ord, "‘’‛′ʹʻʼʽˈ`´＇"), "'"
)


def clean(text: str) -> str:
    r"""The text as it is seen: composed letters (NFC), lines ended by `\n`, nothing invisible.

    Joiners stay where they have an effect: within an emoji of several characters, or between
    letters of scripts that need them.
    """
    if not _RARE.search(text):
        return text
    text = _UNSEEN.sub("", _BREAKS.sub("\n", text))
    while (tidied := unicodedata.normalize("NFC", _JOINING.sub(_joining, text))) != text:
        text = tidied  # a composed letter may leave a joiner without effect
    return text


def _joining(found: re.Match[str]) -> str:
    text, at = found.string, found.start()
    before, after = text[at - 1] if at else " ", text[at + 1 : at + 2] or " "
    if found[0] in _STYLES:
        return found[0] if unicodedata.category(before) == "So" else ""
    if before in _STYLES:
        before = text[at - 2] if at > 1 else " "
    joins = after not in _STYLES and all(
        unicodedata.category(sign) in {"So", "Sk", "Lo", "Mn", "Mc"} for sign in (before, after)
    )
    return found[0] if joins else ""


def one_line(text: str) -> str:
    """The text in one line, with single blanks between its words."""
    return " ".join(clean(text).split())


def plain(text: str) -> str:
    """The text in one line, with ordinary letters, digits, dashes and apostrophes."""
    narrow = unicodedata.normalize("NFKC", clean(text).translate(_ORDINARY))
    return " ".join(narrow.split())


class AccusativeTitle(str):
    """A title in the accusative, as what is asked for: «справку с места работы».

    `called` keeps the title itself.
    """

    called: str

    def __new__(cls, title: str, /) -> Self:
        """Put the title into the accusative, and keep it as `called`."""
        words = super().__new__(cls, accusative(title))
        words.called = title
        return words


def accusative(title: str) -> str:
    """A Russian title in the accusative, to stand within a sentence: «копию диплома».

    Of names of things only feminine singular nouns change. Nouns that may as well be a plural
    («сведения», «свидетельства») stay as they are.
    """
    words = title.split(" ")
    for place, written in enumerate(words):
        word = written.rstrip(",")
        if not word.endswith(("а", "я")) or word.endswith(_PLURALS):
            break
        last = 2 if word.endswith(("ая", "яя")) else 1
        ending = word[-last:].translate(_ACCUSATIVE)
        words[place] = word[:-last] + ending + written[len(word) :]
        if last == 1:
            break
    changed = " ".join(words)
    return changed if changed[1:2].isupper() else changed[:1].lower() + changed[1:]


def folded(text: str) -> str:
    """Text as it is searched and sorted: lower case, ё as е, single blanks."""
    return one_line(text).casefold().replace("ё", "е")


def searched(text: str) -> str:
    """Folded text with ordinary dashes and apostrophes, for comparing with other such text."""
    return folded(text).translate(_ORDINARY)


def in_order(text: str) -> tuple[str, str]:
    """The key by which texts are sorted as in a dictionary: ё beside е, case last."""
    return searched(text), text


def named(sign: str) -> str:
    """A character as a refusal names it: itself if it is visible, and always its code point."""
    shown = sign if sign.isprintable() and not sign.isspace() else ""
    return f"{shown} (U+{ord(sign):04X})".strip()
