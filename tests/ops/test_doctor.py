"""`medcab doctor` and the Chromium of the browser tests (O3)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ops import doctor
from ops.doctor import CheckOutcome, CheckResult
from ops.install import chromium
from ops.local.home import CHECKOUT, Home
from ops.local.servers import binaries


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home, and an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MEDCAB_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


def found(home: Home, subject: str) -> CheckResult:
    """What is found about a subject."""
    return next(each for each in doctor.examine(home) if each.subject == subject)


def test_it_loads_only_what_it_looks_with(home: Home) -> None:
    """It answers at once: neither the API nor what makes papers is loaded to look at a machine."""
    code = (
        "import sys; from pathlib import Path; from ops import doctor;"
        " from ops.local.home import Home;"
        " found = list(doctor.examine(Home(Path(sys.argv[1]))));"
        " dear = {'fastapi', 'typst', 'pyhanko', 'uvicorn'};"
        " print(len(found), sorted(dear & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, str(home.folder)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    number, loaded = done.stdout.split(maxsplit=1)
    assert int(number) > 5
    assert loaded.strip() == "[]"


def test_all_is_well_where_tests_run(home: Home) -> None:
    """Nothing is bad on a machine where `make test` has set itself up."""
    assert [each for each in doctor.examine(home) if each.verdict is CheckOutcome.BAD] == []


def test_without_go_it_names_the_remedy(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be had without an act of the person is bad, with the act."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(doctor, "find_go", lambda: None)
    finding = found(home, "minio")
    assert finding.verdict is CheckOutcome.BAD
    assert "make install" in finding.remedy
    monkeypatch.setattr(doctor, "find_go", binaries.find_go)
    assert found(home, "minio").verdict is CheckOutcome.NOTE


def test_a_taken_port_is_a_note(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program on a usual port stops nothing, and is told."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(doctor, "USUAL_PORTS", {"cabinet": taken})
        finding = found(home, "Ports")
    assert finding.verdict is CheckOutcome.NOTE
    assert f"{taken} (cabinet)" in finding.found


def test_secrets_that_others_can_read_are_bad(home: Home) -> None:
    """The keys of an installation are nobody else's."""
    home.make()
    home.secrets()
    assert found(home, "Folders").verdict is CheckOutcome.GOOD
    (home.folder / "secrets.json").chmod(0o644)
    assert "chmod 600" in found(home, "Secrets").remedy


def test_missing_libraries_are_bad(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that differs from the lock is not the one that was tested."""
    monkeypatch.setattr("importlib.metadata.distributions", lambda: iter(()))
    finding = found(home, "Libraries")
    assert finding.verdict is CheckOutcome.BAD
    assert finding.remedy == "make install"


def test_without_a_chromium_the_remedy_is_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Browser tests fail with what to do, they are not skipped."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.delenv("MEDCAB_CHROMIUM", raising=False)
    with pytest.raises(chromium.ChromiumMissing, match="apt-get install chromium"):
        chromium.find()
    monkeypatch.setattr(chromium, "_ways", lambda: [["sh", "-c", "echo no network; false"]])
    with pytest.raises(chromium.ChromiumMissing, match=r"Tried:\n.*(no network|No such file)"):
        chromium.find_or_install()


def test_a_chromium_that_is_there_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one named wins, then a headless shell, then the PATH, then playwright's own."""
    own = tmp_path / "chromium-1234" / "chrome-linux" / "chrome"
    own.parent.mkdir(parents=True)
    for program in (own, tmp_path / "chromium", tmp_path / "named"):
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.delenv("MEDCAB_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", os.devnull)
    assert chromium.find() == own
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find() == tmp_path / "chromium"
    shell = tmp_path / "chromium-headless-shell"
    shell.write_text("#!/bin/sh\n")
    shell.chmod(0o755)
    assert chromium.find() == shell
    assert chromium.find(whole=True) == tmp_path / "chromium"
    monkeypatch.setenv("MEDCAB_CHROMIUM", str(tmp_path / "named"))
    assert chromium.find() == tmp_path / "named"
