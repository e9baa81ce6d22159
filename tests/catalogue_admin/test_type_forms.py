"""A type of case as a form: what is typed, moved, added and put aside makes the definition (O6)."""

from typing import Any

import pytest
import yaml

from cabinet.catalogue_admin import type_forms
from cabinet.catalogue_admin.fields import FormChoices
from cabinet.catalogue_admin.room import NEW, Shown
from cabinet.catalogue_admin.rooms.programmes import PROGRAMMES
from cabinet.catalogue_admin.type_forms import TypeDraft
from cabinet.catalogue_admin.type_lines import type_lines
from cabinet.catalogue_admin.type_views import type_form
from cabinet.catalogue_admin.views import TypeForm
from cabinet.frame.rendering import environment
from ops.local.home import CHECKOUT
from rules.catalogue.entries import Subject, differences
from rules.forms.definitions import CaseTypeDefinition
from rules.refusals import Refusal
from services.catalogue_admin.kinds import Entry
from services.catalogue_admin.types import checked_type
from tests.shared.tabs import forms_of
from words.translation import Presentation, presented

SHIPPED = {
    one["key"]: CaseTypeDefinition.model_validate(one).model_dump(mode="json")
    for name in ("types.yaml", "requests.yaml")
    for one in yaml.safe_load((CHECKOUT / "ops" / "data" / name).read_text("utf-8"))["types"]
}
ADDRESSEES = {one["addressee"] for one in SHIPPED.values()}
GROUND = FormChoices([Entry(Subject.UNIT, code, code, {}) for code in ADDRESSEES], None)
APPLICATION = SHIPPED["qualification"]
SECOND = APPLICATION["sections"][1]["title"]


def made(draft: TypeDraft, before: dict[str, Any] = APPLICATION) -> dict[str, Any]:
    """The definition of a draft, checked as it would be saved."""
    values, places = type_forms.values_of(draft, before)
    try:
        return checked_type(values, before.get("version", 1))
    except Refusal as refusal:
        raise type_forms.at_fields(refusal, places) from refusal


def told(draft: TypeDraft, before: dict[str, Any] = APPLICATION) -> dict[str, str]:
    """What is wrong, by field."""
    with pytest.raises(Refusal) as refused:
        made(draft, before)
    return {one.path: one.message for one in refused.value.fields}


def shown(
    draft: TypeDraft, errors: dict[str, str] | None = None, *, known: bool = True
) -> TypeForm:
    """The form of a draft as it is drawn."""
    with presented(Presentation("ru")):
        return type_form(draft, errors or {}, GROUND, "", known=known, file_url="")


def posted(draft: TypeDraft, before: dict[str, Any] = APPLICATION) -> TypeDraft:
    """The draft after the page was drawn and sent back, as a browser sends it."""
    with presented(Presentation("ru")):
        macros = environment().get_template("catalogue_admin/type.html").make_module()
        drawn = macros.type_form(shown(draft))  # type: ignore[attr-defined]
    sent = forms_of(f"<form action=''>{drawn}</form>")[""]
    return type_forms.read({name: values[-1] for name, values in sent.items()}, before)


@pytest.mark.parametrize("key", SHIPPED)
def test_a_type_that_is_opened_and_saved_is_the_same(key: str) -> None:
    """Nothing is lost of what the form shows and of what it does not, for every shipped type:
    whether it is looked at first, a part of each kind is added, or it is refused in between."""
    before = SHIPPED[key]
    draft = posted(posted(type_forms.opened(before), before), before)
    assert made(draft, before) == before
    added = [type_forms.act(draft, what, at) for what, at in
             (("section", ""), ("field", "s0"), ("document", ""))]  # fmt: skip
    draft = posted(draft, before)
    wrong = told(draft, before)
    assert {path.partition("-")[0] for path in wrong} == {*added, f"{added[0]}f0"}
    assert set(wrong) <= set(shown(draft, wrong).labels)
    draft = posted(draft, before)
    options = [one for section in draft.sections for one in section.fields
               if one.typed["kind"] == "choice"]  # fmt: skip
    for one in options:
        one.typed["choices"] += "\nЕщё один"
    for path in added:
        type_forms.act(draft, "aside", path)
    after = made(posted(draft, before), before)
    for one in (one for section in after["sections"] for one in section["fields"]):
        if one["kind"] == "choice":
            assert one["choices"].pop()["label"] == "Ещё один"
    assert after == before


