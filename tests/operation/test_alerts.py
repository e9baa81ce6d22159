"""Rules, their pages and what is exported stay together (O7)."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import promql_parser
import pytest
import yaml
from temporalio.worker import Worker

from clients.telemetry.metrics import metered_runtime
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from models.tables.cases import Outage
from ops.local.home import CHECKOUT
from rules.clock import now
from settings import Settings
from tests.operation.failing import FailsTasks, MeetsFailure, fail
from tests.operation.test_metrics import free_address, scrape, watched_app
from tests.shared.desk import Desk
from tests.shared.served import with_new_database
from tests.shared.waiting import until

RULES = CHECKOUT / "docker" / "alerts.yaml"
PAGES = CHECKOUT / "docs" / "alerts"
PROMETHEUS = CHECKOUT / "docker" / "prometheus.yml"
PROMETHEUS_OWN = {"up"}
HEADINGS = ("## What it means", "## What to look at", "## What to do", "## When to wake whom")


@dataclass(frozen=True)
class Rule:
    """One alert."""

    name: str
    expression: str
    severity: str
    page: Path

    @classmethod
    def of(cls, rule: dict[str, Any]) -> "Rule":
        """As it stands in the file."""
        notes = rule["annotations"]
        assert len(notes["summary"]) > 20
        return cls(
            rule["alert"], rule["expr"], rule["labels"]["severity"], CHECKOUT / notes["page"]
        )

    @property
    def selectors(self) -> list[promql_parser.VectorSelector]:
        """The metrics it asks for, with what it asks of their labels."""
        return list(_selectors(promql_parser.parse(self.expression)))


def _selectors(expression: Any) -> Iterator[promql_parser.VectorSelector]:
    match expression:
        case promql_parser.VectorSelector():
            yield expression
        case promql_parser.MatrixSelector():
            yield expression.vector_selector
        case promql_parser.BinaryExpr():
            yield from _selectors(expression.lhs)
            yield from _selectors(expression.rhs)
        case promql_parser.Call():
            for argument in expression.args:
                yield from _selectors(argument)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr():
            yield from _selectors(expression.expr)


def rules() -> list[Rule]:
    """All of the file."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [Rule.of(rule) for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
async def exported(settings: Settings, servers: Any) -> AsyncIterator[set[str]]:
    """Every name that an API process and a worker tell, failures and outages included."""
    name = f"medcab_alerts_{uuid4().hex}"
    chosen = with_new_database(settings, servers.new_database(name))
    async with watched_app(chosen) as (app, address):
        desk = await Desk.open(app)
        async with desk.container.database.work() as session:
            session.add(Outage(system="register", since=now()))
        await (await desk.program(desk.office.clinician)).get("/programmes")
        names = (await scrape(address)).names
    yield names | await _of_worker(chosen)
    servers.drop_database(name)


async def _of_worker(settings: Settings) -> set[str]:
    metered = settings.model_copy(update={"metrics_address": free_address()})
    runtime = metered_runtime(metered)
    keys = KeyRing.parse(settings.keys.get_secret_value())
    client = await connect(metered, keys, runtime=runtime)
    queue = f"alerts-{uuid4().hex}"
    async with Worker(
        client, task_queue=queue, workflows=[MeetsFailure, FailsTasks], activities=[fail]
    ):
        await client.execute_workflow(MeetsFailure.run, id=uuid4().hex, task_queue=queue)
        broken = await client.start_workflow(
            FailsTasks.run,
            id=uuid4().hex,
            task_queue=queue,
            execution_timeout=timedelta(seconds=60),
        )

        async def told() -> set[str]:
            names = (await scrape(metered.metrics_address)).names
            return names if "temporal_workflow_task_execution_failed_total" in names else set()

        names = await until(told)
        await broken.terminate()
    return names


def test_rules_are_whole() -> None:
    """There are rules, each with a name of its own, a known severity and an expression."""
    found = rules()
    assert len(found) >= 15
    assert len({rule.name for rule in found}) == len(found)
    for rule in found:
        assert re.fullmatch(r"Medcab[A-Z]\w+", rule.name)
        assert rule.severity in {"page", "ticket"}, rule.name
        assert rule.selectors, rule.name


def test_every_rule_has_its_page_and_every_page_its_rule() -> None:
    """The page is named after the rule and says all four things, in half a page."""
    found = rules()
    assert {rule.page for rule in found} == set(PAGES.glob("*.md"))
    for rule in found:
        text = rule.page.read_text()
        assert text.startswith(f"# {rule.name}\n"), rule.page
        assert [text.index(heading) for heading in HEADINGS] == sorted(
            text.index(heading) for heading in HEADINGS
        )
        assert " ".join(rule.expression.split()) in " ".join(text.split()), rule.page
        assert f"severity `{rule.severity}`" in " ".join(text.split())
        assert len(text) < 3000, rule.page


async def test_every_metric_of_a_rule_is_exported(exported: set[str]) -> None:
    """A metric that was renamed would leave its alert silent for ever."""
    for rule in rules():
        for selector in rule.selectors:
            assert selector.name in exported | PROMETHEUS_OWN, f"{rule.name}: {selector.name}"


async def test_every_state_that_is_exported_has_a_rule(exported: set[str]) -> None:
    """What is told of the installation is watched; those that only explain are named here."""
    used = {selector.name for rule in rules() for selector in rule.selectors}
    explain = {
        "medcab_cases_open",
        "medcab_cases_unheard",
        "medcab_notices_waiting",
        "medcab_journal_seal_age_seconds",
        "medcab_loop_seconds",
        "medcab_request_seconds",
        "medcab_request_seconds_sum",
    }
    assert {name for name in exported if name.startswith("medcab_")} - used == explain


def test_prometheus_asks_both_processes_and_reads_the_rules() -> None:
    """The jobs are those that the rules name."""
    asked = yaml.safe_load(PROMETHEUS.read_text())
    jobs = {job["job_name"] for job in asked["scrape_configs"]}
    assert jobs == {"medcab-api", "medcab-worker"}
    named = {value for rule in rules() for value in re.findall(r'job="([^"]+)"', rule.expression)}
    assert named == jobs
    assert [Path(file).name for file in asked["rule_files"]] == [RULES.name]
