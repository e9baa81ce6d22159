"""The pages of patients in the gallery, with long names and every state."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from cabinet.frame.views import ErrorItem, FieldView, Option
from cabinet.patients.importing import PatientsPreview
from cabinet.patients.lines import PatientLine as Line
from cabinet.patients.lines import (
    emergency_tag,
    facts,
    fields,
    likely_lines,
    typed_of,
)
from rules.patients.checks import RegistryOutcome
from rules.patients.emergencies import EmergencyState
from rules.patients.grounds import GROUNDS
from rules.patients.identity import Identity, Sex
from rules.patients.table import TITLES
from services.patients.checks import PatientCheckState
from services.patients.duplicates import Likely, Why
from services.patients.invitations import InvitationState
from services.patients.seen import EmergencySeen, LinkSeen, LookSeen, PatientSeen
from tests.cabinet.samples.cases import AT, frame, outside
from tests.cabinet.samples.sample import Sample

_ID, _OTHER = UUID(int=1), UUID(int=2)
_LONG = "Константинопольская-Преображенская Александра Вячеславовна"
_WHO = Identity(
    _LONG,
    date(1961, 3, 14),
    Sex.FEMALE,
    "112-233-445 95",
    "7700000000000001",
    "+79161234567",
    "anna.konstantinopolskaya@example.org",
)
_LIKE = Identity("Королева Наталия Петровна", date(1961, 3, 14), Sex.FEMALE)
_LINES = [
    Line("/patients/1", _LONG, "14 марта 1961, женский", "СНИЛС …45 95, полис …0001"),
    Line("/patients/2", "Ким Артур", "28 ноября 1988, мужской", "без номеров", "объединена"),
]
_LINK = LinkSeen(
    id=_ID,
    from_id=_ID,
    to_id=_OTHER,
    from_who=_WHO,
    to_who=_LIKE,
    reason="Пациентка показала паспорт и прежнюю карту",
    proposed_by=_ID,
    proposer="Лаптева Ирина Борисовна",
    proposed_at=AT,
    made_at=AT,
)
_CHECK = PatientCheckState(
    AT, RegistryOutcome.DIFFERS, {"name": "Другова Анна Сергеевна"}, 1, None, outdated=False
)
_ONE = PatientSeen(
    id=_ID,
    unit_id=_ID,
    unit="Терапевтическое отделение",
    version=3,
    identity=_WHO,
    main=_ID,
    links=[_LINK],
    likely=[Likely(_OTHER, _LIKE, [Why.NAME, Why.POLICY], 91.0)],
    check=_CHECK,
    invitation=InvitationState(AT, AT + timedelta(days=90), AT),
)
_EMERGENCY = EmergencySeen(
    id=_ID,
    person_id=_OTHER,
    name=_LONG,
    position="врач-анестезиолог-реаниматолог",
    unit="Отделение реанимации и интенсивной терапии",
    at=AT,
    words="Пациент без сознания, нужно знать, на что у него аллергия",
    looks=3,
    due_at=AT + timedelta(days=2),
    state=EmergencyState.WAITS,
    judge_id=_ID,
    judge="Ершова Нина Павловна",
    judged_at=None,
    verdict=None,
)
_JUDGED = EmergencySeen(
    **{
        **vars(_EMERGENCY),
        "state": EmergencyState.UNJUSTIFIED,
        "judged_at": AT,
        "verdict": "Пациент в это время не был в больнице",
    }
)
_LOOK = LookSeen(
    at=AT,
    name=_LONG,
    position="врач-анестезиолог-реаниматолог",
    unit="Отделение реанимации",
    way="emergency",
    ground=None,
    words="Без сознания",
    state=EmergencyState.UNJUSTIFIED,
    verdict="Нужды не было",
)


def _search(**more: Any) -> dict[str, Any]:
    views = [
        FieldView("text", "Имя, СНИЛС или полис", hint="Имя целиком", required=False),
        FieldView("born", "Дата рождения", "date", required=False),
    ]
    given = {"fields": views, "found": None, "more": False, "recent": [], "registers": True}
    return {**given, "errors": [], **more}


def _identity(**more: Any) -> dict[str, Any]:
    given = {
        "one": _ONE,
        "facts": facts(_WHO),
        "fields": fields(typed_of(_WHO)),
        "editing": False,
        "errors": [],
        "differs": [],
        "likely": likely_lines(_ONE.likely),
        "joined": [_LINK],
        "proposed": [],
        "check": _CHECK,
        "check_word": "В регистре записано иначе",
        "check_lines": [("Фамилия, имя, отчество", _LONG, "Другова Анна Сергеевна")],
        "books": True,
        "has_registry": True,
    }
    return {**given, **more}


def _opening(**more: Any) -> dict[str, Any]:
    grounds = [Option(one.name, one.words, one.source) for one in GROUNDS.values()]
    given = {
        "patient_id": _ID,
        "errors": [],
        "ground": FieldView("ground", "Основание", "choice", options=grounds),
        "words": FieldView("words", "Подробнее", "long_text", required=False, max_length=1000),
        "what": FieldView("what", "Что случилось", "long_text", max_length=1000),
    }
    return {**given, **more}


_IMPORT = PatientsPreview(
    counts=(("Пациентов добавится", 120), ("Решите сами", 1), ("Ошибок", 1)),
    wrong=[(3, "СНИЛС", "Проверьте СНИЛС: контрольные цифры не сходятся")],
    known=[(4, _LONG, "/patients/1/identity", "Телефон, Почта")],
    more_wrong=0,
    more_known=12,
    ready=False,
    digest="",
    packed="",
    act_id="",
)


def patient_pages() -> list[Sample]:
    """Search, form, identity, links, opening, judgement, and what the patient reads."""
    here, out = frame("/patients"), outside("/patient")
    unit = FieldView("unit", "Подразделение", "choice", "1", options=[Option("1", "Терапия")])
    form = {"patient_id": _ID, "errors": [], "likely": [], "fields": fields({}), "unit": unit}
    waits = PatientCheckState(AT, None, {}, 2, AT + timedelta(minutes=5), outdated=False)
    code = FieldView("code", "Код из SMS", "code")
    wrong = [ErrorItem("Напишите имя целиком", "#field-text")]
    sign_in = {"secret": "none", "sent": False, "errors": [], "code": code}
    pair = list(zip(facts(_WHO), facts(_LIKE), strict=True))
    tag = emergency_tag
    return [
        Sample("patients", "patients/search.html", here, _search(recent=_LINES)),
        Sample(
            "patients-found",
            "patients/search.html",
            here,
            _search(found=_LINES, more=True, registers=False),
        ),
        Sample("patients-none", "patients/search.html", here, _search(found=[], errors=wrong)),
        Sample("patient-new", "patients/new.html", here, form),
        Sample(
            "patient-import",
            "patients/importing.html",
            here,
            {"preview": _IMPORT, "columns": list(TITLES.values()), "errors": []},
        ),
        Sample(
            "patient-likely",
            "patients/new.html",
            here,
            {**form, "likely": likely_lines(_ONE.likely), "fields": fields(typed_of(_WHO))},
        ),
        Sample("patient", "patients/identity.html", here, _identity()),
        Sample(
            "patient-stale",
            "patients/identity.html",
            here,
            _identity(
                editing=True,
                differs=[("Телефон", "+79161234567", "+7 916 000-00-00")],
                errors=[ErrorItem("Пока вы писали, данные исправил другой сотрудник.")],
                check=waits,
                check_word="Регистр не отвечает",
                check_lines=[],
                proposed=[_LINK],
                joined=[],
            ),
        ),
        Sample(
            "patient-invited",
            "patients/invited.html",
            here,
            {"url": "https://cabinet.example/patient/enter/none", "patient_id": _ID},
        ),
        Sample(
            "patient-links",
            "patients/links.html",
            here,
            {"lines": [(_LINK, pair, True), (_LINK, pair, False)]},
        ),
        Sample("patient-links-none", "patients/links.html", here, {"lines": []}),
        Sample("patient-closed", "patients/open.html", here, _opening()),
        Sample(
            "patient-emergencies",
            "patients/emergencies.html",
            here,
            {
                "everything": True,
                "me": _OTHER,
                "lines": [
                    (one, tag(one.state), one.state is EmergencyState.WAITS)
                    for one in (_EMERGENCY, _JUDGED)
                ],
            },
        ),
        Sample(
            "patient-emergencies-none",
            "patients/emergencies.html",
            here,
            {"everything": False, "me": _ID, "lines": []},
        ),
        Sample(
            "patient-emergencies-own",
            "patients/own_emergencies.html",
            here,
            {"me": _ID, "lines": [(one, tag(one.state)) for one in (_EMERGENCY, _JUDGED)]},
        ),
        Sample(
            "patient-emergencies-own-none",
            "patients/own_emergencies.html",
            here,
            {"me": _ID, "lines": []},
        ),
        Sample("patient-enter", "patients/enter.html", out, sign_in),
        Sample("patient-code", "patients/enter.html", out, {**sign_in, "sent": True}),
        Sample("patient-over", "patients/over.html", out, {}),
        Sample(
            "patient-looks",
            "patients/looks.html",
            out,
            {
                "name": "Александра Вячеславовна",
                "open_until": AT,
                "lines": [(_LOOK, "Открыта экстренно", "", tag(EmergencyState.UNJUSTIFIED))],
            },
        ),
        Sample(
            "patient-looks-none",
            "patients/looks.html",
            out,
            {"name": "Анна", "open_until": AT, "lines": []},
        ),
    ]
