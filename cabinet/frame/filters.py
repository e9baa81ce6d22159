"""The filters of a list: as fields of its form, and in its address."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from cabinet.frame.views import FieldView, Option


def address(path: str, asked: Mapping[str, object]) -> str:
    """The path with those filters in its query that are not empty."""
    given = {name: value for name, value in asked.items() if value}
    return path + (f"?{urlencode(given)}" if given else "")


def filter_field(
    given: Mapping[str, str],
    errors: Mapping[str, str],
    name: str,
    label: str,
    options: Sequence[Option] = (),
    kind: str = "text",
) -> FieldView:
    """A filter with its value and its error; with options it is a choice."""
    return FieldView(
        name,
        label,
        "choice" if options else kind,  # type: ignore[arg-type]
        given.get(name, ""),
        error=errors.get(name, ""),
        options=options,
        required=False,
    )
