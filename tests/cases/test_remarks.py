"""After a clarification one is led from remark to remark, and sees which are answered."""

from datetime import date
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

from cabinet.cases.attachments import _slot
from cabinet.cases.filling import Editing
from rules.cases.process import CaseKind, Status
from rules.forms.definitions import AttachmentRule, Section
from rules.forms.fields import Field
from services.dossier.page import CasePage
from words.translation import Presentation, presented

SECTIONS = [
    Section(name=name, title=name, fields=(Field(name=field, label=field),))
    for name, field in (("about", "snils"), ("study", "hours"), ("grounds", "purpose"))
]
RULES = [
    AttachmentRule(kind="diploma", title="Диплом"),
    AttachmentRule(kind="other", title="Другое", required=False),
]
REMARKS = {"snils": "Проверьте", "purpose": "Подробнее", "diploma": "Не видно", "other": "Уберите"}
SENT = [("diploma", "old"), ("other", "odd")]


def answering(data: dict[str, str], *attached: tuple[str, str]) -> Editing:
    """A draft of an answer with these values and documents."""
    fields = {field.name: field for section in SECTIONS for field in section.fields}
    sent: Any = SimpleNamespace(
        data={"snils": "1", "hours": "36", "purpose": "Нужно"},
        attachments=[SimpleNamespace(kind=k, document_version_id=v) for k, v in SENT],
    )
    page = SimpleNamespace(
        case=SimpleNamespace(id="1", kind=CaseKind.APPLICATION, status=Status.CLARIFICATION),
        definition=SimpleNamespace(sections=SECTIONS, fields=fields),
        attachment_rules=RULES,
        newest=sent,
    )
    given = [{"kind": k, "document_version_id": v} for k, v in attached]
    shown = {**sent.data, **data}
    return Editing(cast("CasePage", page), shown, given, REMARKS, date(2026, 11, 29))


def test_one_is_led_from_remark_to_remark() -> None:
    """Past what was not asked for, to the next that waits for an answer, at last to the check."""
    edited = answering({"snils": "2"}, *SENT)
    draft = "/applications/1/draft"
    assert edited.following(1) == f"{draft}/grounds#group-purpose"
    assert edited.following(3) == f"{draft}/attachments#slot-diploma"
    assert edited.following(4) == f"{draft}/check"
    done = answering({"purpose": "Открываем кабинет"}, ("diploma", "new"))
    assert done.following(1) == f"{draft}/check"


def test_a_replaced_file_answers_its_remark() -> None:
    """Another document does, or taking away one that need not be there; an empty place does not."""
    assert answering({}, *SENT).answered == frozenset()
    assert answering({}, ("diploma", "new"), SENT[1]).answered == {"diploma"}
    assert answering({"purpose": "Иначе"}, SENT[0]).answered == {"purpose", "other"}
    assert answering({}, SENT[1]).answered == frozenset()


def test_the_task_list_says_where_a_remark_stands() -> None:
    """Also when it is answered; a section without one keeps its own hint."""
    edited = answering({"purpose": "Иначе"}, *SENT)
    with presented(Presentation()):
        said = [edited.remarked([name]) for name in ("snils", "hours", "purpose")]
    assert said == ["У отдела кадров есть вопрос", "", "Замечание учтено"]


def test_only_papers_of_the_kind_are_offered_again() -> None:
    """One of another kind is not; one that has no category of its own comes last, unmarked."""
    known: Any = [
        SimpleNamespace(
            category=category,
            title=category,
            version=SimpleNamespace(id=category, file_name="a.pdf", size=1, uploaded_at=None),
        )
        for category in ("workplace_reference", "other", "diploma")
    ]
    with presented(Presentation()):
        slot = _slot(RULES[0], uuid4(), [], {}, known, set(), {}, (), {}, False)
    assert [(one.title, one.fits) for one in slot.candidates] == [
        ("diploma", True),
        ("other", False),
    ]
