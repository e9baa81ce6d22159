"""Obtaining programs that no wheel brings (O3)."""

import http.server
import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ops.local.home import CHECKOUT
from ops.local.servers import ServerFailed, binaries
from ops.local.servers.binaries import Program

# Stands for Go: says a new version, and "builds" a program that can say its own.
# Of its three packages one is compiled already.
GO = """#!/bin/sh
[ "$1" = version ] && { echo "go version go1.27.3 linux/amd64"; exit 0; }
[ -n "$GOROOT" ] && { echo "GOROOT is set"; exit 1; }
echo "go: downloading something"
[ "$2" = -n ] && {
  for each in one two; do echo "/go/compile -o \\$WORK/$each.a -p $each"; done
  echo "cat >\\$WORK/b001/importcfg.link << 'EOF' # internal"
  for each in one two kept; do echo "packagefile $each=\\$WORK/$each.a"; done
  echo EOF; echo "packagefile not=linked"; exit 0; }
echo "one"; sleep "${GO_TAKES:-0}"; echo "two"; sleep "${GO_LINKS:-0}"; echo x >> "$GO_COUNT"
printf '#!/bin/sh\\necho %s\\n' "$3" > "$GOBIN/thing"
"""
BROKEN_GO = """#!/bin/sh
[ "$1" = version ] && { echo "go version go1.27.3 linux/amd64"; exit 0; }
echo "thing: undefined: everything"; exit 2
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own PATH with a `go`, and an own cache."""
    folder = tmp_path / "bin"
    folder.mkdir()
    put(folder / "go", GO)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GO_COUNT", str(tmp_path / "count"))
    monkeypatch.setenv("GOROOT", "/somewhere/else")
    return folder


def put(file: Path, content: str) -> None:
    """Write a program."""
    file.write_text(content)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def thing(download: str | None = None) -> Program:
    """The program that is wanted."""
    return Program("thing", "1.2", "example.org/thing@v1.2", download)


@pytest.fixture
def downloads(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that is served, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_path_comes_first(path: Path, tmp_path: Path) -> None:
    """A program that the machine has is used, and nothing is built."""
    put(path / "thing", "#!/bin/sh\n")
    assert thing().obtain(print) == path / "thing"
    assert not (tmp_path / "count").exists()


def test_it_is_built_once_and_kept_outside_the_checkout(path: Path, tmp_path: Path) -> None:
    """The second start takes it from the cache, whose path names the version."""
    steps: list[str] = []
    first = thing().obtain(steps.append)
    assert first == tmp_path / "cache" / "medcab" / "thing-1.2" / "thing"
    assert subprocess.check_output([first], text=True).strip() == "example.org/thing@v1.2"
    counted = ["building: 2 of 3 packages", "building: 3 of 3 packages"]
    told = [step.partition(",")[0] for step in steps]
    assert told == ["fetching the sources", *counted, "linking"]
    assert thing().obtain(print) == first
    assert (tmp_path / "count").read_text() == "x\n"


def test_two_starts_at_once_build_once(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits for the first."""
    monkeypatch.setenv("GO_TAKES", "1")
    code = (
        "from ops.local.servers.binaries import Program\n"
        "print(Program('thing', '1.2', 'example.org/thing@v1.2').obtain(lambda text: None))"
    )
    command = [sys.executable, "-c", code]
    both = [
        subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) for _ in "12"
    ]
    told = {process.communicate(timeout=60)[0] for process in both}
    assert len(told) == 1
    assert (tmp_path / "count").read_text() == "x\n"


def test_an_official_download_is_preferred_to_building(
    path: Path, tmp_path: Path, downloads: tuple[Path, str]
) -> None:
    """Minutes of building are spared where the network allows."""
    folder, address = downloads
    program = b"#!/bin/sh\necho downloaded\n"
    with tarfile.open(folder / "thing.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("thing")
        member.size, member.mode = len(program), 0o755
        archive.addfile(member, io.BytesIO(program))
    found = thing(f"{address}/thing.tar.gz").obtain(print)
    assert subprocess.check_output([found], text=True) == "downloaded\n"
    assert not (tmp_path / "count").exists()


@pytest.mark.parametrize("left", ["nothing", "rubbish"])
def test_without_a_good_download_it_is_built(
    path: Path, tmp_path: Path, downloads: tuple[Path, str], left: str
) -> None:
    """A missing page or a broken archive only costs the time of building."""
    folder, address = downloads
    if left == "rubbish":
        (folder / "thing.tar.gz").write_bytes(b"<html>sign in to this network</html>")
    steps: list[str] = []
    assert os.access(thing(f"{address}/thing.tar.gz").obtain(steps.append), os.X_OK)
    assert any("building instead" in step for step in steps)
    assert (tmp_path / "count").exists()


def test_a_failed_build_leaves_nothing_and_says_the_remedy(path: Path, tmp_path: Path) -> None:
    """The last lines of the build are shown; the next start tries again."""
    put(path / "go", BROKEN_GO)
    with pytest.raises(ServerFailed, match=r"undefined: everything[\s\S]*on the PATH"):
        thing().obtain(print)
    assert [each.name for each in (tmp_path / "cache/medcab/thing-1.2").iterdir()] == [".lock"]
    put(path / "go", GO)
    assert thing().obtain(print).exists()


def test_a_build_is_given_up_when_it_stands_still_and_not_while_it_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine may take hours; a standstill is told with what to do, and ends the build."""
    monkeypatch.setattr(binaries, "STANDSTILL_BUILD", 1.0)
    monkeypatch.setenv("GO_TAKES", "60")
    with pytest.raises(ServerFailed, match=r"nothing new for .*is kept, so start again"):
        thing().obtain(print)
    monkeypatch.setattr(binaries, "STANDSTILL_BUILD", 5.0)
    monkeypatch.setenv("GO_TAKES", "3")
    monkeypatch.setenv("GO_LINKS", "3")
    assert thing().obtain(print).exists()


def test_a_build_without_an_end_is_given_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says, it is not waited for without an end."""
    monkeypatch.setattr(binaries, "BUILD_WITHIN", 1.0)
    monkeypatch.setenv("GO_TAKES", "60")
    with pytest.raises(ServerFailed, match=r"took more than .* start again"):
        thing().obtain(print)


def test_what_does_not_run_here_is_not_kept(path: Path, tmp_path: Path) -> None:
    """A program for another machine never enters the cache."""
    put(path / "go", GO.replace("echo %s", "exit 1"))
    with pytest.raises(ServerFailed, match="does not run here"):
        thing().obtain(print)
    assert not (tmp_path / "cache/medcab/thing-1.2/thing").exists()
