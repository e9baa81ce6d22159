"""The front door speaks TLS 1.3 and nothing older (I10)."""

import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from crypto.front_door import LIFE, RENEWED_BEFORE, lasts
from ops.local import certificates
from ops.local.certificates import CERTIFICATE, door_folder
from ops.local.home import CHECKOUT, Home
from ops.local.servers.asking import answers
from ops.local.servers.medcab import Door
from ops.local.system import System
from rules.clock import now
from tests.shared.servers import KEYS, NOWHERE


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The door of a home that asked for TLS, with a process behind it."""
    home = Home(tmp_path_factory.mktemp("home"))
    given = {"MEDCAB_TLS": "1", "MEDCAB_KEYS": KEYS}
    system = System(home, given=given, usual=False)
    made = system.door
    nowhere = {
        "DATABASE_URL": f"postgresql://nobody@{NOWHERE}/none",
        "TEMPORAL_ADDRESS": NOWHERE,
        "S3_SECRET_KEY": "nobody listens",
        "MEDCAB_DEMO": "false",
    }
    listening = made.socket.fileno()
    process = subprocess.Popen(
        [sys.executable, "-m", "ops.cli", "api", "--socket", str(listening)],
        cwd=CHECKOUT,
        env={"PATH": os.defpath, **system.environment, **nowhere},
        pass_fds=[listening],
    )
    end = time.monotonic() + 60
    while not answers(f"{made.address}/health/live", made.authority):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.1)
    yield made
    process.terminate()
    process.wait(30)
    system.stop()


def handshake(door: Door, context: ssl.SSLContext) -> str | None:
    """The version that both sides agree on. Raises OSError."""
    with (
        socket.create_connection(("127.0.0.1", door.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()


@pytest.mark.asvs("12.1.1")
@pytest.mark.asvs("12.1.2")
def test_nothing_older_than_tls_1_3_is_spoken(door: Door) -> None:
    """A browser that knows the authority comes in; who insists on 1.2, by whatever cipher, not."""
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known.load_verify_locations(door.authority)
    assert handshake(door, known) == "TLSv1.3"
    known.maximum_version = ssl.TLSVersion.TLSv1_2
    known.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        handshake(door, known)
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(door, ssl.create_default_context())


@pytest.mark.asvs("12.2.1")
@pytest.mark.asvs("4.1.2")
def test_there_is_no_way_round_tls(door: Door) -> None:
    """Plain http is not answered, not even by a way to https; what is answered asks for https."""
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{door.port}/sign-in", trust_env=False)
    trusted = ssl.create_default_context(cafile=door.authority)
    with httpx.Client(verify=trusted, trust_env=False, base_url=door.address) as browser:
        page = browser.get("/sign-in")
    assert page.headers["strict-transport-security"].startswith("max-age=31536000")
    cookies = page.headers.get_list("set-cookie")
    assert cookies
    assert all(one.startswith("__Host-") and "; Secure" in one for one in cookies)


def test_the_certificate_is_made_once_and_anew_before_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is its owner's alone, and no key of the authority is left."""
    home = Home(tmp_path / "home")
    home.make()
    folder = door_folder(home)
    first = (folder / CERTIFICATE).read_bytes()
    assert door_folder(home).joinpath(CERTIFICATE).read_bytes() == first
    assert [path.name for path in folder.iterdir() if "PRIVATE" in path.read_text()] == ["door.key"]
    assert (folder / "door.key").stat().st_mode & 0o777 == 0o600
    assert lasts(first, now())
    later = now() + LIFE - RENEWED_BEFORE + timedelta(hours=1)
    monkeypatch.setattr(certificates, "now", lambda: later)
    assert door_folder(home).joinpath(CERTIFICATE).read_bytes() != first
