"""Who may ask the Temporal UI for what: permission × verb × path. What no row names is closed.

Paths are those of the UI 2.42 below its own root: its pages and files, and of the HTTP API of
Temporal what the pages read. Watching reads; who operates may besides end or reset one run, which
the ops desk has no remedy for. Everything else that changes something stays closed: signals,
starts and updates would speak for a person, and batches, schedules and namespaces are set up by
programs.
"""

import re
from dataclasses import dataclass

from rules.access import Permission

_ID = r"(?!\.{1,2}(?:/|$))[^/?#%\\\x00-\x1f\x7f]+"
"""One part of a path: it leads neither up nor anywhere else when it is read a second time."""


@dataclass(frozen=True)
class Row:
    """Requests of one verb to the paths of one pattern.

    `*` is one part of a path, `**` one or more, `{ours}` the namespace of this installation.
    """

    permission: Permission
    verb: str
    path: str
    acts: bool = False
    """Whether it changes something: then it is journaled before it is done."""

    def covers(self, verb: str, path: str, namespace: str) -> bool:
        """Whether the row is about this request."""
        written = re.escape(self.path.replace("{ours}", namespace))
        written = written.replace(r"\*\*", f"{_ID}(?:/{_ID})*").replace(r"\*", _ID)
        return verb == self.verb and re.fullmatch(written, path) is not None


_WATCH, _OPERATE = Permission.WATCH_OPERATION, Permission.OPERATE
_NAMESPACE = "/api/v1/namespaces/*"
_WORKFLOW = f"{_NAMESPACE}/workflows/*"
_OUR_WORKFLOW = "/api/v1/namespaces/{ours}/workflows/*"

_PAGES = (
    "",
    "/",
    "/login",
    "/select-namespace",
    "/namespaces",
    "/namespaces/**",
    "/nexus",
    "/nexus/**",
    "/import/**",
    "/_app/**",
    "/css/**",
    "/codemirror/**",
    "/i18n/**",
    "/favicon*",
    "/favicon.ico",
    "/logo*",
    "/banner*",
    "/android*",
    "/apple*",
    "/site.webmanifest",
    "/Temporal_Logo_Animation.gif",
)
"""Pages and their files: the same for everybody, they hold no data."""

_READ = (
    "/api/v1/settings",
    "/api/v1/cluster-info",
    "/api/v1/system-info",
    "/api/v1/namespaces",
    "/api/v1/nexus/endpoints",
    "/api/v1/nexus/endpoints/*",
    _NAMESPACE,
    f"{_NAMESPACE}/search-attributes",
    f"{_NAMESPACE}/workflows",
    f"{_NAMESPACE}/workflow-count",
    f"{_NAMESPACE}/archived-workflows",
    _WORKFLOW,
    f"{_WORKFLOW}/history",
    f"{_WORKFLOW}/history-reverse",
    f"{_WORKFLOW}/run/*/history.json",
    f"{_NAMESPACE}/task-queues/*",
    f"{_NAMESPACE}/task-queues/*/worker-build-id-compatibility",
    f"{_NAMESPACE}/task-queues/*/worker-versioning-rules",
    f"{_NAMESPACE}/worker-task-reachability",
    f"{_NAMESPACE}/worker-deployments",
    f"{_NAMESPACE}/worker-deployments/*",
    f"{_NAMESPACE}/worker-deployment-versions/*/*",
    f"{_NAMESPACE}/workers",
    f"{_NAMESPACE}/workers/describe/*",
    f"{_NAMESPACE}/schedules",
    f"{_NAMESPACE}/schedules/*",
    f"{_NAMESPACE}/schedule-count",
    f"{_NAMESPACE}/schedules/*/matching-times",
    f"{_NAMESPACE}/batch-operations",
    f"{_NAMESPACE}/batch-operations/*",
)
"""What the pages read of Temporal."""

ROWS = (
    *(Row(_WATCH, "GET", path) for path in (*_PAGES, *_READ)),
    # A query reads, although Temporal takes it by POST: the pages get the current details by one.
    Row(_WATCH, "POST", f"{_OUR_WORKFLOW}/query/*"),
    Row(_OPERATE, "POST", f"{_OUR_WORKFLOW}/terminate", acts=True),
    Row(_OPERATE, "POST", f"{_OUR_WORKFLOW}/reset", acts=True),
)


def row_for(verb: str, path: str, namespace: str) -> Row | None:
    """The row about a request; None where it is closed to everybody.

    `path` is unquoted and begins below the root of the UI.
    """
    return next((row for row in ROWS if row.covers(verb, path, namespace)), None)


SHUT = (
    "WorkflowCancelDisabled",
    "WorkflowSignalDisabled",
    "WorkflowUpdateDisabled",
    "BatchActionsDisabled",
    "StartWorkflowDisabled",
    "ActivityCommandsDisabled",
)
"""Settings of the UI that take the buttons away which nobody may press here."""
WATCH_ONLY = ("DisableWriteActions", "WorkflowTerminateDisabled", "WorkflowResetDisabled")
"""The same for people who only watch."""
