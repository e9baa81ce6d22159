"""The last day as information security reads it: cards of the home page, tables of the journal."""

from cabinet.accounts.right_words import right_words
from cabinet.frame.views import CallToAction
from cabinet.frame.visits import Visit
from cabinet.journal.views import WatchPart
from clients.database import DatabaseSession
from rules.clock import now
from services.journal.checkpoints import trusted_certificates
from services.operation import security_watch
from services.operation.security_watch import Decoded, RightsChange, SecuritySummary
from words import formats
from words.translation import gettext, ngettext

_ICONS = {"refused": "lock", "odd": "triangle-alert", "decoded": "eye", "rights": "key-round"}


async def watched(session: DatabaseSession, visit: Visit) -> SecuritySummary:
    """What happened within the last day. Raises Refusal 403 unless the person reads the journal."""
    trusted = trusted_certificates(visit.container.settings)
    return await security_watch.watch(session, visit.actor, trusted, now())


def sentence(watch: SecuritySummary) -> str:
    """The first line of the home page."""
    if not watch.attention:
        return gettext("За сутки ничего необычного")
    return ngettext("Требует внимания: %(n)s", "Требуют внимания: %(n)s", watch.attention) % {
        "n": watch.attention
    }


def cards(watch: SecuritySummary) -> list[CallToAction]:
    """A card for each subject, also when nothing happened: that is what the reader looks for."""
    return [
        CallToAction(
            "bad" if part.tone == "bad" else "waiting" if part.tone == "waiting" else "idle",
            _ICONS[part.key],
            gettext("За сутки"),
            part.title,
            part.sentence,
            gettext("Открыть"),
            f"/journal#{part.key}",
        )
        for part in parts(watch)
    ]


def parts(watch: SecuritySummary) -> list[WatchPart]:
    """The four subjects, unusual events first."""
    return [_odd(watch), _refused(watch), _decoded(watch), _rights(watch)]


def _odd(watch: SecuritySummary) -> WatchPart:
    told = []
    if watch.odd:
        told.append(
            ngettext(
                "с %(n)s адреса подбирают пароль",
                "с %(n)s адресов подбирают пароль",
                len(watch.odd),
            )
            % {"n": len(watch.odd)}
        )
    if watch.foreign:
        told.append(gettext("в журнале записи, которых не писала система: %(n)s")
                    % {"n": watch.foreign})  # fmt: skip
    if watch.unconfirmed:
        told.append(gettext("заявления о журнале ждут подтверждения: %(n)s")
                    % {"n": watch.unconfirmed})  # fmt: skip
    if watch.acted:
        told.append(gettext("процессы прерваны или сброшены в Temporal: %(n)s")
                    % {"n": watch.acted})  # fmt: skip
    words = "; ".join(told)
    return WatchPart(
        "odd",
        gettext("Необычные события: %(n)s") % {"n": watch.attention},
        f"{words[0].upper()}{words[1:]}." if words else gettext("Ничего не замечено."),
        "bad" if watch.attention else "waiting" if watch.acted else "good",
        (),
        (),
    )


def _refused(watch: SecuritySummary) -> WatchPart:
    most = watch.from_addresses[0] if watch.from_addresses else None
    words = gettext("Больше всего с адреса %(address)s: %(n)s, учётных записей: %(accounts)s.")
    return WatchPart(
        "refused",
        gettext("Отказы во входе: %(n)s") % {"n": watch.refused},
        words % {"address": most.address, "n": most.times, "accounts": most.accounts}
        if most
        else gettext("Отказов не было."),
        "bad" if watch.odd else "good",
        (gettext("Адрес"), gettext("Отказов"), gettext("Учётных записей"), gettext("Последний")),
        [
            (one.address, str(one.times), str(one.accounts), formats.moment(one.last))
            for one in watch.from_addresses
        ],
    )


def _decoded(watch: SecuritySummary) -> WatchPart:
    payloads = sum(one.payloads for one in watch.decoded)
    words = gettext("Сотрудников: %(people)s, расшифровано сообщений процессов: %(n)s. Выгружали "
                    "списки архива: %(exports)s.")  # fmt: skip
    people = len(watch.decoded)
    return WatchPart(
        "decoded",
        gettext("Просмотр зашифрованных данных: %(n)s") % {"n": payloads},
        words % {"people": people, "n": payloads, "exports": len(watch.exported)}
        if watch.decoded or watch.exported
        else gettext("Никто не расшифровывал данные процессов и не выгружал списки."),
        "waiting" if watch.decoded else "good",
        (gettext("Кто"), gettext("Что"), gettext("Сколько"), gettext("Последний раз")),
        [
            *(_look(one, gettext("сообщения процессов")) for one in watch.decoded),
            *(_look(one, gettext("строки списка архива")) for one in watch.exported),
        ],
    )


def _look(one: Decoded, what: str) -> tuple[str, str, str, str]:
    return one.name, what, str(one.payloads), formats.moment(one.last)


def _rights(watch: SecuritySummary) -> WatchPart:
    words = gettext("Вступят в силу: %(waiting)s. Вступили за сутки: %(begun)s.")
    return WatchPart(
        "rights",
        gettext("Изменения прав ждут: %(n)s") % {"n": len(watch.waiting)},
        words % {"waiting": len(watch.waiting), "begun": len(watch.begun)}
        if watch.waiting or watch.begun
        else gettext("Изменений прав нет и не ожидается."),
        "waiting" if watch.waiting else "good",
        (gettext("Кто"), gettext("Роль"), gettext("Подразделение"), gettext("С какого времени")),
        [_right(one) for one in (*watch.waiting, *watch.begun)],
    )


def _right(one: RightsChange) -> tuple[str, str, str, str]:
    return one.name, right_words(one.role), one.unit, formats.moment(one.at)
