"""Watching is not acting: who may do what through the Temporal UI, against a real Temporal.

The HTTP API of Temporal is read from its own description, so that a request which a newer Temporal
learns is closed until the table of `rules.operation.temporal_pages` says otherwise.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from google.api import annotations_pb2  # type: ignore[import-untyped]
from google.protobuf.descriptor_pb2 import MethodOptions
from sqlmodel import select
from temporalio.api.operatorservice.v1 import service_pb2 as operator_service
from temporalio.api.workflowservice.v1 import service_pb2 as workflow_service
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError

from models.tables.journal import JournalEntry
from rules.access import Permission, Role, permissions_of
from rules.journal.entries import JournalKind
from rules.operation.temporal_pages import RULES, rule_for
from tests.operation.conftest import Door

SERVICES = (
    workflow_service.DESCRIPTOR.services_by_name["WorkflowService"],
    operator_service.DESCRIPTOR.services_by_name["OperatorService"],
)
OPEN = {
    ("POST", "/api/v1/namespaces/{}/workflows/{}/query/{}"): {Role.OPS, Role.TECHNICIAN},
    ("POST", "/api/v1/namespaces/{}/workflows/{}/terminate"): {Role.OPS},
    ("POST", "/api/v1/namespaces/{}/workflows/{}/reset"): {Role.OPS},
}
"""All that is open of what is not a GET."""
BOTH = (Role.OPS, Role.TECHNICIAN)


def offered() -> Iterator[tuple[str, str]]:
    """Every verb and path of Temporal's HTTP API."""
    for service in SERVICES:
        for method in service.methods:
            options = MethodOptions.FromString(method.GetOptions().SerializeToString())
            rule = options.Extensions[annotations_pb2.http]
            for one in (rule, *rule.additional_bindings):
                if verb := one.WhichOneof("pattern"):
                    yield verb.upper(), re.sub(r"{[^}]+}", "{}", getattr(one, verb))


async def test_of_all_that_temporal_offers_only_the_table_is_open(door: Door) -> None:
    """Each verb and path of its API and of gRPC; of each verb and length of path one is asked for
    by each of those who reach the pages, and all that are open."""
    changing = {one for one in offered() if one[0] != "GET"}
    assert len(changing) > 60
    assert set(OPEN) <= changing
    by_grpc = {
        ("POST", f"/{service.full_name}/{method.name}")
        for service in SERVICES
        for method in service.methods
    }
    for verb, path in changing | by_grpc:
        rule = rule_for(verb, filled(path), "default")
        roles = {role for role in BOTH if rule and rule.permission in permissions_of(role)}
        assert roles == OPEN.get((verb, path), set()), (verb, path)
    closed = (changing | by_grpc) - set(OPEN)
    asked = {(verb, path.count("/")): (verb, path) for verb, path in sorted(closed)}
    assert len(asked) > 10
    for role in BOTH:
        browser = await door.browser_of(role)
        for verb, path in (*asked.values(), *OPEN):
            # Nothing of this name is there, so that what is let through changes nothing.
            reply = await browser.request(verb, f"/temporal{filled(path)}", json={})
            shut = reply.status_code in (403, 405)
            assert shut is (role not in OPEN.get((verb, path), set())), (verb, path, role)


def filled(path: str) -> str:
    """The path with names of nothing in our namespace."""
    return path.format("default", *["nobody"] * 3)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/default/workflows/started%3Fx/query/y",
        "/api/v1/namespaces/default/workflows/started%23x/query/y",
        "/api/v1/namespaces/default/workflows/a/query/..%2Fterminate",
        "/api/v1/namespaces/default/workflows/a/query/%2E%2E",
        "/api/v1/namespaces/default/workflows/a%2Fterminate%3F/query/y",
        "/api/v1/namespaces/default/workflows/a%252Fterminate%253F/query/y",
        "/api/v1/namespaces/temporal-system/workflows/a/terminate",
    ],
)
async def test_a_path_means_what_it_was_judged_by(door: Door, path: str) -> None:
    """Signs that the UI would read otherwise than we did are in no path that is passed on."""
    for role in (Role.OPS, Role.TECHNICIAN):
        browser = await door.browser_of(role)
        reply = await browser.post(f"/temporal{path}", json={})
        assert reply.status_code == 403, reply.text


@asynccontextmanager
async def started(door: Door) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    """A workflow that waits, with no worker to touch it."""
    handle = await door.temporal.start_workflow(
        "Nothing", id=f"application-{uuid4()}", task_queue=f"nobody-{uuid4()}"
    )
    yield handle
    with suppress(RPCError):
        await handle.terminate()


