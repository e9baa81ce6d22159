"""Forms as data: reading, refusing, prefilling, merging, showing."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.cases.terms import Terms
from rules.forms.definitions import (
    AttachmentRule,
    CaseTypeDefinition,
    ChecklistItem,
    Field,
    FieldChange,
    FieldKind,
    ProgrammeRules,
    Waiver,
    Words,
    check_attachments,
    check_field,
    check_form,
    difference,
    display,
    json_schema,
    merged_attachments,
    merged_checklist,
    merged_terms,
    prefilled,
    with_locked,
)
from rules.forms.fields import Choice, field_schema

TODAY = date(2026, 11, 23)

DEFINITION = CaseTypeDefinition.model_validate(
    {
        "key": "qualification",
        "version": 1,
        "kind": "application",
        "title": "Повышение квалификации",
        "sections": [
            {
                "name": "programme",
                "title": "Программа",
                "fields": [
                    {
                        "name": "course",
                        "label": "Название",
                        "prefill": "programme.title",
                        "locked": True,
                    },
                    {
                        "name": "hours",
                        "label": "Часы",
                        "kind": "number",
                        "min": 2,
                        "max": 576,
                        "prefill": "programme.hours",
                        "locked": True,
                    },
                    {"name": "starts", "label": "Начало", "kind": "date", "min": "today"},
                ],
            },
            {
                "name": "person",
                "title": "О вас",
                "fields": [
                    {
                        "name": "snils",
                        "label": "СНИЛС",
                        "kind": "snils",
                        "prefill": "person.snils",
                    },
                    {"name": "inn", "label": "ИНН", "kind": "inn"},
                    {"name": "phone", "label": "Телефон", "kind": "phone"},
                    {"name": "licence", "label": "Лицензия", "kind": "licence", "required": False},
                    {"name": "patient", "label": "Полис", "kind": "patient_id", "required": False},
                    {"name": "year", "label": "Год", "kind": "number", "max": "this_year"},
                    {"name": "level", "label": "Уровень", "kind": "choice",
                     "choices": ["Высшее", {"value": "spo", "label": "Среднее"}]},
                    {"name": "purpose", "label": "Цель", "kind": "long_text", "max_length": 60},
                    {"name": "consent", "label": "Согласие", "kind": "checkbox"},
                ],
            },
        ],
        "attachments": [
            {"kind": "certificate", "title": "Справка о предыдущем обучении"},
            {"kind": "reference", "title": "Справка с места работы"},
            {"kind": "diploma", "title": "Копия диплома"},
        ],
        "checklist": [{"name": "hours", "question": "Часы соответствуют?"}],
        "addressee": "hr",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Programme:
    """A programme, as far as forms are concerned."""

    rules: ProgrammeRules


GOOD: dict[str, Any] = {
    "course": "Кардиология",
    "hours": "36",
    "starts": "4 декабря 2026 г.",
    "snils": "11223344595",
    "inn": "3662 2066 4163",
    "phone": "8 (916) 123-45-67",
    "licence": "L041-01137-77/00584930",
    "patient": "7751 5030 2000 0005",
    "year": "2 009",
    "level": "среднее",
    "purpose": "Новая методика\r\n\r\n\r\n\r\nи сертификат ",
    "consent": "on",
}

CANONICAL = {
    "course": "Кардиология",
    "hours": 36,
    "starts": "2026-12-04",
    "snils": "112-233-445 95",
    "inn": "366220664163",
    "phone": "+79161234567",
    "licence": "Л041-01137-77/00584930",
    "patient": "7751503020000005",
    "year": 2009,
    "level": "spo",
    "purpose": "Новая методика\n\nи сертификат",
    "consent": True,
}


def test_what_people_type_becomes_one_form() -> None:
    """Tolerant input is stored canonically, and reading it again changes nothing (S2)."""
    assert check_form(DEFINITION, GOOD, complete=True, today=TODAY) == (CANONICAL, [])
    assert check_form(DEFINITION, CANONICAL, complete=True, today=TODAY) == (CANONICAL, [])


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize(
    ("name", "typed", "says"),
    [
        ("hours", "1", "Напишите целое число от 2 до 576"),
        ("hours", "577", "Напишите целое число от 2 до 576"),
        ("hours", "много", "Напишите целое число от 2 до 576"),
        ("hours", "36,5", "Напишите целое число от 2 до 576"),
        ("hours", "٣٦", "Напишите целое число от 2 до 576"),
        ("year", "2027", "Напишите целое число не больше 2026"),
        ("starts", "22.11.2026", "Напишите дату не раньше 23.11.2026"),
        ("starts", "31.02.2027", "Такого дня нет в календаре, проверьте дату"),
        ("starts", "скоро", "Напишите дату: день, месяц и год, например 04.12.2026"),
        ("snils", "112-233-445 96", "Проверьте СНИЛС: контрольные цифры не сходятся"),
        ("inn", "1234567894", "Напишите 12 цифр ИНН"),
        ("inn", "123456789037", "Проверьте ИНН: контрольные цифры не сходятся"),
        ("phone", "12", "Напишите номер телефона с кодом, например +7 916 123-45-67"),
        (
            "patient",
            "7751503020000004",
            "Проверьте номер полиса ОМС: контрольная цифра не сходится",
        ),
        ("patient", "123", "Напишите 16 цифр полиса ОМС"),
        ("level", "Начальное", "Выберите один из вариантов"),
        ("purpose", "я" * 61, "Сократите текст до 60 знаков"),
        ("purpose", "я" * 30_000, "Сократите текст до 60 знаков"),
        ("consent", "может быть", "Поставьте или снимите отметку"),
        ("course", ["Кардиология"], "Напишите значение текстом"),
        ("course", {"a": 1}, "Напишите значение текстом"),
        ("course", True, "Напишите значение текстом"),
        ("hours", 1.5, "Напишите значение текстом"),
        ("hours", 10**40, "Сократите значение"),
    ],
)
def test_wrong_values_say_what_to_write(name: str, typed: Any, says: str) -> None:
    """Every wrong value gets words that help, on the server as while typing (S2)."""
    assert check_field(DEFINITION.fields[name], typed, TODAY) == (None, says)
    _, errors = check_form(DEFINITION, GOOD | {name: typed}, complete=True, today=TODAY)
    assert [(error.path, error.message) for error in errors] == [(name, says)]


def test_missing_values_are_named_in_the_order_of_the_form() -> None:
    """An empty form is refused field by field; optional fields are not mentioned."""
    empty: dict[str, Any] = dict.fromkeys(DEFINITION.fields, " \u200b\t")
    values, errors = check_form(DEFINITION, empty, complete=True, today=TODAY)
    assert values == {}
    required = [name for name, field in DEFINITION.fields.items() if field.required]
    assert [error.path for error in errors] == required
    assert all(error.message for error in errors)
    assert check_form(DEFINITION, {}, complete=True)[1] == errors


def test_draft_keeps_what_was_typed_and_flags_it() -> None:
    """A draft may lack fields; a wrong value is kept as typed, so nobody loses their words (A1)."""
    draft = {"snils": "112-233", "inn": "", "purpose": "Цель", "hours": [1]}
    values, errors = check_form(DEFINITION, draft, complete=False, today=TODAY)
    assert values == {"snils": "112-233", "purpose": "Цель"}
    assert [error.path for error in errors] == ["hours", "snils"]


def test_unknown_fields_are_refused_and_not_kept() -> None:
    """A program that misspells a field hears of it."""
    values, errors = check_form(DEFINITION, GOOD | {"snlis": "1"}, complete=True, today=TODAY)
    assert "snlis" not in values
    assert [error.path for error in errors] == ["snlis"]


def test_unseen_characters_are_removed() -> None:
    """Control characters, direction marks and lone surrogates never reach the act's PDF."""
    field = Field(name="position", label="Должность")
    value, _ = check_field(field, "врач\x00-\u202eкардио\u200bлог\ud800 \u00a0 №1")
    assert value == "врач-кардиолог №1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@given(st.sampled_from(list(DEFINITION.fields.values())), json_values)