def test_fields_are_added_moved_changed_and_put_aside() -> None:
    """All of it in one draft: the definition has it, and the differences say it in words."""
    draft = type_forms.opened(APPLICATION)
    there = type_forms.act(draft, "field", "s1")
    new = draft.at(there)
    assert new is not None
    new.typed |= {"label": "Номер телефона в отделении", "kind": "choice", "choices": "12\n34"}
    assert type_forms.act(draft, "up", there) == "s1f4"
    assert type_forms.act(draft, "aside", "s1f0") == "s1f0"
    changed = draft.at("s0f3")
    assert changed is not None
    changed.typed["hint"] = "Любой день"
    assert type_forms.act(draft, "down", "s0f3") == "s1f0"
    assert type_forms.act(draft, "up", "s0") == "s0"
    after = made(posted(draft))
    names = [[one["name"] for one in section["fields"]] for section in after["sections"]]
    assert names[0] == ["course_title", "hours", "organisation"]
    assert names[1] == [
        "starts_on",
        "position",
        "snils",
        "inn",
        "nomer_telefona_v_otdelenii",
        "phone",
    ]
    field = after["sections"][1]["fields"][4]
    assert [one["label"] for one in field["choices"]] == ["12", "34"]
    with presented(Presentation("ru")):
        lines = type_lines(
            differences(APPLICATION, after), FormChoices((), None), APPLICATION, after
        )
    said = {path: (old, new) for path, old, new in lines}
    assert said[f"{SECOND}: Номер телефона в отделении: Тип значения"] == ("", "Выбор из списка")
    assert said[f"{SECOND}: Специальность: Название поля"] == ("Специальность", "")
    assert not [path for path in said if "sections" in path or "applicant" in path]


def test_only_another_order_differs_too() -> None:
    """A field that only moved is told: else the page would say that nothing changes."""
    draft = type_forms.opened(APPLICATION)
    type_forms.act(draft, "down", "s1f2")
    with presented(Presentation("ru")):
        after = made(draft)
        lines = type_lines(
            differences(APPLICATION, after), FormChoices((), None), APPLICATION, after
        )
    (path, old, new) = lines[0]
    assert path == f"{SECOND}: Поля"
    assert (old.index("СНИЛС") < old.index("ИНН"), new.index("СНИЛС") < new.index("ИНН")) == (
        True,
        False,
    )


def test_mistakes_are_told_at_their_fields() -> None:
    """Each with what to write; a part that is put aside has none."""
    draft = type_forms.opened({})
    draft.head |= {"key": "Отпуск", "kind": "request"}
    empty = told(draft, {})
    assert set(empty) <= set(shown(draft, known=False).labels)
    assert {"title", "addressee", "key", "channel", "answer"} <= set(empty)
    assert {"s0-title", "s0f0-label"} <= set(empty)
    draft = type_forms.opened(APPLICATION)
    for path, typed in {
        "s1f0": {"choices": " "},
        "s0f1": {"min": "два"},
        "s0f3": {"max": "позже", "not_before": "graduation"},
        "s1f1": {"locked": "true", "prefill": "", "max_length": "0"},
        "s2f0": {"choices": "Среднее\nВысшее\nСреднее"},
    }.items():
        part = draft.at(path)
        assert part is not None
        part.typed |= typed
    added = type_forms.act(draft, "document", "")
    question = draft.head["checklist"].splitlines()[0]
    draft.head["checklist"] += f"\n{question}"
    wrong = told(draft)
    assert set(wrong) == {
        "s1f0-choices", "s0f1-min", "s0f3-max", "s0f3-not_before", "s1f1-prefill",
        "s1f1-max_length", "s2f0-choices", f"{added}-kind", f"{added}-title", "checklist",
    }  # fmt: skip
    assert set(wrong) <= set(shown(draft).labels)
    assert wrong["checklist"] == f"Строка повторяется: {question}"
    draft.head["checklist"] = draft.head["checklist"].removesuffix(f"\n{question}")
    for path in ("s2f0", "s1f0", "s0f1", "s0f3", "s1f1", added):
        type_forms.act(draft, "aside", path)
    made(draft)
    form = shown(draft, {"s1f0-choices": "!"})
    assert [part.open for part, _fields in form.sections] == [False, True, False, False, False]
    assert form.labels["s1f0-choices"] == "Специальность: Варианты"
    # What only the definition knows is told at the field too.
    draft = type_forms.opened(APPLICATION)
    draft.sections[1].typed["name"] = "Not a name"
    assert set(told(draft)) == {"s1-title"}


def test_choices_keep_their_values() -> None:
    """Cases were answered with them: a new wording is the same choice, a new line another one."""
    draft = type_forms.opened(APPLICATION)
    part = draft.at("s2f0")
    assert part is not None
    lines = part.typed["choices"].splitlines()
    part.typed["choices"] = "\n".join(["Колледж", *lines[1:]])
    stood = [one["value"] for one in APPLICATION["sections"][2]["fields"][0]["choices"]]
    assert [one["value"] for one in made(draft)["sections"][2]["fields"][0]["choices"]] == stood
    part.typed["choices"] = "\n".join(["Курсы", *lines])
    values = [one["value"] for one in made(draft)["sections"][2]["fields"][0]["choices"]]
    assert values == ["kursy", *stood]


def test_reminders_without_a_term_are_told_and_not_dropped() -> None:
    """A programme's own reminders belong to a term of its own: the form asks for it."""
    typed = {"code": "C", "hours": "1", "certified_hours": "1", "review_reminders": "3"}
    with presented(Presentation("ru")), pytest.raises(Refusal) as refused:
        PROGRAMMES.values(typed, Shown(PROGRAMMES, NEW, None, GROUND))
    assert {"review", "answer"} <= {one.path for one in refused.value.fields}
