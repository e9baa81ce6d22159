"""The form of a type as it is drawn: parts that open, fields with their errors, what may move."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
from cabinet.frame.views import FieldView
from rules.cases.kinds import process_of
from rules.forms.fields import FieldKind
from words.translation import gettext as _


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
    drawing = _Drawing(draft, errors, choices, shown)
    head = [*HEAD] if known else [*FIRST, *HEAD]
    if not known or process_of(draft.head["kind"]).has_addressee:
        head += OF_REQUEST
    last = len(draft.documents) - 1
    return TypeForm(
        drawing.fields(head, draft.head),
        [drawing.section(place, one) for place, one in enumerate(draft.sections)],
        [
            drawing.part(
                f"d{place}", one, DOCUMENT, _("Новый документ"), (place == 0, place == last)
            )
            for place, one in enumerate(draft.documents)
        ],
        drawing.fields(LAST, draft.head),
        file_url,
    )


def fields_form(
    draft: TypeDraft, errors: Mapping[str, str], choices: FormChoices, shown: str
) -> TypeForm:
    """A form of fields alone: of what a person's file fills in nothing is asked."""
    drawing = _Drawing(draft, errors, choices, shown, frozenset({"prefill", "locked"}))
    section, fields = drawing.section(0, draft.sections[0])
    hidden = [(f"s0-{name}", text) for name, text in draft.sections[0].typed.items()]
    return TypeForm((), [(replace(section, hidden=hidden), fields)], (), (), fields_only=True)


@dataclass(frozen=True)
class _Drawing:
    """Draws the parts of one draft, with the errors that belong to them."""

    draft: TypeDraft
    errors: Mapping[str, str]
    choices: FormChoices
    shown: str
    unasked: frozenset[str] = frozenset()

    def fields(self, asked: Sequence[EntryField], typed: Typed, at: str = "") -> list[FieldView]:
        return [one.drawn(typed, self.choices, at=at, errors=self.errors) for one in asked]

    def section(self, place: int, section: TypedPart) -> tuple[PartView, list[PartView]]:
        """A section with its fields: a field at the end of it goes on into the next one."""
        at, first, last = f"s{place}", place == 0, place + 1 == len(self.draft.sections)
        fields = [
            self.part(
                f"{at}f{number}",
                one,
                self._asked_of(one),
                _("Новое поле"),
                (first and number == 0, last and number + 1 == len(section.fields)),
            )
            for number, one in enumerate(section.fields)
        ]
        drawn = self.part(at, section, SECTION, _("Новый раздел"), (first, last))
        return replace(drawn, open=drawn.open or any(one.open for one in fields)), fields

    def _asked_of(self, part: TypedPart) -> list[EntryField]:
        """What is asked of a field of this kind.

        A new one may become a choice: the page knows what it is only after it was posted.
        """
        kind, dates = part.typed["kind"], self._other_dates(part)
        may_be_choice = kind == FieldKind.TEXT and not part.typed["name"]
        return [
            replace(one, options=lambda _choices: dates) if one.name == "not_before" else one
            for one in FIELD
            if one.name not in self.unasked
            and (
                kind in ONLY_FOR.get(one.name, [kind]) or (one.name == "choices" and may_be_choice)
            )
        ]

    def _other_dates(self, part: TypedPart) -> dict[str, str]:
        others = {
            one.typed["name"]: one.typed["label"]
            for section in self.draft.sections
            for one in section.fields
            if one is not part and one.typed["kind"] == FieldKind.DATE and one.typed["name"]
        }
        return {"": _("Не сравнивать"), **others}

    def part(
        self,
        at: str,
        part: TypedPart,
        asked: Sequence[EntryField],
        fallback: str,
        ends: tuple[bool, bool],
    ) -> PartView:
        """A part with its fields; `ends`: whether it stands first, and last, on the page."""
        fields, drawn = self.fields(asked, part.typed, at), {one.name for one in asked}
        return PartView(
            at=at,
            title=part.typed["label" if "label" in part.typed else "title"].strip() or fallback,
            note=_note(part),
            fields=fields,
            # What is not drawn for this kind is posted all the same: nothing typed is lost.
            hidden=[(f"{at}-{n}", text) for n, text in part.typed.items() if n not in drawn],
            aside=part.aside,
            open=self.shown == at
            or self.shown.startswith(f"{at}f")
            or any(view.error for view in fields),
            focus=self.shown == at,
            first=ends[0],
            last=ends[1],
        )


def _note(part: TypedPart) -> str:
    kind = FIELD_KINDS.get(part.typed.get("kind", ""))
    words = [_(kind)] if kind else []
    if part.typed.get("required") == "":
        words.append(_("необязательно"))
    return ", ".join(words)
