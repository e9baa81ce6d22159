"""People and their accounts with invented contents."""

from datetime import timedelta

from cabinet.accounts.sign_in import new_password_field
from cabinet.accounts.views import LoginLine, SessionView
from cabinet.frame.views import Chip, ErrorItem, FieldView, NavEntry, Option, Pages
from cabinet.staff.registration import registration_fields
from cabinet.staff.views import (
    DeviceRow,
    GrantRow,
    InvitationView,
    Invitee,
    InviteList,
    ListedPerson,
    PeopleList,
    PersonPage,
    StaffActPage,
    StateView,
)
from services.staff.invitations import Invited
from services.staff.registrations import Registering, Undelivered
from tests.cabinet.samples.cases import AT, frame, outside
from tests.cabinet.samples.sample import Sample

ACTIVE = StateView("действует", "good", "circle-check")
LOCKED = StateView("заблокирована", "bad", "lock")
NAV = (
    NavEntry("home", "Главная", "house", "/"),
    NavEntry("people", "Сотрудники", "users", "/people"),
    NavEntry("administration", "Настройка", "settings", "/administration"),
)

PEOPLE = PeopleList(
    rows=[
        ListedPerson("#", "Белова Мария Петровна", "специалист по кадрам", "Отдел кадров", ACTIVE),
        ListedPerson(
            "#",
            "Константинопольская-Преображенская Александра Вячеславовна",
            "медицинская сестра палатная отделения реанимации и интенсивной терапии",
            "Терапевтическое отделение",
            StateView("нет учётной записи", "idle", "circle-dashed"),
        ),
        ListedPerson("#", "Волков Николай Петрович", "врач", "Терапевтическое отделение", LOCKED),
    ],
    fields=[
        FieldView("text", "Фамилия, имя, должность или почта", value="а", required=False),
        FieldView("unit", "Подразделение", "choice", options=[Option("", "Все подразделения")]),
        FieldView("state", "Учётная запись", "choice", options=[Option("", "Все, кто работает")]),
    ],
    active=[Chip("«а»", "#")],
    found="Найдено 3 сотрудника",
    more=True,
    pages=Pages(None, "#", 3),
    manages=True,
    invite_url="#",
)
PERSON = PersonPage(
    id="p1",
    url="#",
    name="Волков Николай Петрович",
    state=LOCKED,
    facts=[
        ("Должность", "заведующий отделением, врач-терапевт"),
        ("Подразделение", "Терапевтическое отделение"),
        ("Электронная почта", "volkov@gkb7.example"),
        ("Причина блокировки", "Потерял телефон"),
    ],
    grants=[
        GrantRow("Врач", "Терапевтическое отделение", AT, None, "демонстрационные данные", False),
        GrantRow(
            "Медсестра",
            "Терапевтическое отделение",
            AT,
            None,
            "заявка ИП-2026-000118-7",
            False,
            ["попросил: Белова М. П.", "подтвердил: Власов П. Е.", "одобрил: Громов И. И."],
            "#",
        ),
        GrantRow("Клерк", "Снабжение", AT, AT + timedelta(days=1), "Власов Пётр Егорович", True),
    ],
    own_open=2,
    under_review=0,
    cases=[("ПК-2026-000118-7", "#"), ("ПК-2026-000123-0", "#")],
    sessions=[SessionView("s1", "Firefox, Linux", "10.0.0.7", AT, AT, current=False)],
    tokens=1,
    devices=[DeviceRow("d1", "Firefox, Linux", AT, AT)],
    logins=[
        LoginLine(AT, "Код: успешно", True, "Firefox, Linux", "10.0.0.7"),
        LoginLine(AT, "Неверный пароль × 3", False, "Chrome, Android", "10.0.0.9"),
    ],
    own=False,
    acts=[("#", "Снять блокировку"), ("#", "Перевести"), ("#", "Уволить")],
    end_url="#",
    invitation=InvitationView(
        AT, AT + timedelta(days=3), "Власов Пётр Егорович", False, "письмо не доставлено", True
    ),
    rights_url="#",
    invites=True,
    act_id="a1",
)
INVITE = InviteList(
    [
        Invitee("p1", "Белова Мария Петровна", "медсестра · Терапия", ACTIVE),
        Invitee("p2", "Константинопольская-Преображенская Александра", "врач · Терапия", ACTIVE),
    ],
    "a1",
    True,
)


ACT = StaffActPage(
    title="Уволить",
    does="Роли закончатся, войти будет нельзя, сеансы и ключи доступа завершатся.",
    name="Волков Николай Петрович",
    back="#",
    url="#",
    fields=[
        FieldView("last_day", "Последний рабочий день", "date", hint="Как дд.мм.гггг."),
        FieldView("reason", "Причина", "long_text", error="Укажите причину.", max_length=500),
    ],
    hidden={"act_id": "a1"},
    dangerous=True,
)


def _registration() -> list[Sample]:
    there = outside("/registration")
    units = [Option("cardio", "Кардиология"), Option("lab", "Лаборатория")]
    wrong = {"terms": "Без согласия учётную запись создать нельзя."}
    form = {
        "fields": registration_fields(
            units, {"name": "Белова Мария", "email": "b@h.example"}, wrong
        ),
        "errors": [ErrorItem(wrong["terms"], "#field-terms")],
    }
    link = {"over": "", "secret": "s", "field": new_password_field()}
    who = Registering("Белова Мария Петровна", "belova@gkb7.example")
    over = "Ссылка больше не действует. Зарегистрируйтесь ещё раз."
    inside = frame("/registrations")
    unknown = "Такого адреса нет"
    who_waits = Undelivered(who.name, who.email, "Терапевтическое отделение", AT, "bounced")
    bounced = (who_waits, unknown)
    ask, used = "staff/registration.html", "staff/registration_link.html"
    return [
        Sample("registration", ask, there, form),
        Sample("registration-sent", "staff/registration_sent.html", there, {}),
        Sample("registration-link", used, there, {**link, "who": who}),
        Sample("registration-over", used, there, {**link, "who": None, "over": over}),
        Sample("registrations-undelivered", "staff/undelivered.html", inside, {"lines": [bounced]}),
    ]


def staff_pages() -> list[Sample]:
    """The list of people, and one person."""
    here = frame("/people", nav=NAV)
    there = outside("/invitation")
    link = {"over": "", "secret": "s", "field": new_password_field()}
    invited = Invited("Мария Петровна", "belova@gkb7.example", AT)
    return [
        Sample("people", "staff/people.html", here, {"people": PEOPLE}),
        Sample("person", "staff/person.html", here, {"person": PERSON}),
        Sample("person-act", "staff/act.html", here, {"act": ACT}),
        Sample("people-invite", "staff/invite.html", here, {"invite": INVITE}),
        Sample("people-nobody", "staff/invite.html", here, {"invite": InviteList((), "a1", False)}),
        Sample(
            "invitation",
            "staff/invitation.html",
            there,
            {**link, "invited": invited},
        ),
        *_registration(),
        Sample(
            "invitation-over",
            "staff/invitation.html",
            there,
            {**link, "invited": None},
        ),
    ]
