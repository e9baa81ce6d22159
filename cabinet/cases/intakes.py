"""Intakes on pages: as a choice in a draft, in the catalogue, beside a case."""

from collections.abc import Iterable
from datetime import date

from cabinet.cases.filling import Editing
from cabinet.cases.lines import field_view
from cabinet.frame.views import FieldView, Option
from rules.catalogue.intakes import FIELD, Intake
from rules.forms.fields import Field, check_field
from services.dossier.page import CasePage, Version
from words import formats
from words.translation import gettext as _


def intake_view(edited: Editing, field: Field, error: str, remark: str) -> FieldView:
    """The choice among the intakes that still take applications, and the one chosen before."""
    value, _wrong = check_field(field, edited.data.get(field.name))
    chosen = str(value or "")
    open_ = [one for one in edited.page.intakes if one.apply_until >= edited.today]
    kept = [one for one in edited.page.intakes if one.starts_on.isoformat() == chosen]
    shown = sorted({*open_, *kept}, key=lambda one: one.starts_on)
    view = field_view(field, None, error, remark)
    return FieldView(
        name=view.name,
        label=view.label,
        kind="choice",
        value=chosen,
        hint=_("Когда вы начнёте учиться") if shown else _("Наборы на эту программу закончились"),
        error=view.error,
        options=[
            Option(one.starts_on.isoformat(), formats.day(one.starts_on), limits(one))
            for one in shown
        ],
        remark=view.remark,
    )


def limits(intake: Intake) -> str:
    """Until when one may apply, and how many places are left."""
    until = _("заявки до %(day)s включительно") % {"day": formats.day(intake.apply_until)}
    if intake.left is None:
        return until
    if intake.left == 0:
        return _("%(until)s, мест не осталось") % {"until": until}
    free = {"until": until, "left": intake.left, "places": intake.places}
    return _("%(until)s, свободно мест: %(left)s из %(places)s") % free


def told(intakes: Iterable[Intake], today: date) -> list[tuple[str, str]]:
    """The intakes that still take applications: the day, and the limits."""
    return [
        (formats.day(one.starts_on), limits(one)) for one in intakes if one.apply_until >= today
    ]


def chosen_fact(page: CasePage, version: Version | None) -> list[tuple[str, str]]:
    """The intake that a version asks for, as a line of the facts of its case."""
    day = version.data.get(FIELD) if version else None
    return [
        (_("Набор"), f"{formats.day(one.starts_on)}, {limits(one)}")
        for one in page.intakes
        if one.starts_on.isoformat() == day
    ]
