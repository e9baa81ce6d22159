"""Every page with invented people and papers, as the gallery shows it and the tests render it."""

from dataclasses import replace
from typing import Any

import segno
from markupsafe import Markup

from cabinet.accounts.methods import MethodView, OtherMethod
from cabinet.accounts.sign_in import new_password_field
from cabinet.accounts.views import SecondFactorSetupView
from cabinet.applications.kind import APPLICATIONS
from cabinet.applications.views import (
    ApplicationSent,
    ProgrammeView,
    SealCertificate,
    Verification,
)
from cabinet.cases.views import FormSection
from cabinet.frame.views import (
    Chip,
    ErrorItem,
    FieldView,
    Flash,
    Frame,
    Option,
    Pages,
)
from tests.cabinet.samples.cases import (
    ANSWERING,
    APPROVED,
    ASKED,
    AT,
    CASE,
    CASES,
    DRAFT,
    FIELDS,
    FILLED,
    INSTITUTION,
    PROGRAMME,
    REJECTED,
    SECTIONS,
    SLOTS,
    TITLES,
    frame,
    outside,
)
from tests.cabinet.samples.sample import Sample

APP = MethodView(
    "app",
    "Код из приложения",
    "Откройте приложение для кодов на телефоне и введите шесть цифр.",
    "Код меняется каждые 30 секунд и действует один раз.",
)
CODE = FieldView("code", "Шесть цифр", "code", autocomplete="one-time-code")
QR = Markup(segno.make("otpauth://totp/sample?secret=JBSWY3DPEHPK3PXP").svg_inline(scale=4))  # noqa: S704


def _programmes() -> list[ProgrammeView]:
    return [
        PROGRAMME,
        *(replace(PROGRAMME, title=t, type=k, type_word=w, hours=h) for t, k, w, h in TITLES),
    ]


