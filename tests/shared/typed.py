"""Commands of `medcab` in this process, which has loaded already what takes a command seconds."""

import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

from ops.cli import app
from settings import get_settings


def typed(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code and the output of a command that knows no more than this environment.

    Not for commands that end their process at once, or that set up its log.
    """
    said = StringIO()
    get_settings.cache_clear()
    try:
        with (
            patch.dict(os.environ, environment, clear=True),
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            app(list(arguments), prog_name="medcab")
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    finally:
        get_settings.cache_clear()
    return 0, said.getvalue()
