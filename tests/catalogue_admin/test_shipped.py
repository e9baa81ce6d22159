"""The files that ship are loaded again: what administrators have changed stays, and is named."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from ops.data.seed import CATALOGUE, seed_database
from rules.catalogue.entries import Subject
from services.catalogue.loading import Loaded, load
from services.catalogue_admin.changes import Wish
from services.catalogue_admin.kinds import NOTHING
from services.catalogue_admin.shipped import load_shipped
from settings import Settings
from tests.catalogue_admin.test_changes import TERMS, TYPE, newest, wish
from tests.shared.administration import SHIPPED, Admins

FILES = sorted(CATALOGUE.glob("*.yaml"))
DAY = {"day": "2027-01-11", "working": False, "source": "Приказ по больнице"}


async def loaded_again(admins: Admins, *files: Path) -> Loaded:
    """What an upgrade with these files does; with none, with those that ship."""
    async with admins.database.work() as session:
        return await load_shipped(session, files or FILES, "Europe/Moscow")


async def codes(admins: Admins) -> list[str]:
    """The codes of two programmes that ship."""
    shipped = yaml.safe_load((CATALOGUE / "programmes.yaml").read_text("utf-8"))["programmes"]
    return [one["code"] for one in shipped[:2]]


def shipped(folder: Path, **sections: Any) -> Path:
    """A file of a later release."""
    file = folder / "later.yaml"
    file.write_text(yaml.safe_dump(sections, allow_unicode=True), "utf-8")
    return file


async def test_changes_of_administrators_stay(admins: Admins) -> None:
    """A title, a withdrawal, an addition and a reason stand after the next start, and are named."""
    act, admin = admins.administration.change, admins.admin
    renamed, withdrawn = await codes(admins)
    stands = await newest(admins, Subject.PROGRAMME, renamed)
    change = {**stands.values, "title": "Наше название"}
    asked = await wish(admins, Subject.PROGRAMME, renamed)
    made = await act(admin, Subject.PROGRAMME, change, asked)
    offered = await newest(admins, Subject.PROGRAMME, withdrawn)
    asked = await wish(admins, Subject.PROGRAMME, withdrawn, offered=False)
    await act(admin, Subject.PROGRAMME, offered.values, asked)
    added = {**stands.values, "code": "OUR-036"}
    await act(admin, Subject.PROGRAMME, added, Wish(uuid4(), NOTHING))
    reason = await newest(admins, Subject.REASON, "approve_fits")
    asked = await wish(admins, Subject.REASON, reason.key)
    await act(admin, Subject.REASON, {**reason.values, "text": "Нашими словами."}, asked)
    own = {**reason.values, "key": "our_reason"}
    await act(admin, Subject.REASON, own, Wish(uuid4(), NOTHING))
    told = await loaded_again(admins)
    assert not told
    assert set(told.left) == {
        f"programmes {renamed}",
        f"programmes {withdrawn}",
        "reasons approve_fits",
    }
    assert await newest(admins, Subject.PROGRAMME, renamed) == made
    assert not (await newest(admins, Subject.PROGRAMME, withdrawn)).offered
    assert (await newest(admins, Subject.PROGRAMME, "OUR-036")).offered
    assert (await newest(admins, Subject.REASON, reason.key)).values["text"] == "Нашими словами."
    assert (await newest(admins, Subject.REASON, "our_reason")).offered


async def test_what_nobody_has_changed_is_taken(admins: Admins, tmp_path: Path) -> None:
    """A later release changes what is as it shipped, and leaves the day that was entered here."""
    await admins.administration.change(admins.admin, Subject.DAY, DAY, Wish(uuid4(), NOTHING))
    days = [{**DAY, "working": True}, {**DAY, "day": "2027-01-12"}]
    told = await loaded_again(admins, shipped(tmp_path, calendar=days))
    assert (told.added, told.changed, told.left) == (["2027-01-12"], [], ["calendar 2027-01-11"])
    assert not (await newest(admins, Subject.DAY, "2027-01-11")).values["working"]


async def test_a_type_with_a_version_of_its_own_does_not_stop_a_start(
    admins: Admins, tmp_path: Path
) -> None:
    """A release brings the same number with another definition: the institution's stays, and a
    programme that asks for what only the release's type knows waits too."""
    made = await admins.change_terms(TYPE, TERMS, await wish(admins, Subject.TYPE, TYPE))
    kinds = yaml.safe_load((CATALOGUE / "types.yaml").read_text("utf-8"))["types"]
    kinds[0] |= {"version": SHIPPED + 1, "title": "Заявка нового выпуска"}
    choices = kinds[0]["sections"][1]["fields"][0]["choices"]
    choices.append({"value": "astrology", "label": "Астрология"})
    programmes = yaml.safe_load((CATALOGUE / "programmes.yaml").read_text("utf-8"))["programmes"]
    programmes[0]["specialties"] = ["astrology"]
    file = shipped(tmp_path, types=kinds, programmes=programmes)
    told = await loaded_again(admins, file)
    assert not told
    assert set(told.left) == {f"types {TYPE}", f"programmes {programmes[0]['code']}"}
    assert await newest(admins, Subject.TYPE, TYPE) == made
    assert (await newest(admins, Subject.PROGRAMME, programmes[0]["code"])).offered


async def test_a_file_loaded_over_a_change_ends_it(admins: Admins) -> None:
    """What an institution loads itself is its later word: from then on releases are taken again."""
    reason = await newest(admins, Subject.REASON, "approve_fits")
    asked = await wish(admins, Subject.REASON, reason.key)
    change = {**reason.values, "text": "Нашими словами."}
    await admins.administration.change(admins.admin, Subject.REASON, change, asked)
    async with admins.database.work() as session:
        assert (await load(session, FILES)).changed == ["approve_fits"]
    told = await loaded_again(admins)
    assert not told
    assert told.left == []


async def test_seeding_says_what_it_left(admins: Admins, settings: Settings) -> None:
    """One line for whoever starts Medcab; none where nothing was left."""
    lines: list[str] = []
    plain = settings.model_copy(update={"demo": False})
    await seed_database(admins.database, plain, lines.append)
    assert lines == []
    code, _ = await codes(admins)
    stands = await newest(admins, Subject.PROGRAMME, code)
    asked = await wish(admins, Subject.PROGRAMME, code, offered=False)
    await admins.administration.change(admins.admin, Subject.PROGRAMME, stands.values, asked)
    await seed_database(admins.database, plain, lines.append)
    assert lines == [f"Left as administrators have changed it: programmes {code}"]
