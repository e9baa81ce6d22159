"""E-mail addresses: accepted as people write them, stored as shown, sent as servers need them.

An address that the mail server could not take is refused at entry. Nothing is looked up in DNS.
"""

import re
import unicodedata

from rules.refusals import Words
from rules.texts.cleaning import clean, named, one_line
from rules.texts.identifiers import IdentifierError

_NO_MAIL = "Напишите адрес почты, например anna@example.org"


def read(text: str) -> str:
    """The address as it is stored, with its domain in its own letters. Raises IdentifierError."""
    typed = one_line(text)
    name, _, domain = typed.partition("@")
    if not name or "." not in domain or "@" in domain:
        raise IdentifierError(_NO_MAIL)
    if cyrillic := re.search(r"[\u0400-\u052f]+", name):
        raise IdentifierError(
            Words(
                "До знака @ пишут латинскими буквами. Замените русские: {letters}",
                letters=cyrillic[0],
            )
        )
    odd = re.findall(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", name)
    odd += [sign for sign in domain if sign not in "._-" and not _of_words(sign)]
    if odd:
        raise IdentifierError(Words("Уберите из адреса почты знак {sign}", sign=named(odd[0])))
    if name.startswith(".") or ".." in typed or typed.endswith(".") or name.endswith("."):
        raise IdentifierError("Уберите из адреса почты лишнюю точку")
    try:
        return _parts(typed)[0]
    except ValueError:
        raise IdentifierError(_NO_MAIL) from None


def _of_words(sign: str) -> bool:
    """Whether the character is a letter, a digit, or a mark on a letter, as in Tamil."""
    return unicodedata.category(sign)[0] in "LMN"


def sendable(address: str) -> str:
    """The address in ASCII, as mail servers take it: the domain as IDNA. Raises ValueError."""
    return _parts(address)[1]


def folded(address: str) -> str:
    """The form by which addresses are compared and an account is found: case does not count."""
    typed = clean(address).strip().casefold()
    if "xn--" not in typed:
        return typed
    try:
        return _parts(typed)[0].casefold()
    except ValueError:
        return typed


def _parts(address: str) -> tuple[str, str]:
    """The address as it is shown, and in ASCII. Raises ValueError."""
    # Imported with the first address that is read: programs that read none start sooner.
    import email_validator

    # The library refuses names such as hospital.local, which a hospital's own network may have.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    found = email_validator.validate_email(
        address,
        allow_smtputf8=False,
        check_deliverability=False,
        globally_deliverable=False,
        strict=True,
    )
    if found.ascii_email is None:
        raise ValueError("an address without a form in ASCII")
    return found.normalized, found.ascii_email