def test_reading_never_breaks_and_is_idempotent(field: Field, raw: Any) -> None:
    """Whatever is sent, there is a value or a message; a value read again is the same value."""
    value, message = check_field(field, raw, TODAY)
    assert value is None or message is None
    if value is not None:
        assert check_field(field, value, TODAY) == (value, None)


@given(st.dictionaries(st.sampled_from(list(DEFINITION.fields)) | st.text(), json_values))
def test_drafts_settle(data: dict[str, Any]) -> None:
    """Saving what a draft kept keeps the same."""
    kept, errors = check_form(DEFINITION, data, complete=False, today=TODAY)
    again, errors_again = check_form(DEFINITION, kept, complete=False, today=TODAY)
    assert again == kept
    assert {error.path for error in errors_again} <= {error.path for error in errors}


def test_locked_fields_take_the_programme_and_nothing_else() -> None:
    """Title and hours come from the catalogue, whatever a client sends (A1)."""
    facts = {"programme.title": "Кардиология", "programme.hours": 36, "person.snils": "11223344595"}
    assert prefilled(DEFINITION, facts) == {
        "course": "Кардиология",
        "hours": 36,
        "snils": "112-233-445 95",
    }
    sent = {"hours": 576, "snils": "изменён", "course": "Другое"}
    assert with_locked(DEFINITION, sent, facts) == {
        "course": "Кардиология",
        "hours": 36,
        "snils": "изменён",
    }
    assert with_locked(DEFINITION, sent, {}) == {"snils": "изменён"}


