"""How the methods of the second factor are worded, wherever a page asks for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.refusals import Refusal
from rules.second_factor import CODES_IN_A_SET, Method
from services.accounts.second_factor import register
from services.accounts.second_factor.methods import Offer
from words.translation import gettext, in_words, marked


@dataclass(frozen=True)
class Wording:
    """What a page says about one method."""

    name: str
    """In the login journal: «Код восстановления: успешно»."""
    title: str
    intro: str
    hint: str
    label: str
    link: str
    """Words of the link that leads to it from the page of another method."""


WORDINGS = {
    Method.APP: Wording(
        marked("Код из приложения"),
        marked("Код из приложения"),
        marked(
            "Откройте приложение для кодов на телефоне и введите шесть цифр, которые оно"
            " показывает для «%(name)s»."
        ),
        marked("Код меняется каждые 30 секунд и действует один раз."),
        marked("Шесть цифр"),
        marked("Ввести код из приложения"),
    ),
    Method.RECOVERY: Wording(
        marked("Код восстановления"),
        marked("Код восстановления"),
        marked("Введите любой неиспользованный код из набора, который вы сохранили. %(left)s"),
        marked("После входа мы предложим подключить приложение заново."),
        marked("Код, например 07-4KD9W-Z2MTA"),
        marked("Нет доступа к приложению? Введите код восстановления"),
    ),
}


@dataclass(frozen=True)
class MethodView:
    """The method that a page asks for."""

    method: str
    title: str
    intro: str
    hint: str


@dataclass(frozen=True)
class OtherMethod:
    """A link to another method."""

    text: str
    url: str


def method_of(text: str) -> Method:
    """The method that a form names; the app where it names none."""
    return Method(text) if text in set(Method) else Method.APP


def left_in_words(left: int) -> str:
    """How many recovery codes are left."""
    return gettext("Осталось кодов: %(left)s из %(all)s.") % {"left": left, "all": CODES_IN_A_SET}


async def asking(
    visit: Visit,
    session: DatabaseSession,
    path: str,
    wish: str,
    method: str = "",
    refusal: Refusal | None = None,
) -> dict[str, Any]:
    """What a page at `path` needs to ask for a second factor by one of the person's methods."""
    offered = await register.offers(session, visit.signed_in.person_id)
    offer = register.chosen(offered, method)
    error = in_words(refusal.message) if refusal is not None else ""
    return {
        "chosen": _view(visit, offer),
        "others": _others(offered, offer, path, wish),
        "field": answer_field(offer.method, error),
        "next": wish,
        "action": path,
        "errors": [ErrorItem(error, "#field-code")] if error else [],
    }


def answer_field(method: Method, error: str = "") -> FieldView:
    """The field for a code of this method. After an error the summary takes the focus."""
    is_digits = method is not Method.RECOVERY
    return FieldView(
        "code",
        gettext(WORDINGS[method].label),
        "code" if is_digits else "text",
        error=error,
        width="" if is_digits else "width-20",
        autocomplete="one-time-code" if is_digits else "off",
        autofocus=not error,
    )


def _view(visit: Visit, offer: Offer) -> MethodView:
    words = WORDINGS[offer.method]
    left = left_in_words(offer.left) if offer.left is not None else ""
    intro = gettext(words.intro) % {"name": visit.frame.institution, "left": left}
    return MethodView(offer.method, gettext(words.title), intro, gettext(words.hint))


def _others(offered: Sequence[Offer], chosen: Offer, path: str, wish: str) -> Sequence[OtherMethod]:
    return [
        OtherMethod(
            gettext(WORDINGS[offer.method].link),
            f"{path}?method={offer.method.value}&next={quote(wish)}",
        )
        for offer in offered
        if offer is not chosen
    ]
