"""Definitions that nobody means well: short texts that stand for endless ones, odd values."""

import asyncio
import time
from uuid import uuid4

import pytest

from rules.catalogue.entries import Subject
from rules.refusals import Refusal
from services.catalogue_admin.changes import Wish
from services.catalogue_admin.kinds import NOTHING
from tests.catalogue_admin.test_changes import code_of_programme, newest, wish
from tests.shared.administration import Admins

TYPE = """types:
  - key: odd
    version: {version}
    kind: request
    title: {title}
    addressee: hr
    channel: desk
    answer: message
    sections:
      - name: main
        title: Главное
        fields:
          - {{name: amount, label: Сколько, kind: number, max: {most}}}
"""
WELL = {"version": "1", "title": "Справка", "most": "10"}


def nested(line: str) -> str:
    """A text of two hundred aliases that stands for thousands of millions of entries."""
    lines = ["    x: &a0 {k: 1}"]
    lines += [f"    x{n}: &a{n + 1} {line % ', '.join([f'*a{n}'] * 9)}" for n in range(10)]
    return "\n".join(["types:", "  - key: odd", *lines])


HOSTILE = {
    "aliases of lists": nested("[%s]"),
    "aliases that are merged": nested("{<<: [%s]}"),
    "a list in itself": "types:\n  - &a\n    key: odd\n    x: *a\n",
    "brackets without end": "types: " + "[" * 20_000,
    "a version without end": TYPE.format(**{**WELL, "version": "9" * 5000}),
    "a version beyond all columns": TYPE.format(**{**WELL, "version": "1" * 15}),
    "a number in sixties": TYPE.format(**{**WELL, "version": "1" + ":1" * 3000}),
    "a bound that no JSON holds": TYPE.format(**{**WELL, "most": "9" * 19}),
    "a NUL": TYPE.format(**{**WELL, "title": '"Справка \\0"'}),
    "half a character": TYPE.format(**{**WELL, "title": '"Справка \\ud800"'}),
    "a day that is none": TYPE.format(**{**WELL, "most": "!!timestamp 2026-13-45"}),
    "a truth that is none": TYPE.format(**{**WELL, "title": "!!bool перевод"}),
    "a moment that is none": TYPE.format(**{**WELL, "title": "!!timestamp завтра"}),
    "a number of nothing": TYPE.format(**{**WELL, "version": "!!int ''"}),
    "a fraction beyond all": TYPE.format(**{**WELL, "most": "1" + ":1" * 400 + ".5"}),
    "a first day before all zones": TYPE.format(
        **{**WELL, "version": "1\n    valid_from: 0001-01-01"}
    ),
    "a first day after all zones": TYPE.format(
        **{**WELL, "version": "1\n    valid_from: 9999-12-31"}
    ),
    "a text too long": TYPE.format(**WELL) + "#" * 70_000,
}


@pytest.mark.asvs("1.3.3")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_what_is_no_definition_is_refused_at_once(admins: Admins, text: str) -> None:
    """O6: neither the process nor the database is burdened, and the author reads what is wrong."""
    began = time.process_time()
    with pytest.raises(Refusal) as refused:
        await admins.administration.tried(admins.admin, Subject.TYPE, {"key": "odd", "text": text})
    assert refused.value.status == 422
    # Of the processor, and a hundred times what it takes: what has no bound takes for ever.
    assert time.process_time() - began < 60


async def test_the_same_text_without_its_oddities_is_taken(admins: Admins) -> None:
    """What the others are refused for is their oddity alone."""
    text = TYPE.format(**WELL)
    told = await admins.administration.tried(
        admins.admin, Subject.TYPE, {"key": "odd", "text": text}
    )
    assert told.entry.key == "odd"


@pytest.mark.parametrize("parent", [["hr"], {"code": "hr"}, 5])
async def test_a_unit_above_that_is_no_code_is_refused(admins: Admins, parent: object) -> None:
    """O6: whatever stands where a code should, the field is named."""
    values = {"code": "hr", "name": "Отдел кадров", "time_zone": "Europe/Moscow", "parent": parent}
    with pytest.raises(Refusal) as refused:
        await admins.administration.change(
            admins.admin, Subject.UNIT, values, await wish(admins, Subject.UNIT, "hr")
        )
    assert [one.path for one in refused.value.fields] == ["parent"]


@pytest.mark.parametrize("zone", ["Europe/Mars", "Moscow", "../etc/passwd", "", None, 3])
async def test_a_unit_of_no_zone_is_refused(admins: Admins, zone: object) -> None:
    """O6: terms and days of its people could not be told; the field is named, in words."""
    values = {"code": "hr", "name": "Отдел кадров", "time_zone": zone, "parent": "institution"}
    with pytest.raises(Refusal) as refused:
        await admins.administration.change(
            admins.admin, Subject.UNIT, values, await wish(admins, Subject.UNIT, "hr")
        )
    [wrong] = refused.value.fields
    assert (wrong.path, wrong.message) == ("time_zone", "Такого часового пояса нет.")


@pytest.mark.parametrize(
    ("day", "words"), [("0001-01-01", "Не меньше"), ("9999-12-31", "Не больше")]
)
async def test_an_intake_beyond_the_calendar_is_refused(
    admins: Admins, day: str, words: str
) -> None:
    """O6: no day before it could be the last one to apply, and the catalogue could not be shown."""
    stands = await newest(admins, Subject.PROGRAMME, await code_of_programme(admins))
    values = {**stands.values, "starts_on": [day], "intake_limits": {}}
    with pytest.raises(Refusal) as refused:
        await admins.administration.change(
            admins.admin, Subject.PROGRAMME, values, Wish(uuid4(), stands.digest)
        )
    [wrong] = refused.value.fields
    assert wrong.path == "starts_on"
    assert wrong.message.startswith(words)


async def test_one_id_for_several_entries_at_once_is_one_change(admins: Admins) -> None:
    """O6: whichever comes first is saved; the other is refused, and nothing breaks."""
    act_id, admin = uuid4(), admins.admin
    days = [{"day": f"2027-03-0{n}", "working": True, "source": "Приказ"} for n in (1, 2, 3)]
    found = await asyncio.gather(
        *(
            admins.administration.change(admin, Subject.DAY, day, Wish(act_id, NOTHING))
            for day in days
        ),
        return_exceptions=True,
    )
    refused = [one.code for one in found if isinstance(one, Refusal)]
    assert refused == ["act_id_reused"] * 2