async def status_of(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionStatus | None:
    """How the run stands in Temporal."""
    return (await handle.describe()).status


async def acts(door: Door) -> list[JournalEntry]:
    """What the journal says was done through the pages."""
    async with door.house.container.database.work() as session:
        found = await session.exec(
            select(JournalEntry).where(JournalEntry.kind == JournalKind.TEMPORAL_ACTED.value)
        )
        return list(found.all())


async def token_of(browser: httpx.AsyncClient) -> dict[str, str]:
    """The UI's own guard against other sites, as its pages send it."""
    await browser.get("/temporal/api/v1/settings")
    return {"X-CSRF-Token": browser.cookies.get("_csrf") or ""}


async def test_who_watches_ends_nothing_and_who_operates_does(door: Door) -> None:
    """The same request: refused without a trace for one, done and journaled for the other."""
    async with started(door) as handle:
        path = f"/api/v1/namespaces/default/workflows/{handle.id}/terminate"
        for role, status in (
            (Role.TECHNICIAN, WorkflowExecutionStatus.RUNNING),
            (Role.OPS, WorkflowExecutionStatus.TERMINATED),
        ):
            browser = await door.browser_of(role)
            headers = await token_of(browser)
            reply = await browser.post(
                f"/temporal{path}", json={"reason": "cannot be replayed"}, headers=headers
            )
            assert (reply.status_code == 200) is (role is Role.OPS), reply.text
            assert await status_of(handle) == status
            assert [one.facts for one in await acts(door)] == (
                [{"path": path}] if role is Role.OPS else []
            )


async def test_nobody_signals_or_starts_through_the_pages(door: Door) -> None:
    """Not even who operates: the desk rings a case, and nobody speaks for a person by hand."""
    async with started(door) as handle:
        new = f"application-{uuid4()}"
        for role in (Role.OPS, Role.TECHNICIAN):
            browser = await door.browser_of(role)
            headers = await token_of(browser)
            at = "/temporal/api/v1/namespaces/default/workflows"
            signal = await browser.post(f"{at}/{handle.id}/signal/ring", json={}, headers=headers)
            start = await browser.post(
                f"{at}/{new}",
                json={"workflowType": {"name": "Nothing"}, "taskQueue": {"name": "nobody"}},
                headers=headers,
            )
            assert (signal.status_code, start.status_code) == (403, 403)
        history = await handle.fetch_history()
        assert len(history.events) == 2, "started, and a task for a worker"
        with pytest.raises(RPCError):
            await door.temporal.get_workflow_handle(new).describe()
    assert await acts(door) == []


@pytest.mark.parametrize("role", [Role.OPS, Role.TECHNICIAN])
async def test_the_pages_shut_the_buttons_that_would_be_refused(door: Door, role: Role) -> None:
    """The settings of the UI follow the table: no button leads to a refusal."""
    told = (await (await door.browser_of(role)).get("/temporal/api/v1/settings")).json()
    may = role is Role.OPS
    assert told["DisableWriteActions"] is not may
    assert told["WorkflowTerminateDisabled"] is not may
    assert told["WorkflowResetDisabled"] is not may
    for name in ("Cancel", "Signal", "Update"):
        assert told[f"Workflow{name}Disabled"] is True
    assert told["StartWorkflowDisabled"] is told["BatchActionsDisabled"] is True
    assert told["Codec"]["Endpoint"] == "/codec", "the rest is as the UI says"


async def test_all_that_the_pages_read_is_open_to_those_who_watch(door: Door) -> None:
    """Lists, one run with its history, schedules, workers: no page is broken by the table."""
    browser = await door.browser_of(Role.TECHNICIAN)
    async with started(door) as handle:
        here = f"/api/v1/namespaces/default/workflows/{handle.id}"
        of_run = f"{here}/run/{handle.first_execution_run_id}/history.json"
        for path in (
            "/api/v1/cluster-info",
            "/api/v1/system-info",
            "/api/v1/namespaces/default",
            "/api/v1/namespaces/default/search-attributes",
            "/api/v1/namespaces/default/workflows?query=WorkflowId%3D%22x%22",
            "/api/v1/namespaces/default/workflow-count",
            here,
            f"{here}/history",
            f"{here}/history-reverse",
            of_run,
            "/api/v1/namespaces/default/schedules",
            "/api/v1/namespaces/default/task-queues/nobody",
            "/api/v1/namespaces/default/worker-deployments",
            "/api/v1/namespaces/default/batch-operations",
            "/namespaces/default/workflows",
            f"/namespaces/default/workflows/{handle.id}/{handle.first_execution_run_id}/history",
            "/favicon.ico",
        ):
            reply = await browser.get(f"/temporal{path}")
            assert reply.status_code == 200, (path, reply.status_code)


def test_every_row_reads_or_asks_for_the_right_to_operate() -> None:
    """A row that changes something is never open to those who only watch."""
    for row in RULES:
        assert row.acts is (row.permission is Permission.OPERATE), row
    assert rule_for("GET", "/healthz", "default") is None
    assert rule_for("GET", "/auth/sso", "default") is None
    assert rule_for("POST", "/namespaces/default/workflows/a/terminate", "default") is None
