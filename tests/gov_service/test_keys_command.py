"""`medcab module-keys`, and what `medcab doctor` says of keys that end (O2, O3)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from typer.testing import CliRunner, Result

from crypto.certificates import as_pem
from ops import doctor
from ops.cli import app
from ops.doctor import CheckOutcome, CheckResult
from ops.local.home import Home
from services.gov_service.keys import ensure_key_folders, gov_service_folder, keys_in, our_folder

Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home in which nothing runs."""
    monkeypatch.setenv("MEDCAB_HOME", str(tmp_path))
    return Home(tmp_path)


@pytest.fixture
def medcab(home: Home) -> Run:
    """Runs a command of `medcab module-keys` in this home."""
    return lambda *words: CliRunner().invoke(app, ["module-keys", *words])


def test_an_installation_renews_its_key_in_three_steps(medcab: Run, home: Home) -> None:
    """Made and printed, then used, then the old one retired; no step is taken by itself."""
    first = medcab("rotate")
    assert "BEGIN CERTIFICATE" in first.stdout
    assert "PRIVATE" not in first.stdout
    second = medcab("rotate")
    assert "module-keys use k2" in second.stdout
    ring = keys_in(our_folder(home.folder), "standard")
    assert ring.key_ring().current == "k1"
    assert [line.split()[1:3] for line in medcab("list").stdout.splitlines()[1:]] == [
        ["k2", "announced"],
        ["k1", "signs"],
    ]
    assert medcab("use", "k2").exit_code == 0
    assert "opens only" in medcab("list").stdout
    assert medcab("retire", "k2", "--yes").exit_code == 1
    assert medcab("retire", "k1", "--yes").exit_code == 0
    assert [key.id for key in ring.key_ring().own] == ["k2"]


def test_certificates_of_the_module_are_taken_in_and_forgotten(
    medcab: Run, home: Home, tmp_path: Path
) -> None:
    """By file, and by what `list` shows of them."""
    medcab("rotate")
    ensure_key_folders(tmp_path / "elsewhere")
    theirs = keys_in(gov_service_folder(tmp_path / "elsewhere"), "standard").key_ring().signing
    (tmp_path / "module.pem").write_text(as_pem(theirs.certificate))
    assert medcab("trust", str(tmp_path / "module.pem")).exit_code == 0
    assert medcab("trust", str(tmp_path / "nothing.pem")).exit_code == 1
    shown = next(line for line in medcab("list").stdout.splitlines() if "theirs" in line)
    assert medcab("distrust", shown.split()[1]).exit_code == 0
    assert medcab("distrust", shown.split()[1]).exit_code == 1


def test_a_demo_renews_both_ends_at_once(medcab: Run, home: Home) -> None:
    """The simulated module takes the new certificate in, so the key is used at once."""
    ensure_key_folders(home.folder)
    assert "k2 signs from now on" in medcab("rotate").stdout
    module = keys_in(gov_service_folder(home.folder), "standard").key_ring()
    ours = keys_in(our_folder(home.folder), "standard").key_ring()
    assert ours.signing.certificate in module.theirs


@pytest.mark.parametrize(
    ("days", "verdict"), [(0, CheckOutcome.GOOD), (710, CheckOutcome.NOTE), (740, CheckOutcome.BAD)]
)
def test_doctor_sees_keys_that_end(home: Home, days: int, verdict: CheckOutcome) -> None:
    """A month before it is a note with the remedy, afterwards it is bad."""
    ensure_key_folders(home.folder)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days)):
        finding = keys_finding(home)
    assert finding.verdict is verdict
    assert ("rotate" in finding.remedy) is (verdict is not CheckOutcome.GOOD)


def test_doctor_says_what_gost_lacks(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch is on, the engine is not there: bad, with the package's name."""
    monkeypatch.setenv("MEDCAB_MODULE_CRYPTO", "gost")
    monkeypatch.setattr("services.gov_service.keys_gost.gost_works", lambda: False)
    finding = keys_finding(home)
    assert finding.verdict is CheckOutcome.BAD
    assert "libengine-gost-openssl" in finding.remedy


def keys_finding(home: Home) -> CheckResult:
    """What doctor says of the keys."""
    return next(each for each in doctor._gov_service_keys(home))