def main_pages() -> list[Sample]:
    made: list[Sample] = []

    def add(name: str, template: str, where: Frame, **context: Any) -> None:
        made.append(Sample(name, template, where, context))

    def inside(path: str) -> Frame:
        return frame(path)

    sign_in = (
        FieldView(
            "login",
            "Электронная почта",
            "email",
            "sokolova@",
            autocomplete="username",
            autofocus=True,
        ),
        FieldView("password", "Пароль", "password", autocomplete="current-password"),
    )
    add(
        "sign-in",
        "accounts/sign_in.html",
        outside("/sign-in"),
        fields=sign_in,
        next="/",
        expired=True,
        provider="ЕСИА",
        registration=True,
    )
    add(
        "sign-in-error",
        "accounts/sign_in.html",
        outside("/sign-in"),
        fields=(sign_in[0], replace(sign_in[1], error="Почта или пароль не подошли")),
        next="/",
        expired=False,
        provider="",
        registration=False,
        errors=[ErrorItem("Почта или пароль не подошли", "#field-password")],
    )
    add(
        "code",
        "accounts/code.html",
        outside("/sign-in/code"),
        field=CODE,
        next="/",
        action="#",
        chosen=APP,
        others=[OtherMethod("Нет доступа к приложению? Введите код восстановления", "#")],
    )
    add(
        "code-sms",
        "accounts/code.html",
        outside("/sign-in/code"),
        field=CODE,
        next="/",
        action="#",
        chosen=replace(APP, title="Код из SMS", begin="Прислать код"),
        others=[OtherMethod("Ввести код из приложения", "#")],
    )
    add(
        "code-passkey",
        "accounts/code.html",
        outside("/sign-in/code"),
        field=CODE,
        next="/",
        action="#",
        chosen=replace(APP, method="passkey", title="Ключ входа", by_browser=True),
        others=[OtherMethod("Ввести код из приложения", "#")],
    )
    add(
        "sms-setup",
        "accounts/sms_setup.html",
        outside("/sign-in/setup/sms"),
        number="…67",
        field=CODE,
        action="/sign-in/setup/sms",
        next="/",
    )
    add("forgotten", "accounts/forgotten.html", outside("/sign-in/forgotten"), field=sign_in[0])
    add("reset-sent", "accounts/reset_sent.html", outside("/sign-in/forgotten"))
    add(
        "reset-over",
        "accounts/reset_over.html",
        outside("/sign-in/reset/x"),
        message="Ссылка больше не действует. Запросите новую.",
    )
    add(
        "reset",
        "accounts/reset.html",
        outside("/sign-in/reset/x"),
        chosen=APP,
        others=[OtherMethod("Нет доступа к приложению? Введите код восстановления", "#")],
        field=CODE,
        password=new_password_field(),
        action="#",
    )
    add(
        "recovery-codes",
        "accounts/recovery_codes.html",
        outside("/sign-in/setup"),
        codes=[f"{n:02}-4KD9W-Z2MTA" for n in range(1, 11)],
        way_on="/",
    )
    add(
        "setup",
        "accounts/setup.html",
        outside("/sign-in/setup"),
        next="/",
        field=replace(CODE, label="Введите шесть цифр, которые показывает приложение"),
        action="#",
        inside=False,
        by_sms="…67",
        setup=SecondFactorSetupView(QR, "JBSW Y3DP EHPK 3PXP", "sokolova@hospital.example"),
    )
    add(
        "password",
        "accounts/password.html",
        outside("/sign-in/password"),
        next="/",
        action="#",
        why="Паролю больше 90 дней.",
        fields=(FieldView("new", "Новый пароль", "password", autocomplete="new-password"),),
    )
    add(
        "programmes",
        "applications/programmes.html",
        inside("/programmes"),
        q="кардиалогия",
        meant="кардиология",
        kind="",
        kinds=[Chip("Все", "#", True, 14), Chip("Курсы", "#", count=6), Chip("Дистанционно", "#")],
        programmes=_programmes(),
    )
    add(
        "programmes-none",
        "applications/programmes.html",
        inside("/programmes"),
        q="зуб",
        meant="",
        kind="course",
        kinds=[Chip("Все", "#"), Chip("Курсы", "#", True)],
        programmes=[],
    )
    add(
        "programme",
        "applications/programme.html",
        inside("/programmes"),
        programme=replace(PROGRAMME, draft_url="#"),
        offered=True,
        may_apply=True,
    )
    lists = {
        "choice": FieldView(
            "kind", "Вид обучения", "choice", options=[Option("course", "Очный курс")]
        ),
        "submitted_from": "",
        "submitted_until": "",
        "filter_error": "",
        "chosen_status": "",
        "applies": True,
    }
    add(
        "applications",
        "applications/list.html",
        inside("/applications"),
        cases=CASES,
        paging=Pages(after="#"),
        narrowed=False,
        states=[Chip("Все", "#", True), Chip("Ждут меня", "#"), Chip("Завершённые", "#")],
        **lists,
    )
    add(
        "applications-filtered",
        "applications/list.html",
        inside("/applications"),
        cases=(),
        paging=Pages(),
        narrowed=True,
        states=[],
        **{
            **lists,
            "filter_error": "Напишите дату: день, месяц и год, например 04.12.2026",
            "submitted_from": "вчера",
        },
    )
    add("draft", "applications/draft.html", inside("/applications"), draft=DRAFT, filled=FILLED)
    add(
        "draft-answer",
        "applications/draft.html",
        inside("/applications"),
        draft=ANSWERING,
        filled=(),
    )
    add(
        "section",
        "applications/section.html",
        inside("/applications"),
        action="#",
        saved_at=AT,
        problem="",
        shown="",
        section=FormSection(
            "about",
            "Сведения о заявителе",
            "Мы заполнили то, что знаем из кадрового учёта.",
            FIELDS,
            1,
            5,
            "#",
            "#",
        ),
        errors=[ErrorItem(FIELDS[1].error, "#field-snils")],
    )
    intake = FieldView(
        "starts_on",
        "Набор",
        "choice",
        value="2027-01-18",
        hint="Когда вы начнёте учиться",
        error="В этом наборе не осталось мест. Выберите другой набор",
        options=[
            Option("2027-01-18", *PROGRAMME.intakes[0]),
            Option("2027-03-15", *PROGRAMME.intakes[1]),
        ],
    )
    add(
        "section-intake",
        "applications/section.html",
        inside("/applications"),
        action="#",
        saved_at=AT,
        problem="",
        shown="",
        section=FormSection("programme", "Программа", "", [intake], 1, 5, "#", "#"),
        errors=[ErrorItem(intake.error, "#field-starts_on")],
    )
    add(
        "attachments",
        "applications/attachments.html",
        inside("/applications"),
        title="Документы к заявке",
        slots=SLOTS,
        position=4,
        total=5,
        back_url="#",
        next_url="#",
    )
    add(
        "check",
        "applications/check.html",
        inside("/applications"),
        draft=DRAFT,
        sections=SECTIONS,
        slots=SLOTS,
        compared=False,
        act_id="a",
        step=0,
    )
    add(
        "check-answer",
        "applications/check.html",
        inside("/applications"),
        draft=ANSWERING,
        sections=SECTIONS,
        slots=SLOTS[:1],
        compared=True,
        act_id="a",
        step=4,
    )
    add(
        "submitted",
        "applications/submitted.html",
        inside("/applications"),
        done=ApplicationSent(
            CASE.number,
            CASE.title,
            "sokolova@hospital.example",
            "отдел кадров",
            CASE.waits.until,
            "#",
            "#",
        ),
    )
    add(
        "case",
        "applications/case.html",
        inside("/applications"),
        case=CASE,
        flash=Flash("Мы отправили комментарий в отдел кадров."),
    )
    add(
        "case-compared",
        "applications/case.html",
        inside("/applications"),
        case=replace(CASE, compared=True, unfolded=True),
    )
    add("case-asked", "applications/case.html", inside("/applications"), case=ASKED)
    add("case-approved", "applications/case.html", inside("/applications"), case=APPROVED)
    add("case-rejected", "applications/case.html", inside("/applications"), case=REJECTED)
    add(
        "withdraw",
        "cases/withdraw.html",
        inside("/applications"),
        phrases=APPLICATIONS.phrases,
        number=CASE.number,
        case_url="#",
        act_id="a",
        step=5,
        field=FieldView("reason", "Причина отзыва заявки", "long_text", required=False),
    )
    add(
        "search",
        "applications/search.html",
        inside("/search"),
        field=FieldView(
            "number",
            "Номер заявки",
            value="ПК-2026-000123-5",
            width="width-20",
            error="Проверьте номер: одна из цифр или букв в нём ошибочна",
        ),
        errors=[
            ErrorItem("Проверьте номер: одна из цифр или букв в нём ошибочна", "#field-number")
        ],
    )
    code = FieldView(
        "code",
        "Код с акта",
        hint="26 букв и цифр справа от рисунка QR, после слова «Код». Пробелы не важны",
        width="width-30",
    )
    seal = SealCertificate(
        "Проверочная печать",
        "283C A258 0E74 4924 9FCB 1150 A2BF 8237 C1B3 C30A",
        "9f86d081 884c7d65 " * 4,
    )
    verify = "applications/verify.html"
    add(
        "verify", verify, outside("/verify"), field=code, certificates=[seal], errors=[], shown=None
    )
    incomplete = "Введите код целиком: в нём 26 цифр и латинских букв."
    add(
        "verify-incomplete",
        verify,
        outside("/verify"),
        certificates=[],
        field=replace(code, error=incomplete),
        errors=[ErrorItem(incomplete, "#field-code")],
        shown=None,
    )
    add(
        "verify-good",
        verify,
        outside("/verify"),
        certificates=[],
        field=code,
        errors=[],
        shown=Verification(
            True,
            "x",
            "АЗ-2026-000031-5",
            AT,
            "Одобрено, врач зачислен",
            INSTITUTION,
            "Тестовая печать",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            True,
        ),
    )
    add(
        "verify-bad",
        verify,
        outside("/verify"),
        certificates=[],
        field=code,
        errors=[],
        shown=Verification(False, "x"),
    )
    return made
