"""Which requests to the Temporal UI each permission allows. What no row names is refused.

Paths begin below the root of Temporal UI 2.42: its pages and files, and the parts of Temporal's
HTTP API that the pages read. Whoever watches may read; whoever operates may also terminate or reset
a run, for which the ops desk has no remedy. All other changes are refused: signals, starts and
updates would act in a person's name, and batches, schedules and namespaces are set up by programs.
"""

import re
from dataclasses import dataclass

from rules.access import Permission

_ID = r"(?!\.{1,2}(?:/|$))[^/?#%\\\x00-\x1f\x7f]+"
"""One segment of a path. It is neither `.` nor `..`, and means the same if it is decoded again."""


@dataclass(frozen=True)
class AccessRule:
    """Requests of one verb to the paths of one pattern.

    `*` is one segment of a path, `**` one or more, `{ours}` the namespace of this installation.
    """

    permission: Permission
    verb: str
    path: str
    acts: bool = False
    """Whether the request changes something: then it is journaled before it is passed on."""

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
"""Pages and their files: the same for everybody, without data."""

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
"""What the pages read of Temporal's API."""

RULES = (
    *(AccessRule(_WATCH, "GET", path) for path in (*_PAGES, *_READ)),
    # A query only reads, although Temporal takes it by POST: pages get the current details by one.
    AccessRule(_WATCH, "POST", f"{_OUR_WORKFLOW}/query/*"),
    AccessRule(_OPERATE, "POST", f"{_OUR_WORKFLOW}/terminate", acts=True),
    AccessRule(_OPERATE, "POST", f"{_OUR_WORKFLOW}/reset", acts=True),
)


def rule_for(verb: str, path: str, namespace: str) -> AccessRule | None:
    """The row that allows a request; None if nobody may send it.

    `path` is unquoted and begins below the root of the UI.
    """
    return next((row for row in RULES if row.covers(verb, path, namespace)), None)


SHUT = (
    "WorkflowCancelDisabled",
    "WorkflowSignalDisabled",
    "WorkflowUpdateDisabled",
    "BatchActionsDisabled",
    "StartWorkflowDisabled",
    "ActivityCommandsDisabled",
)
"""Settings of the UI that remove the buttons nobody may use."""
WATCH_ONLY = ("DisableWriteActions", "WorkflowTerminateDisabled", "WorkflowResetDisabled")
"""Further settings of the UI for people who may only watch."""
