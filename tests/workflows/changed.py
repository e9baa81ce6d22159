"""Workflows changed as they must not be: another order of commands, without `workflow.patched`."""

from functools import wraps
from typing import Any

from temporalio import workflow
from temporalio.workflow import _Definition as Definition

with workflow.unsafe.imports_passed_through():
    from worker import WORKFLOWS


def _changed(life: Any) -> Any:
    """The same life, one timer longer: it begins with a pause."""
    name = f"Paused{life.__name__}"

    @wraps(life.run)
    async def run(self: object, *args: object) -> object:
        await workflow.sleep(1)
        return await life.run(self, *args)

    run.__module__, run.__qualname__ = __name__, f"{name}.run"
    made: Any = type(name, (life,), {"run": workflow.run(run), "__module__": __name__})
    # The sandbox imports this module anew, and looks for the class by its name.
    globals()[name] = made
    workflow.defn(name=Definition.must_from_class(life).name)(made)
    return made


CHANGED = [_changed(life) for life in WORKFLOWS]
"""Each workflow of the worker, in the same order."""
