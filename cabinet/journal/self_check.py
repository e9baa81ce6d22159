"""«Самопроверка защиты»: each measure with its state, its figure, and what to do (I13)."""

from collections.abc import Mapping

from fastapi import APIRouter, Response

from api.http.entrance import CleanRoute
from cabinet.frame.visits import Inside
from cabinet.journal.views import MeasureRow
from rules.operation.self_check import Examined, Grade, Protection
from services.operation import self_check
from words.translation import gettext as _
from words.translation import marked

router = APIRouter(route_class=CleanRoute, include_in_schema=False, prefix="/journal")

P = Protection
_NAMES: Mapping[Protection, str] = {
    P.TLS: marked("Шифрование соединения"),
    P.KEYS: marked("Ключ хранимых данных"),
    P.SEAL: marked("Печать учреждения"),
    P.BACKUP: marked("Резервная копия"),
    P.SECOND_FACTOR: marked("Второй фактор"),
    P.PASSWORDS: marked("Возраст паролей"),
    P.COURSE: marked("Курс о защите данных"),
    P.JOURNAL: marked("Целостность журнала"),
    P.CHECKPOINTS: marked("Печати журнала"),
    P.RISKS: marked("Подозрительные события"),
    P.NORMS: marked("Нормы закона"),
}
_GRADES: Mapping[Grade, tuple[str, str, str]] = {
    Grade.BAD: (marked("Нарушение"), "bad", "octagon-x"),
    Grade.UNKNOWN: (marked("Неизвестно"), "paused", "circle-question-mark"),
    Grade.WARNING: (marked("Внимание"), "waiting", "triangle-alert"),
    Grade.GOOD: (marked("В порядке"), "good", "circle-check"),
}
_TOLD: Mapping[tuple[Protection, str], tuple[str, str]] = {
    (P.TLS, "silent"): (
        marked("По адресу кабинета никто не отвечает"),
        marked("Запустите кабинет или почините прокси."),
    ),
    (P.TLS, "plain"): (
        marked("Кабинет открывается без шифрования"),
        marked("Включите MEDCAB_TLS или поставьте прокси с TLS 1.3."),
    ),
    (P.TLS, "older"): (
        marked("Кроме TLS 1.3 принимаются старые версии: %(version)s"),
        marked("Разрешите только TLS 1.3."),
    ),
    (P.TLS, "near"): (
        marked("%(version)s, до конца сертификата дней: %(days)s"),
        marked("Обновите сертификат."),
    ),
    (P.TLS, "over"): (
        marked("%(version)s, срок сертификата истёк"),
        marked("Обновите сертификат."),
    ),
    (P.TLS, "valid"): (marked("%(version)s, до конца сертификата дней: %(days)s"), ""),
    (P.KEYS, "unknown"): (
        marked("Неизвестно, с какого времени ключ в работе"),
        marked("Смените ключ: medcab keys rotate."),
    ),
    (P.KEYS, "old"): (
        marked("Ключ в работе дней: %(days)s"),
        marked("Смените ключ: medcab keys rotate."),
    ),
    (P.KEYS, "fresh"): (marked("Ключ в работе дней: %(days)s"), ""),
    (P.SEAL, "missing"): (
        marked("Печать не открывается"),
        marked("Укажите файл печати в MEDCAB_SEAL_FILE."),
    ),
    (P.SEAL, "test"): (
        marked("Печать тестовая"),
        marked("Укажите файл печати в MEDCAB_SEAL_FILE."),
    ),
    (P.SEAL, "near"): (
        marked("До конца сертификата дней: %(days)s"),
        marked("Получите новый сертификат."),
    ),
    (P.SEAL, "over"): (marked("Срок сертификата истёк"), marked("Получите новый сертификат.")),
    (P.SEAL, "valid"): (marked("До конца сертификата дней: %(days)s"), ""),
    (P.BACKUP, "never"): (
        marked("Копии ещё не делали"),
        marked("Сделайте копию: medcab backup."),
    ),
    (P.BACKUP, "old"): (
        marked("Последней копии часов: %(hours)s"),
        marked("Сделайте копию: medcab backup."),
    ),
    (P.BACKUP, "fresh"): (marked("Последней копии часов: %(hours)s"), ""),
    (P.SECOND_FACTOR, "some"): (
        marked("Учётных записей без второго фактора: %(n)s"),
        marked("Пусть эти люди войдут и подключат его, или заблокируйте записи."),
    ),
    (P.SECOND_FACTOR, "none"): (marked("Подключён у всех"), ""),
    (P.PASSWORDS, "some"): (
        marked("Паролей старше 90 дней: %(n)s"),
        marked("При следующем входе их придётся сменить; кто не входит, тому запись не нужна."),
    ),
    (P.PASSWORDS, "none"): (marked("Паролей старше 90 дней нет"), ""),
    (P.COURSE, "some"): (
        marked("Не прошли в срок: %(n)s"),
        marked("Напомните тем, кто в списке «Не прошли курс в срок»."),
    ),
    (P.COURSE, "none"): (marked("Все прошли в срок"), ""),
    (P.JOURNAL, "never"): (
        marked("Весь журнал ещё не проверяли"),
        marked("Проверьте: medcab self-check."),
    ),
    (P.JOURNAL, "old"): (
        marked("Проверен и цел, дней назад: %(days)s"),
        marked("Проверьте снова: medcab self-check."),
    ),
    (P.JOURNAL, "faults"): (
        marked("Найдено нарушений: %(n)s"),
        marked("Узнайте какие: medcab verify."),
    ),
    (P.JOURNAL, "holds"): (
        marked("Цел: цепочек %(chains)s, записей %(entries)s, дней назад: %(days)s"),
        "",
    ),
    (P.CHECKPOINTS, "late"): (
        marked("Записи слишком долго ждут печати или отклонены"),
        marked("Откройте «Журнал»: там сказано, что делать."),
    ),
    (P.CHECKPOINTS, "never"): (marked("Печатей ещё не было"), marked("Запустите обработчик.")),
    (P.CHECKPOINTS, "fresh"): (marked("Ставятся каждую минуту"), ""),
    (P.RISKS, "some"): (
        marked("Ждут рассмотрения: %(n)s"),
        marked("Откройте «События» и рассмотрите их."),
    ),
    (P.RISKS, "none"): (marked("Нерассмотренных нет"), ""),
    (P.NORMS, "near"): (
        marked("%(what)s (%(source)s). Осталось дней: %(days)s. Держится на ней: %(rests)s"),
        marked("Узнайте, чем её заменят, и поменяйте то, что на ней держится."),
    ),
    (P.NORMS, "over"): (
        marked(
            "%(what)s (%(source)s). Закончилась дней назад: %(days)s. Держится на ней: %(rests)s"
        ),
        marked("Узнайте, чем её заменили, и поменяйте то, что на ней держится."),
    ),
    (P.NORMS, "none"): (marked("За 180 дней ни одна не закончится, всего: %(n)s"), ""),
}


@router.get("/self-check")
async def show(visit: Inside) -> Response:
    """Every measure, examined now, the worst first."""
    container = visit.container
    found = await self_check.report(
        container.database, container.settings, container.keys, visit.actor
    )
    bad = sum(one.grade is not Grade.GOOD for one in found)
    return visit.page("journal/self_check.html", rows=[_row(one) for one in found], bad=bad)


def _told(value: str | int) -> str | int:
    return "; ".join(map(_, value.split("; "))) if isinstance(value, str) else value


def _row(one: Examined) -> MeasureRow:
    words, remedy = _TOLD[one.protection, one.finding]
    grade, tone, icon = _GRADES[one.grade]
    facts = {name: _told(value) for name, value in one.facts.items()}
    figure = _(words) % facts if facts else _(words)
    return MeasureRow(
        _(_NAMES[one.protection]), _(grade), tone, icon, figure, _(remedy) if remedy else ""
    )