def test_attachments_missing_and_strange_are_named() -> None:
    """The three documents are asked for by default, each by its name (A2)."""
    assert check_attachments(DEFINITION.attachments, {"certificate", "reference", "diploma"}) == []
    errors = check_attachments(DEFINITION.attachments, ["reference", "selfie"])
    assert [(error.path, error.message) for error in errors] == [
        ("attachments.certificate", "Приложите справку о предыдущем обучении"),
        ("attachments.diploma", "Приложите копию диплома"),
        ("attachments.selfie", "Этот вид документа здесь не нужен, уберите его"),
    ]


def test_programme_adds_and_waives_documents() -> None:
    """A programme may add a document, or waive one with a reason that stays visible (A2)."""
    extra = AttachmentRule(kind="specialist", title="Сертификат специалиста")
    rules = ProgrammeRules(
        add=(extra,),
        waive=(Waiver(kind="diploma", reason="Диплом проверен при приёме на работу"),),
        checklist=(ChecklistItem(name="hours", question="Не больше 36 часов?"),),
        terms=Terms(review=5, review_reminders=(3,)),
    )
    programme = Programme(rules)
    merged = merged_attachments(DEFINITION, programme)
    assert [rule.kind for rule in merged] == ["certificate", "reference", "diploma", "specialist"]
    assert merged[2].waived_reason == "Диплом проверен при приёме на работу"
    assert check_attachments(merged, {"certificate", "reference", "specialist"}) == []
    assert check_attachments(merged, {"certificate", "reference", "specialist", "diploma"}) == []
    assert [item.question for item in merged_checklist(DEFINITION, programme)] == [
        "Не больше 36 часов?"
    ]
    assert merged_terms(DEFINITION, programme).review == 5
    assert merged_attachments(DEFINITION, None) == DEFINITION.attachments
    assert merged_checklist(DEFINITION, None) == DEFINITION.checklist
    assert merged_terms(DEFINITION, None) == DEFINITION.terms


def test_difference_shows_values_as_people_read_them() -> None:
    """A reviewer sees old and new by label, dates and choices in words (A6)."""
    new = CANONICAL | {"starts": "2027-01-12", "level": "Высшее", "consent": False}
    new.pop("licence")
    assert difference(DEFINITION, CANONICAL, new) == [
        FieldChange("starts", "Начало", "04.12.2026", "12.01.2027"),
        FieldChange("licence", "Лицензия", "Л041-01137-77/00584930", None),
        FieldChange("level", "Уровень", "Среднее", "Высшее"),
        FieldChange("consent", "Согласие", "Да", "Нет"),
    ]
    assert difference(DEFINITION, CANONICAL, dict(CANONICAL)) == []


