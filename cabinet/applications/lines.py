"""Turns programmes of the catalogue into what pages show."""

from collections.abc import Sequence

from cabinet.applications.views import ProgrammeView
from rules.catalogue.programmes import KINDS, ProgrammeFacts
from rules.clock import now
from rules.forms.definitions import AttachmentRule, CaseTypeDefinition, merged_terms
from words import formats
from words.translation import current
from words.translation import gettext as _


def programme_view(
    programme: ProgrammeFacts,
    rules: Sequence[AttachmentRule] = (),
    definition: CaseTypeDefinition | None = None,
    requirements: Sequence[str] = (),
    draft_url: str | None = None,
    intakes: Sequence[tuple[str, str]] = (),
) -> ProgrammeView:
    """A programme as pages show it; `rules` are the documents it asks for."""
    days = merged_terms(definition, programme).review if definition else 0
    return ProgrammeView(
        id=str(programme.id),
        title=programme.title,
        type=programme.kind,
        type_word=_(KINDS.get(programme.kind, programme.kind)),
        organisation=programme.organisation,
        hours=programme.hours,
        dates=starts(programme),
        summary=programme.description,
        url=f"/programmes/{programme.id}",
        requirements=requirements,
        attachments=[_(r.title) for r in rules if r.waived_reason is None],
        waived=[(_(r.title), _(r.waived_reason)) for r in rules if r.waived_reason],
        review_days=days,
        draft_url=draft_url,
        intakes=intakes,
    )


def starts(programme: ProgrammeFacts) -> str:
    """When one may begin: the coming intakes, or any day."""
    today = now().astimezone(current().tzinfo).date()
    coming = [one.starts_on for one in programme.intakes if one.apply_until >= today]
    if not programme.starts_on:
        return _("начало в любой день")
    if not coming:
        return _("наборы этого года закончились")
    words = _("наборы: %(days)s") if len(coming) > 1 else _("набор: %(days)s")
    return words % {"days": ", ".join(formats.day(day) for day in coming[:2])}
