"""The case on SpiffWorkflow: a BPMN model run by a FastAPI program, as its example engine does it.

The model is `application.bpmn`: service tasks ask the register, make the act, close the case and
send the mails; the decision is a user task. The library keeps nothing by itself. As in its
examples, the state of a workflow is serialised into a row, here after each service task, and the
model, which is the same for all, is not stored with it. A case is in review by the same commit as
the state in which its workflow waits, so the mail is sent before. A workflow is restored from its
row when the decision comes. It runs in a thread of the program, after the request was answered, and
the thread asks the program's event loop for all input and output.

Besides what all peers leave out, it is not durable: nothing restores a workflow that was running
when the process ended, a failed task is not tried again, and what a task does and the state of its
workflow are committed one after the other.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import BackgroundTasks, FastAPI, HTTPException
from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine, TaskDataEnvironment
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter
from SpiffWorkflow.spiff.parser import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.spiff.specs.defaults import ServiceTask

from bench.peers import case
from bench.peers.case import CurrentPerson, Outside, OutsideDep
from settings import Settings

MODEL = Path(__file__).with_name("application.bpmn")
STATES = """
create table if not exists workflow_instance (
    id uuid primary key, state text not null, active text not null
)
"""
SAVE = """
insert into workflow_instance values (%s, %s, %s)
on conflict (id) do update set state = excluded.state, active = excluded.active
"""
LOAD = "select state from workflow_instance where id = %s and active = %s"
OPEN_REVIEW = """
with opened as (
    update application set status = 'in_review', in_register = %s, changed_at = now()
    where id = %s
)
"""
CLOSE = """
update application set status = 'closed', act_key = %s, changed_at = now()
where id = %s returning status
"""
DECISION = "decision"

Run = Callable[[Coroutine[Any, Any, Any]], Any]
"""Lets the event loop do something, and waits for it in a thread."""


class InstanceConverter(BpmnWorkflowConverter):
    """Serialises a workflow without its model."""

    def to_dict(self, workflow: BpmnWorkflow) -> dict[str, Any]:
        """The state of the tasks and their data."""
        told = super(BpmnWorkflowConverter, self).to_dict(workflow)
        events = self.registry.convert(workflow.bpmn_events)
        return {**told, "subprocesses": {}, "bpmn_events": events}


class Services(TaskDataEnvironment):
    """What the service tasks of the model ask for."""

    def __init__(self, outside: Outside, run: Run) -> None:
        super().__init__()
        self._outside, self._run = outside, run

    def call_service(
        self, context: dict[str, Any], operation_name: str, operation_params: dict[str, Any]
    ) -> str:
        """Do it, and return the answer as JSON."""
        given = {name: each["value"] for name, each in operation_params.items()}
        return json.dumps(self._run(self._do(context, operation_name, given)))

    async def _do(self, context: dict[str, Any], name: str, given: dict[str, Any]) -> Any:
        outside, case_id = self._outside, context["case_id"]
        match name:
            case "in_register":
                return await outside.in_register(given["snils"])
            case "issue":
                return await outside.issue()
            case "close":
                return await outside.one(CLOSE, given["act_key"], case_id)
            case "tell":
                return await outside.tell(case_id, context["person"], given["of"])
        raise LookupError(name)


class BpmnEngine:
    """Runs workflows of the model, in threads, and keeps them in rows."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._loop = asyncio.get_running_loop()
        parser = SpiffBpmnParser()
        parser.add_bpmn_file(str(MODEL))
        self._model = parser.get_spec("application")
        self._scripts = PythonScriptEngine(Services(outside, self._run))
        config = {**SPIFF_CONFIG, BpmnWorkflow: InstanceConverter}
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(config))

    def begin(self, case_id: UUID, person: dict[str, str]) -> None:
        """Run a new workflow until it waits for somebody."""
        workflow = BpmnWorkflow(self._model, script_engine=self._scripts)
        first = workflow.get_next_task(state=TaskState.READY)
        first.data.update(case_id=str(case_id), person=person)
        self._run_on(case_id, workflow)

    def decide(self, case_id: UUID) -> None:
        """Complete the user task of a workflow that waits, and run what follows."""
        row = self._run(self._outside.one(LOAD, case_id, DECISION))
        workflow = self._restored(row["state"])
        task = workflow.get_next_task(state=TaskState.READY, manual=True)
        task.data.update(decision="approved")
        task.run()
        self._run_on(case_id, workflow)

    def _run_on(self, case_id: UUID, workflow: BpmnWorkflow) -> None:
        while task := workflow.get_next_task(state=TaskState.READY, manual=False):
            task.run()
            if isinstance(task.task_spec, ServiceTask):
                self._save(case_id, workflow, task.data)

    def _save(self, case_id: UUID, workflow: BpmnWorkflow, data: dict[str, Any]) -> None:
        """Store the state. With it the case is in review as soon as somebody is waited for."""
        active = " ".join(one.task_spec.name for one in workflow.get_tasks(state=TaskState.READY))
        row = case_id, self._serializer.serialize_json(workflow), active
        if active == DECISION:
            self._run(self._outside.do(OPEN_REVIEW + SAVE, data["found"], case_id, *row))
        else:
            self._run(self._outside.do(SAVE, *row))

    def _restored(self, state: str) -> BpmnWorkflow:
        told = json.loads(state)
        self._serializer.migrate(told)
        workflow = self._serializer.from_dict({**told, "spec": self._model})
        workflow.script_engine = self._scripts
        return workflow

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def create_app(settings: Settings) -> FastAPI:
    """The program: routes and engine."""
    engine: BpmnEngine

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal engine
        async with Outside.open(settings) as outside:
            await outside.do(STATES)
            app.state.outside = outside
            engine = BpmnEngine(outside)
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.include_router(case.router)

    @app.post("/applications/{case_id}/submit")
    async def submit(
        case_id: UUID, person: CurrentPerson, outside: OutsideDep, later: BackgroundTasks
    ) -> dict[str, Any]:
        """One update; then the workflow begins."""
        found = await outside.one(case.SUBMIT, case_id, person.id)
        if found is None:
            raise HTTPException(409, "no such draft")
        later.add_task(engine.begin, case_id, person.contact())
        return {"id": str(case_id), "status": "checking", **found}

    @app.post("/applications/{case_id}/decision")
    async def approve(
        case_id: UUID, person: CurrentPerson, outside: OutsideDep, later: BackgroundTasks
    ) -> dict[str, Any]:
        """One update; then the workflow goes on."""
        found = await outside.one(case.APPROVE, case_id)
        if found is None:
            raise HTTPException(409, "not in review")
        later.add_task(engine.decide, case_id)
        return {"id": str(case_id), "status": "approved", **found}

    return app
