"""The sandbox of workflows, which is not entered to ask whose payload is encrypted.

The SDK asks a workflow for the context of each of its payloads, several times for each command, and
enters the sandbox for every answer: that was a twentieth of what a worker does. Only commands that
speak to another workflow have a context other than the workflow's own, so only they are asked for.
"""

from temporalio.api.enums.v1 import CommandType
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import (
    SerializationContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

_TO_OTHERS = frozenset(
    {
        CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION,
        CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
        CommandType.COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION,
    }
)


class SandboxedRunner(SandboxedWorkflowRunner):
    """Runs every workflow in the SDK's sandbox, with its restrictions."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """A workflow in a sandbox of its own."""
        return _Instance(super().create_instance(det), det.info)


class _Instance(WorkflowInstance):
    """A workflow in its sandbox."""

    def __init__(self, inside: WorkflowInstance, info: Info) -> None:
        self._inside = inside
        self._info = info
        self._own = WorkflowSerializationContext(info.namespace, info.workflow_id)

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Let the workflow go on, inside the sandbox."""
        return self._inside.activate(act)

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext:
        """The context of the workflow that reads the payload."""
        if command_info is not None and command_info.command_type in _TO_OTHERS:
            return self._inside.get_serialization_context(command_info) or self._own
        return self._own

    def get_external_store_context(
        self, command_info: CommandInfo | None
    ) -> StorageDriverStoreContext:
        """To which workflow a payload kept outside Temporal belongs; we keep none there."""
        del command_info
        return StorageDriverStoreContext(
            target=StorageDriverWorkflowInfo(
                id=self._info.workflow_id, namespace=self._info.namespace
            )
        )

    def get_info(self) -> Info:
        """What the workflow knows of itself."""
        return self._inside.get_info()

    def get_thread_id(self) -> int | None:
        """The thread in which it runs at the moment."""
        return self._inside.get_thread_id()
