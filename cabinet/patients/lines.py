"""What pages of patients share: identities as people read them, and the fields of the form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from cabinet.frame.states import StatusTag, Tone
from cabinet.frame.views import FieldView, Option
from rules.patients.emergencies import EMERGENCY_WORDS, EmergencyState
from rules.patients.identity import FIELD_WORDS, LONGEST_NAME, SEX_WORDS, Identity, Sex
from rules.refusals import Refusal
from services.patients.duplicates import Likely, Why
from words.formats import day
from words.translation import gettext, in_words, marked

HINTS: Mapping[str, str] = {
    "birth_date": marked("Например, 14.03.1961"),
    "snils": marked("11 цифр"),
    "policy": marked("16 цифр"),
    "phone": marked("На него придёт код, если пациент захочет узнать, кто смотрел карту"),
}
WHY_WORDS: Mapping[Why, str] = {
    Why.SNILS: marked("тот же СНИЛС"),
    Why.POLICY: marked("тот же полис"),
    Why.NAME: marked("похожее имя, та же дата рождения"),
}
_REQUIRED = ("name", "birth_date", "sex")
_LOOKS: Mapping[EmergencyState, tuple[Tone, str]] = {
    EmergencyState.WAITS: ("waiting", "clock"),
    EmergencyState.JUSTIFIED: ("good", "circle-check"),
    EmergencyState.UNJUSTIFIED: ("bad", "circle-x"),
}


@dataclass(frozen=True)
class PatientLine:
    """A patient in a list: as much as tells two people apart."""

    url: str
    name: str
    born: str
    numbers: str
    note: str = ""
    id: str = ""


def said(name: str, value: str) -> str:
    """One field of an identity as people read it; a dash where nothing is known."""
    if not value:
        return "—"
    if name == "birth_date":
        return day(date.fromisoformat(value))
    return gettext(SEX_WORDS[Sex(value)]) if name == "sex" else value


def facts(who: Identity) -> Sequence[tuple[str, str]]:
    """Every field with its label."""
    text = who.as_text
    return [(gettext(label), said(name, text[name])) for name, label in FIELD_WORDS.items()]


def born(who: Identity) -> str:
    """«14 марта 1961, женский»."""
    return f"{day(who.birth_date)}, {gettext(SEX_WORDS[who.sex])}"


def numbers(who: Identity) -> str:
    """The last digits of the numbers: enough to compare, too few to copy."""
    parts = [
        gettext("СНИЛС …%(end)s") % {"end": who.snils[-5:]} if who.snils else "",
        gettext("полис …%(end)s") % {"end": who.policy[-4:]} if who.policy else "",
    ]
    return ", ".join(filter(None, parts)) or gettext("без номеров")


def likely_lines(found: Sequence[Likely]) -> Sequence[PatientLine]:
    """Who may be the same person, with why."""
    return [
        PatientLine(
            f"/patients/{one.patient_id}/identity",
            one.identity.name,
            born(one.identity),
            numbers(one.identity),
            ", ".join(gettext(WHY_WORDS[why]) for why in one.why),
            str(one.patient_id),
        )
        for one in found
    ]


def typed_of(who: Identity) -> Mapping[str, str]:
    """What the fields hold before anything is typed."""
    text = dict(who.as_text)
    text["birth_date"] = f"{who.birth_date:%d.%m.%Y}"
    return text


def fields(typed: Mapping[str, str], refusal: Refusal | None = None) -> Sequence[FieldView]:
    """The fields of the form with what was typed, and what is wrong with it."""
    wrong = {one.path: in_words(one.message) for one in refusal.fields} if refusal else {}
    return [
        FieldView(
            name,
            gettext(label),
            "choice" if name == "sex" else "date" if name == "birth_date" else "text",
            typed.get(name, ""),
            gettext(HINTS[name]) if name in HINTS else "",
            wrong.get(name, ""),
            required=name in _REQUIRED,
            options=[Option(one.value, gettext(words)) for one, words in SEX_WORDS.items()]
            if name == "sex"
            else (),
            max_length=LONGEST_NAME if name == "name" else 0,
            inputmode="numeric" if name in ("snils", "policy") else "",
            autocomplete="off",
        )
        for name, label in FIELD_WORDS.items()
    ]


def emergency_tag(state: EmergencyState) -> StatusTag:
    """The state of an emergency as it is drawn."""
    return StatusTag(gettext(EMERGENCY_WORDS[state]), *_LOOKS[state])
