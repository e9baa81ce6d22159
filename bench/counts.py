"""P6: commits and events of one case, counted exactly."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.ground import Office
from bench.least import temporal
from bench.method import Bound, Figure, Interval
from models.messages import case_workflow_id

COMMITS, EVENTS = 7, 1.2
CASES = 10

APART = {
    "sessions": {"account_session", "access_token", "rate_limit", "login_attempt"},
    "views": {"record_view", "journal_pending"},
    "seals": {"journal_seal", "journal_seal_copy", "journal_pending"},
}
"""Commits that are no case's: they wrote to nothing but these tables."""

_OF_TASKS = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED,
    EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT,
}


def own(commits: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """The commits that belong to cases."""
    return [one for one in commits if not any(one <= tables for tables in APART.values())]


async def events(client: Client, workflow_id: str) -> Counter[str]:
    """The events of a run by type, those of workflow tasks left out."""
    found: Counter[str] = Counter()
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        if event.event_type not in _OF_TASKS:
            name = EventType.Name(event.event_type)
            found[name.removeprefix("EVENT_TYPE_").lower()] += 1
    return found


async def ended(client: Client, workflow_id: str) -> None:
    """Wait until the run is over: the row of the act comes before the last event."""
    async with asyncio.timeout(30):
        while (await client.get_workflow_handle(workflow_id).describe()).close_time is None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def p6(office: Office, scale: float) -> list[Figure]:
    """Whole cases one after another; exact, so there is neither control nor interval."""
    del scale
    client, log = await temporal(office.ground.settings), office.ground.log
    ours = await office.drafts(CASES)
    await office.settle()
    start = await asyncio.to_thread(log.position)
    for case_id, wire in ours:
        await office.whole(case_id, wire)
        await ended(client, case_workflow_id(case_id))
    await office.settle()
    end = await asyncio.to_thread(log.position)
    commits = own(await asyncio.to_thread(log.commits, start, end))
    mails = sum(1 for one in commits if "notice_attempt" in one)
    counted = Counter([one for case_id, _ in ours for one in [await _of(client, case_id)]])
    least_id = uuid4()
    await office.whole_least(least_id)
    await ended(client, f"least-{least_id}")
    least = await events(client, f"least-{least_id}")
    most = max(counted)
    each = len(commits) / CASES
    notes = {
        "commits of cases": f"{(len(commits) - mails) / CASES:g}",
        "of mails told": f"{mails / CASES:g}",
        "events": f"{most} against {least.total()}",
    }
    ratio = most / least.total()
    return [
        Figure(
            "P6a",
            "commits per case",
            Bound.AT_MOST,
            COMMITS,
            Interval(each, each, each),
            None,
            CASES,
            each,
            6,
            unit="commits",
            notes=notes,
        ),
        Figure(
            "P6b",
            "events per case",
            Bound.AT_MOST,
            EVENTS,
            Interval(ratio, ratio, ratio),
            None,
            CASES,
            most,
            least.total(),
            unit="events",
        ),
    ]


async def _of(client: Client, case_id: object) -> int:
    return (await events(client, f"application-{case_id}")).total()
