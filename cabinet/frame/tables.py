"""Tables that are imported: a file is previewed, then exactly that file is applied.

The preview carries the file itself, packed into its form, so that the server keeps nothing in
between and no script is needed.
"""

import base64
import binascii
import zlib
from typing import Annotated

from fastapi import Form
from starlette.exceptions import HTTPException

from api.http.auth import FORM_FIELD, FORM_HEADER, demand_form_token
from api.http.bodies import Form as StreamedForm
from api.http.bodies import is_form, octets_of
from cabinet.frame.visits import Visit
from rules.staff.table import MOST_OCTETS, unreadable

MOST_PACKED = 800_000
"""Characters of the packed file; the rest of the form must fit beside it."""
Packed = Annotated[str, Form(max_length=MOST_PACKED)]


async def uploaded(visit: Visit) -> bytes:
    """The file of the form, read after the form token is checked."""
    request = visit.request
    if not is_form(request):
        raise HTTPException(415)
    form = StreamedForm(request)
    async for incoming in form.files():
        demand_form_token(request, request.headers.get(FORM_HEADER, form.fields.get(FORM_FIELD)))
        return await octets_of(visit.container, visit.actor, incoming)
    raise unreadable("Выберите файл.")


def packed(body: bytes) -> str:
    """The file as a field of a form. Raises Refusal 422 where it does not fit."""
    text = base64.urlsafe_b64encode(zlib.compress(body, 9)).decode()
    if len(text) > MOST_PACKED:
        raise unreadable("В файле слишком много лишних данных. Сохраните таблицу как CSV.")
    return text


def unpacked(text: str) -> bytes:
    """The file that `packed` made a field of. Raises Refusal 422."""
    try:
        return zlib.decompressobj().decompress(base64.urlsafe_b64decode(text), MOST_OCTETS + 1)
    except (ValueError, binascii.Error, zlib.error):
        raise unreadable("Файл не читается. Выберите его ещё раз.") from None
