"""How the methods of the second factor are worded, wherever a page asks for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Form, Response

from cabinet.frame.views import ErrorItem, FieldView
from cabinet.frame.visits import Visit
from clients.database import DatabaseSession
from rules.clock import now
from rules.refusals import Refusal
from rules.second_factor import CODES_IN_A_SET, Method
from services.accounts.second_factor import entering, register
from services.accounts.second_factor.methods import Offer
from services.accounts.sessions import Visitor
from words.translation import gettext, in_words, marked


@dataclass(frozen=True)
class MethodWords:
    """What a page says about one method."""

    name: str
    """In the login journal: «Код восстановления: успешно»."""
    title: str
    intro: str
    hint: str
    label: str
    link: str
    """Words of the link that leads to it from the page of another method."""
    begin: str = ""
    """Words of the button that begins it, if it needs that."""
    by_browser: bool = False
    """Whether the browser answers, and nobody types a code."""


WORDINGS = {
    Method.APP: MethodWords(
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
    Method.PASSKEY: MethodWords(
        marked("Ключ входа"),
        marked("Ключ входа"),
        marked("Нажмите кнопку и подтвердите вход на этом устройстве, телефоне или USB-ключе."),
        marked("Ключ входа отвечает только этому сайту, поэтому его нельзя выманить."),
        "",
        marked("Войти с ключом входа"),
        by_browser=True,
    ),
    Method.SMS: MethodWords(
        marked("Код из SMS"),
        marked("Код из SMS"),
        marked("Запросите код: он придёт в сообщении на номер, который кончается на %(hint)s."),
        marked("Код действует 5 минут и один раз."),
        marked("Шесть цифр из сообщения"),
        marked("Получить код в SMS"),
        marked("Прислать код"),
    ),
    Method.RECOVERY: MethodWords(
        marked("Код восстановления"),
        marked("Код восстановления"),
        marked(
            "Введите любой неиспользованный код из набора, который вы сохранили, или код, который"
            " назвал оператор. %(left)s"
        ),
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
    begin: str = ""
    by_browser: bool = False


@dataclass(frozen=True)
class OtherMethod:
    """A link to another method."""

    text: str
    url: str


SIGN_IN, CONFIRM = "/sign-in/code", "/profile/confirm"
PAGES = {SIGN_IN: "accounts/code.html", CONFIRM: "accounts/confirm.html"}
"""Where whoever has signed in, or is about to, is asked for a second factor."""
Answer = Annotated[str, Form(max_length=4000)]
"""A code, or what a browser answers for a passkey."""


async def page(
    visit: Visit,
    session: DatabaseSession,
    path: str,
    wish: str,
    method: str,
    refusal: Refusal | None = None,
) -> Response:
    """The page at `path` that asks for a second factor of whoever has signed in."""
    asked = await asking(visit, session, path, wish, method, refusal)
    return visit.page(PAGES[path], status=refusal.status if refusal else 200, **asked)


async def begin(
    visit: Visit, visitor: Visitor, session: DatabaseSession, path: str, wish: str, method: str
) -> Response:
    """Begin a method that needs it, for the page at `path`: a code by SMS is sent."""
    used, container = method_of(method), visit.container
    try:
        for_browser = await entering.begin(
            container.database, visit.signed_in, used, visitor, now(), container.site
        )
    except Refusal as refusal:
        if refusal.status != 429:
            raise
        return await page(visit, session, path, wish, method, refusal)
    return begun(visit, path, used, wish, for_browser)


def begun(visit: Visit, path: str, method: Method, wish: str, for_browser: str) -> Response:
    """What the browser needs; or back to the page at `path`, which asks for the answer."""
    if for_browser:
        return Response(for_browser, media_type="application/json")
    return visit.go(f"{path}?method={method.value}&next={quote(wish)}", "code_sent")


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
    *,
    of: UUID | None = None,
) -> dict[str, Any]:
    """What a page at `path` needs to ask for a second factor by one of the person's methods.

    The person is `of`, or else who has signed in. Raises Refusal 409 if there is no method.
    """
    offered = await register.offers(session, of or visit.signed_in.person_id)
    offer = register.chosen(offered, method)
    error = in_words(refusal.message) if refusal is not None else ""
    return {
        "chosen": _view(visit, offer),
        "others": _others(offered, offer, path, wish),
        "field": answer_field(offer.method, error),
        "next": wish,
        "action": path,
        "errors": error_items(offer.method, error),
    }


def error_items(method: Method, error: str) -> list[ErrorItem]:
    """The error summary; a passkey has no field that it could lead to."""
    href = "" if WORDINGS[method].by_browser else "#field-code"
    return [ErrorItem(error, href)] if error else []


def answer_field(method: Method, error: str = "") -> FieldView:
    """The field for a code of this method. After an error the summary takes the focus."""
    is_digits = method is not Method.RECOVERY
    return FieldView(
        "code",
        gettext(WORDINGS[method].label) if WORDINGS[method].label else "",
        "code" if is_digits else "text",
        error=error,
        width="" if is_digits else "width-20",
        autocomplete="one-time-code" if is_digits else "off",
        autofocus=not error,
    )


def _view(visit: Visit, offer: Offer) -> MethodView:
    words = WORDINGS[offer.method]
    left = left_in_words(offer.left) if offer.left is not None else ""
    filled = {"name": visit.frame.institution, "left": left, "hint": offer.hint}
    return MethodView(
        offer.method,
        gettext(words.title),
        gettext(words.intro) % filled,
        gettext(words.hint),
        gettext(words.begin) if words.begin else "",
        words.by_browser,
    )


def _others(offered: Sequence[Offer], chosen: Offer, path: str, wish: str) -> Sequence[OtherMethod]:
    return [
        OtherMethod(
            gettext(WORDINGS[offer.method].link),
            f"{path}?method={offer.method.value}&next={quote(wish)}",
        )
        for offer in offered
        if offer is not chosen
    ]
