"""Commands of `medcab` in this process, which has loaded already what takes a command seconds."""

import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

from ops import cli
from settings import get_settings


def typed(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit code and the output of a command that knows no more than this environment.

    Not for commands that set up the log of their process, nor for those of `medcab keys`.
    """
    said = StringIO()
    get_settings.cache_clear()
    try:
        with (
            patch.dict(os.environ, environment, clear=True),
            # Here it would end the tests.
            patch.object(cli, "_end_at_once", sys.exit),
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            cli.app(list(arguments), prog_name="medcab")
    except SystemExit as end:
        return int(end.code or 0), said.getvalue()
    finally:
        get_settings.cache_clear()
    return 0, said.getvalue()
