"""MinIO, built from its source (upstream offers no programs), encrypting what it stores."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from ops.local.home import CHECKOUT, Home
from ops.local.servers import Launch, ServerFailed
from ops.local.servers.asking import answers
from ops.local.servers.binaries import MINIO
from ops.local.servers.ports import LOOPBACK, choose_port, return_port
from ops.local.servers.process import ServerProcess

BUCKET = "medcab"
ACCOUNT = "medcab-application"


class Minio:
    """The object store; browsers never talk to it."""

    name = "minio"
    ready_within = 60.0

    def __init__(self, home: Home, port: int | None = 9000) -> None:
        self.home = home
        self.secrets = home.secrets()
        self.preferred = port
        self.port = 0
        self._program: Path | None = None

    @property
    def address(self) -> str:
        """The S3 endpoint."""
        return f"http://{LOOPBACK}:{self.port}"

    def obtain(self, say: Callable[[str], None]) -> None:
        """From the PATH, the cache or the source."""
        self._program = MINIO.obtain(say)

    def prepare(self) -> None:
        """Choose the port; make the data folder and the account at the first start."""
        return_port(self.port)
        self.port = choose_port(self.preferred)
        data = self.home.folder / "minio"
        if not data.exists():
            data.mkdir(mode=0o700)
            self._make_account()

    def _make_account(self) -> None:
        """Make the application's account by a server that ends, and with it what that took.

        Where it fails, `medcab migrate` makes the account.
        """
        server = ServerProcess(self, self.home.logs)
        server.start({})
        with suppress(ServerFailed):
            server.await_ready()
            subprocess.run(
                [sys.executable, "-m", "ops.local.buckets"],
                env={"PATH": os.defpath} | self.variables(),
                cwd=CHECKOUT,
                check=False,
                capture_output=True,
            )
        server.stop()

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The server without its own pages and without calls to the outside."""
        del environment
        program = str(self._program or MINIO.find() or MINIO.name)
        data = self.home.folder / "minio"
        return Launch(
            [program, "server", "--quiet", "--address", f"{LOOPBACK}:{self.port}", str(data)],
            {
                "PATH": os.defpath,
                "HOME": str(data),
                "MINIO_ROOT_USER": self.secrets.minio_user,
                "MINIO_ROOT_PASSWORD": self.secrets.minio_password,
                "MINIO_KMS_SECRET_KEY": self.secrets.minio_kms,
                "MINIO_KMS_AUTO_ENCRYPTION": "on",
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
            },
        )

    def ready(self, pid: int) -> bool:
        """Whether it says that it can read and write."""
        del pid
        return answers(f"{self.address}/minio/health/cluster")

    def works(self, pid: int) -> bool:
        """Like `ready`: it tries its disk before it answers."""
        return self.ready(pid)

    def settle(self) -> None:
        """Nothing to arrange: `medcab migrate` makes buckets and account."""

    def variables(self) -> dict[str, str]:
        """Endpoint, account, administrator and bucket."""
        return {
            "S3_ENDPOINT": self.address,
            "S3_ACCESS_KEY": ACCOUNT,
            "S3_SECRET_KEY": self.secrets.minio_account_password,
            "S3_OWNER_ACCESS_KEY": self.secrets.minio_user,
            "S3_OWNER_SECRET_KEY": self.secrets.minio_password,
            "S3_BUCKET": BUCKET,
        }
