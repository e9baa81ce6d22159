"""The conversation on a case as its pages show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cabinet.frame.views import FieldView, FileRow


@dataclass(frozen=True)
class MessageView:
    """A message; `new` when it was written since the person was here before."""

    id: str
    who: str
    role: str
    at: datetime
    text: str
    staff: bool = False
    internal: bool = False
    new: bool = False
    files: Sequence[FileRow] = ()


@dataclass(frozen=True)
class Talk:
    """A conversation and the form to write in.

    `back` is the page it stands on. With `internal` the person may also write for colleagues only.
    """

    url: str
    read_url: str
    back: str
    number: str
    messages: Sequence[MessageView]
    field: FieldView
    message_id: str = ""
    writes: bool = True
    silent: str = ""
    """Why nothing can be written any more."""
    internal: bool = False
    to: str = "applicant"
    kept: Sequence[FileRow] = ()
    """Files of a refused message that were accepted: they go with the next attempt."""
    refused: Sequence[FileRow] = ()
    empty: str = ""

    @property
    def newest(self) -> str:
        """The id of the newest message that is new to the person; empty where none is."""
        return next((one.id for one in reversed(self.messages) if one.new), "")

    @property
    def fresh(self) -> int:
        """How many messages are new."""
        return sum(one.new for one in self.messages)
