"""The proof of the inspection of files proves something (assurance: files)."""

import tarfile
from pathlib import Path
from random import Random

from ops.corpus import found, run
from ops.corpus.active import ACTIVE
from ops.corpus.kinds import KINDS, Must
from ops.corpus.writing import disguised
from rules.files.checks import Code
from tests.files.samples import born_digital, photo


async def test_files_of_many_kinds_end_as_they_must() -> None:
    """None is an error, kills a process, or acts and passes; active ones are refused as active."""
    light = [kind for kind in KINDS if not kind.active and not kind.heavy]
    kinds = [kind for kind in KINDS if kind.active] + light[::2]
    outcome = await run.prove(files=len(kinds), seed=7, kinds=kinds)
    assert outcome.faults == []
    assert [row.tried for row in outcome.rows] == [1] * len(kinds)
    for row in outcome.rows:
        if row.kind.active:
            assert set(row.reasons) - {Code.DAMAGED}, row.kind.name


def test_a_run_fails_by_each_of_its_figures() -> None:
    """One error, one dead process, one that is released or a good one refused too many fails it."""
    good, bad = (next(one for one in KINDS if one.must is must) for must in (Must.GOOD, Must.BAD))

    def faults(**figures: int) -> list[str]:
        row = run.Row(bad, 9)
        for name, number in figures.items():
            setattr(row, name, number)
        return run.CorpusResult([run.Row(good, 100, refused=2), row]).faults

    assert faults() == []
    assert faults(errors=1) == ["1 server errors"]
    assert faults(dead=1) == ["1 dead processes"]
    assert faults(released=1, accepted=1) == ["1 active files released", "1 bad files accepted"]
    refused = run.CorpusResult([run.Row(good, 100, refused=3)])
    assert refused.faults == ["3 of 100 good files refused"]
    assert run.CorpusResult([]).faults == ["0 of 0 good files refused"]


async def test_what_others_collected_is_judged_by_others(tmp_path: Path) -> None:
    """Of a folder and of an archive: what acts never counts as sound, and must not pass."""
    rng = Random(3)  # noqa: S311 - no secret
    folder, packed = tmp_path / "theirs", tmp_path / "theirs.tar.gz"
    folder.mkdir()
    names = [name for name in ACTIVE if name in ("Launch", "EmbeddedFile", "XFA")]
    for place, name in enumerate(names):
        content = disguised(ACTIVE[name](rng), rng)
        assert found.acts(content), name
        (folder / f"{place}.pdf").write_bytes(content)
    (folder / "good.PDF").write_bytes(born_digital())
    (folder / "photo.jpg").write_bytes(photo())
    (folder / "note.txt").write_text("nothing")
    with tarfile.open(packed, "w:gz") as archive:
        archive.add(folder, "theirs-1.0")
    assert [name for name, _ in found.files_of(packed)] != []
    outcome = await found.prove([("folder", folder), ("archive", packed)])
    assert outcome.faults == []
    told = {row.kind.name: (row.tried, row.accepted) for row in outcome.rows}
    assert told == {
        f"{name}, {what}": counts
        for name in ("folder", "archive")
        for what, counts in (
            ("PDF, sound", (1, 1)),
            ("PDF, others", (3, 0)),
            ("JPEG, sound", (1, 1)),
        )
    }