def test_schema_accepts_what_the_form_accepts() -> None:
    """The JSON schema takes the canonical form and refuses what the form refuses."""
    schema = json_schema(DEFINITION)
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft202012Validator(schema)
    validator.validate(CANONICAL)
    for wrong in ({"hours": 1}, {"snils": "11223344595"}, {"level": "x"}, {"consent": False}):
        assert list(validator.iter_errors(CANONICAL | wrong)), wrong
    assert list(validator.iter_errors(CANONICAL | {"strange": 1}))


def test_words_can_be_translated() -> None:
    """A message with facts is Russian text, and remembers its msgid for the English page."""
    _, message = check_field(DEFINITION.fields["hours"], "1")
    assert isinstance(message, Words)
    assert message.msgid == "Напишите целое число от {min} до {max}"
    assert "Write {min}-{max}".format(**message.facts) == "Write 2-576"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "a b"}, "name"),
        ({"kind": "choice"}, "choice"),
        ({"choices": ["a"]}, "choice"),
        ({"locked": True}, "locked"),
        ({"min": 1}, "bound"),
        ({"kind": FieldKind.DATE, "max": "this_year"}, "bound"),
        ({"lable": "x"}, "lable"),
    ],
)
def test_definitions_that_contradict_themselves_are_refused(
    wrong: dict[str, Any], says: str
) -> None:
    """A mistake in a definition is found when it is loaded, not when a clinician meets it."""
    with pytest.raises(ValidationError, match=says):
        Field.model_validate({"name": "a", "label": "A"} | wrong)


def test_names_are_unique_across_sections() -> None:
    """Two fields of one name would overwrite each other."""
    twice = DEFINITION.model_dump() | {"sections": DEFINITION.model_dump()["sections"] * 2}
    with pytest.raises(ValidationError, match="named twice"):
        CaseTypeDefinition.model_validate(twice)


def test_definition_survives_the_database() -> None:
    """A definition read back from its JSON is the same definition."""
    stored = DEFINITION.model_dump(mode="json")
    assert CaseTypeDefinition.model_validate(stored) == DEFINITION


def request(**changes: Any) -> dict[str, Any]:
    """A type of request with one field."""
    field = {
        "name": "order",
        "label": "Номер",
        "pattern": "[0-9]{2}-[0-9]{4}",
        "example": "26-0001",
    }
    return {
        "key": "results",
        "version": 1,
        "kind": "request",
        "title": "Результаты",
        "addressee": "it",
        "channel": "module",
        "service": "laboratory-results",
        "answer": "data",
        "sections": [{"name": "study", "title": "Исследование", "fields": [field]}],
        **changes,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"channel": None},
        {"answer": None},
        {"service": None},
        {"channel": "desk"},
        {"kind": "application"},
    ],
)
def test_request_says_who_answers_and_what(changes: dict[str, Any]) -> None:
    """S1: a type without addressee or kind of answer, or with two, is refused when it is loaded."""
    assert CaseTypeDefinition.model_validate(request())
    with pytest.raises(ValidationError):
        CaseTypeDefinition.model_validate(request(**changes))


def test_own_pattern_is_checked_and_told_to_programs() -> None:
    """S2: one definition: the form's check, its words, and JSON Schema."""
    definition = CaseTypeDefinition.model_validate(request())
    assert check_form(definition, {"order": " 26-0001 "}, complete=True)[1] == []
    (error,) = check_form(definition, {"order": "26/1"}, complete=True)[1]
    assert "26-0001" in error.message
    schema = jsonschema_rs.validator_for(json_schema(definition))
    assert schema.is_valid({"order": "26-0001"})
    assert not schema.is_valid({"order": "26/1"})


def test_patients_may_be_numbered_otherwise() -> None:
    """An institution's own pattern stands in place of the policy number and its check digit."""
    own = Field(
        name="patient",
        label="Пациент",
        kind=FieldKind.PATIENT_ID,
        pattern="K[0-9]{6}",
        example="K000123",
    )
    assert check_field(own, "k 000 124") == ("K000124", None)
    policy = Field(name="patient", label="Пациент", kind=FieldKind.PATIENT_ID)
    assert check_field(policy, "5400 0000-0000 0005") == ("5400000000000005", None)
    assert check_field(policy, "5400000000000006")[1] is not None


