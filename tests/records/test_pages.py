"""Writing an entry as people meet it: pages without scripts over the served cabinet (W2)."""

from dataclasses import replace

import httpx

from tests.records.conftest import NOTE, Writing
from tests.shared.cabinet import confirmed
from tests.shared.tabs import Tab, shown_on, write_at_once


async def test_what_two_windows_wrote_is_shown_twice_and_asked(
    client: httpx.AsyncClient, writing: Writing
) -> None:
    """Neither text is lost: both are seen before one of them is signed."""
    await confirmed(writing.office, writing.doctor)
    draft_id, _ = await writing.draft("note", NOTE)
    here = f"/patients/{writing.first}/drafts/{draft_id}"
    again = await write_at_once(client, here, "subject")
    assert (await again.send()).status_code == 303
    signed = (await writing.one(draft_id)).entry
    assert signed.current.data == {**NOTE, "subject": "Из старого окна"}


async def test_a_code_that_words_became_is_nobody_elses(
    client: httpx.AsyncClient, writing: Writing
) -> None:
    """A window that typed words, shows their code, and changes it does not stand in its own way."""
    await confirmed(writing.office, writing.doctor)
    draft_id, _ = await writing.draft("visit", {})
    here = f"/patients/{writing.first}/drafts/{draft_id}"
    window = replace(await Tab.open(client, here, here), action=f"{here}/autosave")
    field = "main_diagnosis"
    for typed in ("Астма неуточненная", "J20.9"):
        told = await window.send(**{field: typed, "left": field})
        assert "Сохранено в" in told.text
        window.fields["shown"] = [shown_on(told.text)]
    assert "Острый бронхит" in told.text
