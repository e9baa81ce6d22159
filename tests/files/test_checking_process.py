"""Files are read in a process whose death harms nobody (assurance: files)."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import pikepdf
import psutil
import pytest
from pikepdf import Dictionary, Name

from rules.files.checks import LIMITS, Code, MediaType
from services.files.inspection import warden
from services.files.inspection.client import Inspection, InspectionDownError
from tests.files import samples as s
from tests.files.checking import as_file, checked
from tests.shared.waiting import until

PDF = MediaType.PDF


async def test_file_that_hangs_is_killed_and_nothing_else() -> None:
    """Past its seconds a check is killed; another that runs beside it is not disturbed."""
    # Room enough, so that the seconds end before the memory does.
    hasty = Inspection(replace(LIMITS, seconds=4, memory=8 * 1024**3))
    try:
        await hasty.start()
        report, other = await asyncio.gather(
            checked(hasty, _slow_page(), PDF), checked(hasty, s.pdf(), PDF)
        )
        assert [finding.code for finding in report.findings] == [Code.TOOK_TOO_LONG]
        assert other.good
        assert (await checked(hasty, s.born_digital(), PDF)).good
    finally:
        await hasty.close()


def _slow_page() -> bytes:
    """A page that takes minutes to draw: forms that call each other twenty deep."""

    def add(document: pikepdf.Pdf) -> None:
        below = document.make_stream(
            b"0 0 9 9 re f " * 200, Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 99, 99]
        )
        for _ in range(12):
            below = document.make_stream(
                b"/A Do " * 12,
                Type=Name.XObject,
                Subtype=Name.Form,
                BBox=[0, 0, 99, 99],
                Resources=Dictionary(XObject=Dictionary(A=below)),
            )
        page = document.pages[0].obj
        page.Resources = Dictionary(XObject=Dictionary(A=below))
        page.Contents = document.make_stream(b"/A Do")

    return s.pdf(add)


@pytest.mark.asvs("15.2.2")
async def test_file_that_eats_memory_harms_only_its_check() -> None:
    """A check cannot have more memory than its limit; the next file is checked as ever."""
    poor = Inspection(replace(LIMITS, memory=160 * 1024 * 1024))
    try:
        report = await checked(poor, s.bomb("/FlateDecode", "/FlateDecode"), PDF)
        assert [finding.code for finding in report.findings] == [Code.TOO_HEAVY]
        assert (await checked(poor, s.born_digital(), PDF)).good
    finally:
        await poor.close()


@pytest.mark.parametrize("sample", [s.pdf, s.photo])
def test_no_check_loads_what_the_warden_could_have_loaded(sample: Callable[[], bytes]) -> None:
    """Each child would load it anew; the warden has done so before the first file comes."""
    told = subprocess.run(
        [sys.executable, "-c", _LOADED_BY_A_CHECK],
        input=sample(),
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(warden.__file__).parents[3],
    )
    assert json.loads(told.stdout) == {"findings": [], "loaded": []}


_LOADED_BY_A_CHECK = """
import dataclasses, json, os, sys
from rules.files.checks import LIMITS
from services.files.inspection import warden
warden.warm_up()
known = set(sys.modules)
with open(os.memfd_create("sample"), "w+b") as file:
    file.write(sys.stdin.buffer.read())
    file.seek(0)
    asked = {"limits": dataclasses.asdict(LIMITS), "claims": [], "minimum_dpi": None}
    findings = warden.examine(file, asked)["findings"]
print(json.dumps({"findings": findings, "loaded": sorted(set(sys.modules) - known)}))
"""


async def test_checking_process_that_died_is_started_again(inspection: Inspection) -> None:
    """Losing the process loses at most the checks under way; the next file is checked again."""
    process = inspection._process
    assert process is not None
    process.kill()
    await process.wait()
    assert (await checked(inspection, s.born_digital(), PDF)).good


async def test_check_under_way_when_the_process_dies_says_so() -> None:
    """Without its process nothing is known of a file, and it is not called good."""
    lonely = Inspection()
    try:
        await lonely.start()
        process = lonely._process
        assert process is not None
        under_way = asyncio.create_task(checked(lonely, _slow_page(), PDF))
        await asyncio.sleep(0.3)
        process.kill()
        with pytest.raises(InspectionDownError):
            await under_way
    finally:
        await lonely.close()


async def test_many_at_once(inspection: Inspection) -> None:
    """Files are checked side by side, each with its own answer."""
    good, bad = s.born_digital(), s.action(b"/S /Launch /F (x)")
    reports = await asyncio.gather(
        *(checked(inspection, bad if number % 3 == 0 else good, PDF) for number in range(24))
    )
    assert [report.good for report in reports] == [number % 3 != 0 for number in range(24)]


async def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid)


async def test_a_child_serves_one_person_alone_and_ends_with_the_first_bad_file() -> None:
    """Files of one person may share a child; what a file leaves behind meets nobody else's."""
    inspection = Inspection()
    try:
        await inspection.start()
        assert inspection._process is not None
        process = psutil.Process(inspection._process.pid)

        async def waiting_after(content: bytes, giver: UUID | None) -> set[int]:
            with as_file(content) as file:
                report = await inspection.examine(file, [PDF], None, giver)
                assert report.good is (content == good)
            return {one.pid for one in process.children()}

        good, bad = s.born_digital(), s.action(b"/S /Launch /F (x)")
        doctor, nurse = uuid4(), uuid4()
        [first] = await waiting_after(good, doctor)
        assert await waiting_after(good, doctor) == {first}
        [second] = await waiting_after(good, nurse) - {first}
        assert await waiting_after(bad, doctor) == {second}
        assert await waiting_after(good, None) == {second}
        for _ in range(warden.FILES_EACH - 2):
            assert await waiting_after(good, nurse) == {second}
        os.kill(second, signal.SIGKILL)
        others = await waiting_after(good, nurse)
        await until(partial(_is_gone, second))
        [third] = await waiting_after(good, doctor) - others
        for _ in range(warden.FILES_EACH - 1):
            assert psutil.pid_exists(third)
            await waiting_after(good, doctor)
        await until(partial(_is_gone, third))
        for _ in range(warden.WAITING + 2):
            await waiting_after(good, uuid4())

        async def crowd_is_gone() -> bool:
            return len(process.children()) == warden.WAITING

        await until(crowd_is_gone)
    finally:
        await inspection.close()


@pytest.mark.asvs("13.3.2")
async def test_the_checking_process_knows_no_secrets(inspection: Inspection) -> None:
    """Whoever breaks into it finds none of our environment there."""
    process = inspection._process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()  # noqa: ASYNC240
    names = {line.partition(b"=")[0] for line in environment.split(b"\0") if line}
    assert names <= {b"PYTHONPATH", b"PATH", b"LC_ALL"}