def test_policy_numbers_are_shown_in_fours() -> None:
    """Sixteen digits stand as on the card and stay on one line; what is shown can be read back."""
    policy = Field(name="patient", label="Пациент", kind=FieldKind.PATIENT_ID)
    shown = display(policy, "5400000000000005")
    assert shown == "5400\u00a00000\u00a00000\u00a00005"
    assert check_field(policy, shown) == ("5400000000000005", None)
    assert display(policy, "5400-0000-0000-0") == "5400-0000-0000-0"
    shape = {"pattern": "[0-9]{16}", "example": "0" * 16}
    own = Field(name="patient", label="Пациент", kind=FieldKind.PATIENT_ID, **shape)
    assert display(own, "5400000000000005") == "5400000000000005"


@pytest.mark.parametrize(
    ("pattern", "example"), [("[0-9", "1"), ("[0-9]{4}", None), ("[0-9]{4}", "12")]
)
def test_pattern_without_a_fitting_example_is_refused(pattern: str, example: str | None) -> None:
    """Whoever writes a form is told at once, not the first person who fills it in."""
    with pytest.raises(ValidationError):
        Field(name="order", label="Номер", pattern=pattern, example=example)


@pytest.mark.parametrize(
    "pattern", ["(?=(a+)+b)a+", r"(a+)\1", "(?:a{1000}){1000}", "a{0,90}{0,90}{0,90}"]
)
def test_a_pattern_that_may_take_hours_or_all_memory_is_refused(pattern: str) -> None:
    """Whoever writes a form is told that it is beyond what RE2 matches in bounded time."""
    with pytest.raises(ValidationError, match="RE2"):
        Field(name="order", label="Номер", pattern=pattern, example="a" * 79)


@pytest.mark.asvs("1.2.9")
@pytest.mark.parametrize("pattern", ["(a+)+", "(?:a|aa)*", "(?:a?){60}", "a*a*a*a*a*", "a?" * 60])
def test_one_text_that_nearly_fits_holds_up_nobody(pattern: str) -> None:
    """Matching that goes back and tries again would not end before the test's own end."""
    field = Field(name="order", label="Номер", pattern=pattern, example="a" * 20)
    assert check_field(field, "a" * 299 + "!")[1] is not None


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        ("[0-9]{2}-[0-9]{6}", "12-123456"),
        ("(?:МК|ОК|ПК) ?[0-9]+(?:/[0-9]+)?", "МК 12/3"),
        ("(?:[0-9]{2}[.-]?){4}", "12.34.56.78"),
        ("[А-Я][а-я]+ [А-Я][а-я]+", "Анна Соколова"),
    ],
)
def test_patterns_as_people_write_them_are_taken(pattern: str, example: str) -> None:
    """Numbers in parts, two kinds of a series, words."""
    assert Field(name="order", label="Номер", pattern=pattern, example=example).pattern == pattern


def test_only_texts_and_patients_have_patterns() -> None:
    """A date is read as a date, whatever a file says."""
    with pytest.raises(ValidationError):
        Field(name="day", label="День", kind=FieldKind.DATE, pattern="[0-9]+", example="1")


def test_a_name_that_is_suggested_stands_for_its_value() -> None:
    """A form offers what people rarely know; another value that fits is taken as well."""
    known = {"value": "Л041-01137-77/00370120", "label": "Лаборатория больницы № 7"}
    field = Field(
        name="licence", label="Лаборатория", kind=FieldKind.LICENCE, suggestions=(Choice(**known),)
    )
    assert check_field(field, "  лаборатория больницы  № 7") == (known["value"], None)
    assert check_field(field, "ЛО-37-02-000001") == ("ЛО-37-02-000001", None)
    assert check_field(field, "Лаборатория больницы № 8")[1]
    assert field_schema(field)["examples"] == [known["value"]]
    with pytest.raises(ValueError, match="does not suggest its value"):
        Field(
            name="a", label="a", kind=FieldKind.LICENCE, suggestions=(Choice(value="7", label="7"),)
        )
    with pytest.raises(ValueError, match="does not suggest its value"):
        Field(name="a", label="a", kind=FieldKind.DATE, suggestions=(Choice(**known),))
