"""The form of a type as it is drawn: parts that open, fields with their errors, what may move."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cabinet.catalogue_admin.fields import EntryField, FormChoices, Typed
from cabinet.catalogue_admin.type_fields import (
    DOCUMENT,
    FIELD,
    FIELD_KINDS,
    FIRST,
    HEAD,
    LAST,
    OF_REQUEST,
    ONLY_FOR,
    SECTION,
)
from cabinet.catalogue_admin.type_forms import TypedPart, TypeDraft
from cabinet.catalogue_admin.views import PartView, TypeForm
from cabinet.frame.views import FieldView, Option
from rules.cases.kinds import process_of
from rules.forms.fields import FieldKind
from words.translation import gettext as _


class _Drawing:
    """Draws fields of one draft with the errors that belong to them."""

    def __init__(self, draft: TypeDraft, errors: Mapping[str, str], choices: FormChoices) -> None:
        self.draft, self.errors, self.choices = draft, errors, choices

    def _drawn(self, fields: Sequence[EntryField], typed: Typed, at: str = "") -> list[FieldView]:
        return [one.drawn(typed, self.choices, at=at, errors=self.errors) for one in fields]

    def head(self, *, known: bool) -> list[FieldView]:
        asked = [*HEAD] if known else [*FIRST, *HEAD]
        if not known or process_of(self.draft.head["kind"]).has_addressee:
            asked += OF_REQUEST
        return self._drawn(asked, self.draft.head)

    def rest(self) -> list[FieldView]:
        return self._drawn(LAST, self.draft.head)

    def section(self, at: str, part: TypedPart) -> list[FieldView]:
        return self._drawn(SECTION, part.typed, at)

    def document(self, at: str, part: TypedPart) -> list[FieldView]:
        return self._drawn(DOCUMENT, part.typed, at)

    def field(self, at: str, part: TypedPart) -> list[FieldView]:
        asked = [one for one in FIELD if _is_asked(one.name, part)]
        return [
            replace(view, options=self._dates(part)) if view.name == f"{at}-not_before" else view
            for view in self._drawn(asked, part.typed, at)
        ]

    def _dates(self, part: TypedPart) -> list[Option]:
        others = [
            Option(one.typed["name"], one.typed["label"])
            for section in self.draft.sections
            for one in section.fields
            if one is not part and one.typed["kind"] == FieldKind.DATE and one.typed["name"]
        ]
        return [Option("", _("Не сравнивать")), *others]

    def part(
        self,
        at: str,
        part: TypedPart,
        fields: Sequence[FieldView],
        shown: str,
        *,
        fallback: str,
        title: str = "title",
        ends: tuple[bool, bool],
    ) -> PartView:
        drawn = {view.name.rpartition("-")[2] for view in fields}
        return PartView(
            at=at,
            title=part.typed[title].strip() or fallback,
            note=self._note(part),
            fields=fields,
            # What is not drawn for this kind is posted all the same: nothing typed is lost.
            hidden=[(f"{at}-{n}", text) for n, text in part.typed.items() if n not in drawn],
            aside=part.aside,
            open=shown == at or shown.startswith(f"{at}f") or any(view.error for view in fields),
            focus=shown == at,
            first=ends[0],
            last=ends[1],
        )

    def _note(self, part: TypedPart) -> str:
        kind = part.typed.get("kind", "")
        words = _(FIELD_KINDS[FieldKind(kind)]) if kind in set(FieldKind) else ""
        optional = "required" in part.typed and not part.typed["required"]
        return ", ".join(filter(None, (words, _("необязательно") if optional else "")))


def _is_asked(name: str, part: TypedPart) -> bool:
    """Whether this is asked of a field of its kind.

    A new one may become a choice: the page knows what it is only after it was posted.
    """
    kind = part.typed["kind"]
    may_be_choice = kind == FieldKind.TEXT and not part.typed["name"]
    return name not in ONLY_FOR or kind in ONLY_FOR[name] or (name == "choices" and may_be_choice)


def type_form(
    draft: TypeDraft,
    errors: Mapping[str, str],
    choices: FormChoices,
    shown: str,
    *,
    known: bool,
    file_url: str,
) -> TypeForm:
    """The form of a draft; the part at `shown` is open and has the focus."""
    drawing = _Drawing(draft, errors, choices)
    last = len(draft.sections) - 1
    sections = []
    for place, section in enumerate(draft.sections):
        at = f"s{place}"
        end = len(section.fields) - 1
        fields = [
            drawing.part(
                f"{at}f{number}",
                one,
                drawing.field(f"{at}f{number}", one),
                shown,
                fallback=_("Новое поле"),
                title="label",
                ends=(place == number == 0, place == last and number == end),
            )
            for number, one in enumerate(section.fields)
        ]
        drawn = drawing.part(
            at,
            section,
            drawing.section(at, section),
            shown,
            fallback=_("Новый раздел"),
            ends=(place == 0, place == last),
        )
        sections.append((replace(drawn, open=drawn.open or any(x.open for x in fields)), fields))
    documents = [
        drawing.part(
            f"d{place}",
            one,
            drawing.document(f"d{place}", one),
            shown,
            fallback=_("Новый документ"),
            ends=(place == 0, place + 1 == len(draft.documents)),
        )
        for place, one in enumerate(draft.documents)
    ]
    return TypeForm(drawing.head(known=known), sections, documents, drawing.rest(), file_url)
