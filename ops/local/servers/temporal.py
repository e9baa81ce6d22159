"""Temporal's official development server, with its pages and a database file."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.visibility import SEARCH_ATTRIBUTES
from ops.local.home import Home
from ops.local.servers import Launch
from ops.local.servers.binaries import TEMPORAL
from ops.local.servers.ports import LOOPBACK, choose_port, return_port
from ops.local.servers.pulse import pulse

NAMESPACE = "default"
KNOWN_WITHIN = 60.0
PULSE_WITHIN = 10.0
# How long a closed case stays visible in Temporal; the development server's own is one day.
RETENTION = timedelta(days=30)
# The cabinet shows the pages of Temporal below its own address, so they are of one origin with the
# path at which payloads are decoded, and bring the person's session along.
PAGES_PATH = "/temporal"
CODEC_PATH = "/codec"
# The server has one connection to its file. A commit that meets a reader's lock fails there and
# leaves its transaction open, so that no other can begin any more. With a write-ahead log, readers
# (the backup is one) block no writer. The log is not flushed at every commit: what a power cut
# takes is made up for like a lost signal (docs/decisions/temporal-server.md).
PRAGMAS = {"journal_mode": "wal", "busy_timeout": "10000", "synchronous": "normal"}
# Its one file takes one commit at a time, so a second processor would mostly wake the first one:
# see docs/decisions/idle.md.
ONE_PROCESSOR = {"GOMAXPROCS": "1"}
DYNAMIC = {
    # Each task that a workflow gets is looked for in the file, by default at most twenty times a
    # second: on a busy server each step of a case waited for 50 ms.
    "history.transferProcessorMaxPollRPS": 1000,
    # A worker may begin the activity that it has just asked for.
    "system.enableActivityEagerExecution": True,
    # All namespaces are read anew so often, and ours hardly ever changes.
    "system.namespaceCacheRefreshInterval": "10s",
}


class Temporal:
    """One development server; in memory when it has no database file."""

    name = "temporal"
    ready_within = 60.0

    def __init__(
        self,
        home: Home,
        port: int | None = 7233,
        pages_port: int | None = 8233,
        *,
        in_memory: bool = False,
        codec: str | None = None,
    ) -> None:
        self.home = home
        self.preferred = (port, pages_port)
        self.port = self.pages_port = 0
        self.in_memory = in_memory
        self.codec = codec
        self._program: Path | None = None

    @property
    def address(self) -> str:
        """The address of its pages."""
        return f"http://{LOOPBACK}:{self.pages_port}"

    @property
    def target(self) -> str:
        """Host and port for programs."""
        return f"{LOOPBACK}:{self.port}"

    def obtain(self, say: Callable[[str], None]) -> None:
        """From the PATH, the cache, the download or the source."""
        self._program = TEMPORAL.obtain(say)

    def prepare(self) -> None:
        """Choose both ports."""
        for port in (self.port, self.pages_port):
            return_port(port)
        self.port, self.pages_port = map(choose_port, self.preferred)
        (self.home.folder / "temporal").mkdir(mode=0o700, exist_ok=True)

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The server with its pages, the search attributes and the codec server."""
        del environment
        command = [str(self._program or TEMPORAL.find() or TEMPORAL.name), "server", "start-dev"]
        command += ["--ip", LOOPBACK, "--port", str(self.port), "--ui-port", str(self.pages_port)]
        command += ["--log-level", "warn", "--disable-config-env", "--disable-config-file"]
        for key, value in SEARCH_ATTRIBUTES.items():
            command += ["--search-attribute", f"{key}={value}"]
        for name, chosen in DYNAMIC.items():
            command += ["--dynamic-config-value", f"{name}={json.dumps(chosen)}"]
        if not self.in_memory:
            command += ["--db-filename", str(self.home.folder / "temporal" / "temporal.db")]
            for key, value in PRAGMAS.items():
                command += ["--sqlite-pragma", f"{key}={value}"]
        if self.codec:
            command += ["--ui-public-path", PAGES_PATH, "--ui-codec-endpoint", self.codec]
        folder = str(self.home.folder / "temporal")
        return Launch(command, {"PATH": os.defpath, "HOME": folder, **ONE_PROCESSOR})

    def ready(self, pid: int) -> bool:
        """Whether it hands out a task and takes the result: with a broken file it still answers."""
        del pid
        try:
            asyncio.run(asyncio.wait_for(pulse(self.target, NAMESPACE), PULSE_WITHIN))
        except (RuntimeError, RPCError, TimeoutError):
            return False
        return True

    def works(self, pid: int) -> bool:
        """Like `ready`."""
        return self.ready(pid)

    def settle(self) -> None:
        """Keep closed cases longer than a day."""
        asyncio.run(prepare_namespace(self.target, NAMESPACE))

    def variables(self) -> dict[str, str]:
        """Where programs and people find it."""
        return {
            "TEMPORAL_ADDRESS": self.target,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "MEDCAB_TEMPORAL_UI_URL": self.address,
        }


async def prepare_namespace(target: str, namespace: str) -> None:
    """Make a namespace with the search attributes and at least the retention that Medcab needs.

    Safe to repeat; a longer retention is left as it is. Raises RPCError.
    """
    client = await Client.connect(target, namespace=namespace)
    retention = Duration()
    retention.FromTimedelta(RETENTION)
    asked = DescribeNamespaceRequest(namespace=namespace)
    try:
        told = await client.workflow_service.describe_namespace(asked)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=namespace, workflow_execution_retention_period=retention
            )
        )
        told = await _once_known(client, asked)
    if told.config.workflow_execution_retention_ttl.seconds < retention.seconds:
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=namespace,
                config=NamespaceConfig(workflow_execution_retention_ttl=retention),
            )
        )
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=namespace)
    )
    missing = {
        name: IndexedValueType.Value(f"INDEXED_VALUE_TYPE_{kind.upper()}")
        for name, kind in SEARCH_ATTRIBUTES.items()
        if name not in known.custom_attributes
    }
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=namespace, search_attributes=missing)
        )


async def _once_known(client: Client, asked: DescribeNamespaceRequest) -> DescribeNamespaceResponse:
    """Wait until all parts of the server know a new namespace, which takes some seconds."""
    deadline = time.monotonic() + KNOWN_WITHIN
    while True:
        try:
            await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=asked.namespace)
            )
            return await client.workflow_service.describe_namespace(asked)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND or time.monotonic() > deadline:
                raise
        await asyncio.sleep(1)
