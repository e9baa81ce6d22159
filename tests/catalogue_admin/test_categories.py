"""Categories of credentials as administrators change them: a form, a preview, a version (O6)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from cabinet.catalogue_admin.fields import FormChoices
from cabinet.catalogue_admin.room import Shown
from cabinet.catalogue_admin.rooms.categories import CATEGORIES
from cabinet.catalogue_admin.views import Editor
from ops.data.seed import CATALOGUE
from rules.catalogue.entries import Subject
from rules.clock import now
from rules.credentials.categories import CategoryDefinition
from rules.refusals import Refusal
from services.catalogue.files import read_files
from services.catalogue_admin import entries
from services.catalogue_admin.changes import Wish
from services.catalogue_admin.kinds import NOTHING, Entry
from services.catalogue_admin.shipped import load_shipped
from services.credentials import categories
from tests.catalogue_admin.test_changes import newest, wish
from tests.shared.administration import Admins

GROUND = FormChoices([], None)


def shown(key: str) -> Shown:
    """The page of a category that ships."""
    (one,) = [
        each for each in read_files([CATALOGUE / "credentials.yaml"]).credentials if each.key == key
    ]
    entry = Entry(Subject.CATEGORY, key, one.title, one.definition, one.version)
    return Shown(CATEGORIES, key, entry, GROUND)


@pytest.mark.parametrize("key", ["diploma", "accreditation", "licence", "course", "other"])
def test_the_form_loses_nothing(key: str) -> None:
    """What ships comes back as it was, as the next version."""
    page = shown(key)
    made = CATEGORIES.asked(CATEGORIES.typed(page), page, None)
    assert made == {**page.values, "version": page.values["version"] + 1}


def test_the_last_day_comes_and_goes_with_the_answer() -> None:
    """Whether a category ends decides about the field; what every one needs cannot be left out."""
    page = shown("licence")
    typed = CATEGORIES.typed(page)
    endless = CATEGORIES.asked({**typed, "end": "none"}, page, None)
    assert "valid_until" not in [one["name"] for one in endless["form"]]
    always = CATEGORIES.asked({**typed, "end": "required"}, page, None)
    last = CategoryDefinition.model_validate(always).fields["valid_until"]
    assert (last.required, last.not_before) == (True, "issued_on")
    new = Shown(CATEGORIES, "new", None, GROUND)
    begun = {**CATEGORIES.typed(new), "key": "permit", "title": "Пропуск", "group": "Допуски"}
    begun |= {"about": "name", "end": "required", "known_to": "none", "validation": "hand"}
    begun |= {"document": "other", "needed_for": "doctor"}
    made = CategoryDefinition.model_validate(CATEGORIES.asked(begun, new, None))
    assert [*made.fields] == ["name", "number", "issuer", "issued_on", "valid_until"]
    assert [role.value for role in made.needed_for] == ["doctor"]
    with pytest.raises(Refusal) as refused:
        CATEGORIES.asked({**begun, "s0f1-aside": "true"}, new, None)
    assert [one.path for one in refused.value.fields] == ["title"]
    with pytest.raises(Refusal) as refused:
        CATEGORIES.asked({**begun, "s0f0-label": "", "title": ""}, new, None)
    assert refused.value.fields


def test_a_field_is_added_and_moved_on_the_page() -> None:
    """Every button posts the whole draft; the preview follows it."""
    page = shown("licence")
    typed = {**CATEGORIES.typed(page), "do": "field s0"}
    added = CATEGORIES.acted(typed, page)
    assert added is not None
    place = next(n for n in range(20) if f"s0f{n}-name" not in added) - 1
    added = {**added, f"s0f{place}-label": "Кем продлён", "do": f"up s0f{place}"}
    moved = CATEGORIES.acted(added, page)
    assert moved is not None
    made = CATEGORIES.asked(moved, page, None)
    assert [one["name"] for one in made["form"]][-2:] == ["kem_prodlen", "valid_until"]
    editor = CATEGORIES.drawn(Editor("", "", "", "", "", ""), moved, page, {})
    assert editor.form is not None
    ((section, fields),) = editor.form.sections
    assert section.at == "s0"
    assert not {one.name.split("-")[1] for part in fields for one in part.fields} & {
        "prefill",
        "locked",
    }
    assert CATEGORIES.drafted(moved, page) is not None


async def test_a_version_is_published_for_a_day_and_stands_against_files(admins: Admins) -> None:
    """Credentials are asked by the new one from its day on; the files that ship leave it alone."""
    act, stands = admins.administration.change, await newest(admins, Subject.CATEGORY, "licence")
    later = (now() + timedelta(days=30)).date()
    change = {**stands.values, "hint": "Нашими словами"}
    asked = await wish(admins, Subject.CATEGORY, "licence", valid_from=later)
    made = await act(admins.admin, Subject.CATEGORY, change, asked)
    assert (made.version, made.waits) == (stands.next_version, True)
    assert await act(admins.admin, Subject.CATEGORY, change, asked) == made
    stale = Wish(uuid4(), stands.digest)
    with pytest.raises(Refusal, match="changed_meanwhile"):
        await act(admins.admin, Subject.CATEGORY, {**change, "hint": "Иначе"}, stale)
    with pytest.raises(Refusal, match="incomplete"):
        await act(
            admins.admin,
            Subject.CATEGORY,
            {**change, "about": "colour"},
            await wish(admins, Subject.CATEGORY, "licence"),
        )
    new = {**stands.values, "key": "permit", "version": 1, "title": "Пропуск"}
    await act(admins.admin, Subject.CATEGORY, new, Wish(uuid4(), NOTHING))
    async with admins.database.work() as session:
        offered = await categories.offered(session)
        assert (offered["licence"].version, offered["permit"].title) == (stands.version, "Пропуск")
        told = await entries.history(session, Subject.CATEGORY, "licence")
        assert [(one.version, one.valid_from.date() >= later - timedelta(1)) for one in told] == [
            (made.version, True)
        ]
        left = (await load_shipped(session, sorted(CATALOGUE.glob("*.yaml")), "Europe/Moscow")).left
        assert not left
    assert (await newest(admins, Subject.CATEGORY, "licence")).version == made.version
