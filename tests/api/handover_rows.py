"""The lines of the access table about hand-overs to authorities."""

from tests.api.access import EVERYBODY, HR_HEAD, NOBODY, Row, body, form

HANDOVER_ROWS: dict[str, Row] = {
    "POST /api/v1/authority/handovers": Row(
        "authority",
        NOBODY,
        send=body(reference="1", snils="112-233-445 95", purpose="Проверка", ground="Закон"),
    ),
    "GET /api/v1/authority/handovers/{handover_id}": Row("authority", NOBODY),
    "GET /api/v1/authority/handovers/{handover_id}/package": Row("authority", NOBODY),
    "GET /api/v1/handovers": Row("release_credentials", HR_HEAD),
    "GET /api/v1/handovers/mine": Row("signed_in", EVERYBODY),
    "GET /api/v1/handovers/{handover_id}": Row("release_credentials", NOBODY, NOBODY, NOBODY),
    "POST /api/v1/handovers/{handover_id}/release": Row(
        "session", NOBODY, NOBODY, NOBODY, body(credentials=["{case_id}"])
    ),
    "POST /api/v1/handovers/{handover_id}/refuse": Row(
        "release_credentials", NOBODY, NOBODY, NOBODY, body(reason="нет основания")
    ),
}
HANDOVER_PAGES: dict[str, Row] = {
    "GET /handovers": Row("session", HR_HEAD),
    "GET /handovers/mine": Row("session", EVERYBODY),
    "GET /handovers/{handover_id}": Row("session", NOBODY, NOBODY, NOBODY),
    "POST /handovers/{handover_id}/release": Row(
        "session", NOBODY, NOBODY, NOBODY, form(credentials="{case_id}")
    ),
    "POST /handovers/{handover_id}/refuse": Row(
        "session", NOBODY, NOBODY, NOBODY, form(reason="нет основания")
    ),
}
