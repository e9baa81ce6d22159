"""The people and units of the demo institution."""

from dataclasses import dataclass

from rules.access import Permission, Right, Role
from rules.accounts import AccountState

MAIL_DOMAIN = "gkb7.example"


@dataclass(frozen=True)
class DemoUnit:
    """A unit of the demo."""

    code: str
    name: str


@dataclass(frozen=True)
class DemoPerson:
    """Somebody who works there."""

    name: str
    login: str
    position: str
    unit: str
    roles: tuple[Role, ...]
    snils: str | None = None
    inn: str | None = None
    phone: str | None = None
    state: AccountState = AccountState.ACTIVE
    rights: tuple[Right, ...] = ()
    """Held in the whole institution, beside the roles in the unit."""

    @property
    def email(self) -> str:
        """The address by which the person signs in."""
        return f"{self.login}@{MAIL_DOMAIN}"


INSTITUTION = "institution"
UNITS = (
    DemoUnit("therapy", "Терапевтическое отделение"),
    DemoUnit("cardiology", "Кардиологическое отделение"),
    DemoUnit("surgery", "Хирургическое отделение"),
    DemoUnit("laboratory", "Клинико-диагностическая лаборатория"),
    DemoUnit("hr", "Отдел кадров"),
    DemoUnit("registry", "Регистратура"),
    DemoUnit("supply", "Отдел снабжения"),
    DemoUnit("security", "Отдел информационной безопасности"),
    DemoUnit("it", "Отдел информационных технологий"),
)
PERSONNEL = (Permission.VIEW_CREDENTIALS, Permission.CONFIRM_CREDENTIALS)
"""Personnel sits in one unit, and looks after the people of all."""
PEOPLE = (
    DemoPerson(
        "Соколова Анна Сергеевна",
        "sokolova",
        "врач-терапевт",
        "therapy",
        (Role.DOCTOR,),
        "112-233-445 95",
        "366220664163",
        "+79161234501",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Кузнецов Игорь Викторович",
        "kuznetsov",
        "врач-кардиолог",
        "cardiology",
        (Role.DOCTOR,),
        "141-592-653 61",
        "123456789047",
        "+79161234502",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Смирнова Ольга Николаевна",
        "smirnova",
        "медицинская сестра палатная",
        "therapy",
        (Role.NURSE,),
        "087-654-303 00",
        None,
        "+79161234503",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Волков Николай Петрович",
        "volkov",
        "заведующий отделением, врач-терапевт",
        "therapy",
        (Role.UNIT_HEAD, Role.DOCTOR),
        "125-663-706 64",
        None,
        "+79161234504",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Белова Мария Петровна",
        "belova",
        "специалист по кадрам",
        "hr",
        (Role.HR_REVIEWER,),
        rights=PERSONNEL,
        phone="+79161234505",
    ),
    DemoPerson(
        "Тихонов Алексей Юрьевич",
        "tikhonov",
        "ведущий специалист по кадрам",
        "hr",
        (Role.HR_REVIEWER,),
        rights=PERSONNEL,
        phone="+79161234506",
    ),
    DemoPerson(
        "Громова Ольга Ильинична",
        "gromova",
        "начальник отдела кадров",
        "hr",
        (Role.HR_HEAD,),
        rights=(*PERSONNEL, Permission.RELEASE_CREDENTIALS),
        phone="+79161234507",
    ),
    DemoPerson(
        "Панова Вера Юрьевна",
        "panova",
        "специалист по снабжению",
        "supply",
        (Role.CLERK,),
        phone="+79161234511",
    ),
    DemoPerson(
        "Фёдоров Илья Андреевич",
        "fedorov",
        "инженер эксплуатации",
        INSTITUTION,
        (Role.OPS, Role.TECHNICIAN),
        phone="+79161234508",
    ),
    DemoPerson(
        "Ершова Нина Павловна",
        "ershova",
        "специалист по информационной безопасности",
        INSTITUTION,
        (Role.SECURITY,),
        phone="+79161234509",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Власов Пётр Егорович",
        "vlasov",
        "администратор кабинета",
        INSTITUTION,
        (Role.ADMINISTRATOR,),
        phone="+79161234510",
    ),
    DemoPerson(
        "Никитина Елена Львовна",
        "nikitina",
        "оператор",
        INSTITUTION,
        (Role.OPERATOR,),
        phone="+79161234512",
    ),
    DemoPerson(
        "Лаптева Ирина Борисовна",
        "lapteva",
        "регистратор",
        INSTITUTION,
        (Role.REGISTRAR,),
        phone="+79161234514",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Сомов Кирилл Андреевич",
        "somov",
        "старший регистратор",
        INSTITUTION,
        (Role.REGISTRAR,),
        phone="+79161234515",
        state=AccountState.CONFIRMED,
    ),
    DemoPerson(
        "Новикова Дарья Олеговна",
        "novikova",
        "врач-терапевт",
        "therapy",
        (Role.DOCTOR,),
        inn="500100732259",
        phone="+79161234513",
        state=AccountState.REGISTERED,
    ),
)
DESKS = {
    "fedorov": "it",
    "vlasov": "it",
    "ershova": "security",
    "nikitina": "it",
    "lapteva": "registry",
    "somov": "registry",
}
"""The units of people whose rights hold in the whole institution."""
