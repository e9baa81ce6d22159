"""Files out of a page's form, read as a stream: the form's token is checked before the first."""

from collections.abc import AsyncIterator, Mapping

from starlette.exceptions import HTTPException

from api.http.auth import FORM_FIELD, FORM_HEADER, demand_form_token
from api.http.bodies import Form as StreamedForm
from api.http.bodies import is_form
from cabinet.frame.visits import Visit
from rules.refusals import FieldError, Refusal
from services.files.intake import Incoming


def by_script(visit: Visit) -> bool:
    """Whether static/js/upload.js has sent the file, and swaps a part of the page."""
    return visit.request.headers.get("x-requested-with") == "upload"


async def files_of_form(visit: Visit) -> AsyncIterator[tuple[Mapping[str, str], Incoming]]:
    """The files of the form with the fields before them.

    The form token is checked before the first file. Raises Refusal 422 for a form without files.
    """
    request = visit.request
    if not is_form(request):
        raise HTTPException(415)
    form, seen = StreamedForm(request), False
    async for incoming in form.files():
        if not seen:
            demand_form_token(
                request, request.headers.get(FORM_HEADER, form.fields.get(FORM_FIELD))
            )
            seen = True
        yield form.fields, incoming
    if not seen:
        words = "Выберите файл."
        raise Refusal("no_file", words, 422, [FieldError("file", words)])
