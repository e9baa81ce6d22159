"""The pages of rights with invented contents."""

from cabinet.frame.views import FieldView, Option
from cabinet.rights.views import AskPage, MatrixPage, MatrixUnit
from rules.access import Role
from rules.staff.right_names import RIGHT_NAMES
from tests.cabinet.samples.cases import frame
from tests.cabinet.samples.sample import Sample
from tests.cabinet.samples.staff import NAV

ROLES = [RIGHT_NAMES[role] for role in Role]
NONE = ("",) * (len(ROLES) - 2)
ASK = AskPage(
    title="Изменить права",
    does="Права изменятся, когда согласятся двое других: руководитель подразделения и "
    "информационная безопасность.",
    name="Волков Николай Петрович",
    back="#",
    back_words="Волков Николай Петрович",
    fields=[
        FieldView(
            "role",
            "Роль или отдельное право",
            "choice",
            options=[
                *(Option(role, RIGHT_NAMES[role], group="Роли") for role in Role),
                Option("review", "Рассматривать заявки", group="Отдельные права"),
            ],
        ),
        FieldView("last_day", "Действует по", "date", required=False, hint="Как дд.мм.гггг."),
        FieldView("urgent", "Срочно: до решения, не дольше суток", "checkbox", required=False),
        FieldView("reason", "Для чего это нужно", "long_text", error="Укажите причину."),
    ],
    hidden={"act_id": "a1", "person": "p1", "grant": ""},
    held=[("Врач", "Терапевтическое отделение", "#")],
)
MATRIX = MatrixPage(
    roles=ROLES,
    rows=[
        ("Просить об изменении прав", "ask_access", [True for _role in Role]),
        (
            "Подтверждать права как руководитель",
            "confirm_access",
            [role is Role.UNIT_HEAD for role in Role],
        ),
    ],
    units=[
        MatrixUnit("u1", "Терапевтическое отделение", ("12", "30", *NONE), True, True),
        MatrixUnit("u2", "Отделение анестезиологии", ("4", "", *NONE), False, False),
    ],
    singles=[("Отдел кадров", "Отдельное право: рассматривать заявки", "2")],
    act_id="a1",
)


def rights_pages() -> list[Sample]:
    """Asking for rights, and the whole matrix."""
    return [
        Sample("rights-ask", "rights/ask.html", frame("/people", nav=NAV), {"ask": ASK}),
        Sample("rights-matrix", "rights/matrix.html", frame("/", nav=NAV), {"matrix": MATRIX}),
    ]
