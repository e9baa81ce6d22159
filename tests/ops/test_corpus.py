"""The proof of the inspection of files proves something (assurance: files)."""

from ops.corpus import run
from ops.corpus.kinds import KINDS, Must
from rules.files.checks import Code


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
