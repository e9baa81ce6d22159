"""A client that a program makes of OpenAPI: made without a warning, and good for a whole case."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from ops.local.home import CHECKOUT
from rules.clock import now
from settings import Settings
from tests.files.samples import born_digital
from tests.shared.desk import Desk
from tests.shared.office import FORM
from tests.shared.served import Served, served
from tests.shared.servers import Servers


@pytest.fixture(scope="module")
def standing(settings: Settings, servers: Servers) -> Iterator[Served]:
    """The application behind a real server."""
    with served(settings, servers) as running:
        yield running


def test_every_model_has_a_name_of_its_own(description: dict[str, Any]) -> None:
    """Two of one name are one class in a generated client: one of them is lost."""
    models = description["components"]["schemas"]
    titles = Counter(model.get("title", name) for name, model in models.items())
    assert [title for title, n in titles.items() if n > 1] == []
    assert [name for name in models if not name.isidentifier()] == []


def test_a_generated_client_carries_a_case_through(
    description: dict[str, Any], standing: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draft, documents, submission and state, with the classes that were generated (I1)."""
    file, package = tmp_path / "openapi.json", tmp_path / "cabinet_client"
    file.write_text(json.dumps(description))
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--config", CHECKOUT / "docs" / "api-client.yaml"),
            *("--path", file, "--output-path", package),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    told = made.stdout + made.stderr
    assert made.returncode == 0, told
    assert "WARNING" not in told.upper(), told
    monkeypatch.syspath_prepend(str(tmp_path))

    desk = standing.run(Desk.open(standing.app))
    program = standing.run(desk.program(desk.office.clinician))
    token = program.headers["Authorization"].removeprefix("Bearer ")
    _carry(standing.url, token, desk.office.programme_id)


def _carry(url: str, token: str, programme_id: UUID) -> None:
    client_of = importlib.import_module("cabinet_client").AuthenticatedClient
    models = importlib.import_module("cabinet_client.models")
    types = importlib.import_module("cabinet_client.types")
    client = client_of(base_url=url, token=token, raise_on_unexpected_status=True, timeout=60)

    draft = _do("applications.create", client=client, body=models.DraftIn(programme_id))
    case = _do("applications.read", draft.id, client=client)
    kinds = [rule["kind"] for rule in case.attachment_rules if rule["required"]]
    assert len(kinds) >= 3
    cited = []
    for kind in kinds:
        upload = types.File(BytesIO(born_digital(kind)), f"{kind}.pdf", "application/pdf")
        document = _do(
            "documents.give",
            client=client,
            body=models.GiveApiV1DocumentsPostFilesBody(upload),
            category=models.Category(kind),
        )
        assert document.version.media_type == "application/pdf"
        cited.append(models.CitedIn(kind, document.version.id))
    starts_on = (now() + timedelta(days=30)).date().isoformat()
    data = models.DraftEditDataType0.from_dict({**FORM, "starts_on": starts_on})
    body = models.DraftEdit(data=data, attachments=cited)
    kept = _do("applications.save_draft", draft.id, client=client, body=body)
    assert kept.errors == []
    submitted = _do(
        "applications.submit",
        draft.id,
        client=client,
        body=models.StepIn(kept.step),
        idempotency_key=str(uuid4()),
    )
    assert submitted.number.startswith("ПК-")
    state = _do("applications.present_state", draft.id, client=client)
    assert (state.step, state.status) == (submitted.step, submitted.status)


def _do(what: str, *args: Any, **more: Any) -> Any:
    """Call the one function of the client whose name begins so; a problem fails the test."""
    room, name = what.split(".")
    folder = importlib.import_module(f"cabinet_client.api.{room}")
    [module] = Path(folder.__file__ or "").parent.glob(f"{name}_api_v1_*.py")
    call = importlib.import_module(f"{folder.__name__}.{module.stem}")
    answer = call.sync_detailed(*args, **more)
    assert answer.status_code < 300, answer.content
    return answer.parsed
