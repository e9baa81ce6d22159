"""Servers that do not answer, or refuse: what is said of them in one line, without a traceback."""

from minio.error import MinioException
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError
from urllib3.exceptions import HTTPError

UNREACHED = (SQLAlchemyError, RPCError, MinioException, HTTPError, OSError, RuntimeError)
"""What the clients raise. That of Temporal raises RuntimeError where nobody listens."""


def in_one_line(error: Exception) -> str:
    """The type and the first line of the message; the lines after it may quote what is stored."""
    told = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {told[:300]}"
