"""The same case on peers, each as its own documentation would build it.

`python -m bench.peers dbos --socket N` and `… spiff --socket N` are whole programs of one process
behind the same uvicorn as Medcab's: `on_dbos` on DBOS, `on_spiff` on SpiffWorkflow. `case` holds
what both share: routes of the draft and its files, and the outside world. They use the same
PostgreSQL with the same durability (a database of their own), the same object store, mail server
and register, and issue the same PDF with the same signature.

What they leave out: inspection of files, the journal, versions, rules and checks of the form, act
ids, locks, roles and terms, encryption of columns and payloads, SMS, push and notices in the
cabinet, languages, pages. A session is one query for a hashed token.
"""

from importlib.util import find_spec

PACKAGES = {"dbos": "dbos", "spiff": "SpiffWorkflow"}
"""The programs, with the module that each needs."""
BUILT = {
    "dbos": "one process with the engine inside, as its guide to self-hosting says; coroutines;"
    " durable",
    "spiff": "one process; the state of a workflow in a row after each service task; not durable",
}
LEFT_OUT = (
    "inspection of files, journal, versions, rules of the form, act ids, locks, roles, terms,"
    " encryption, SMS, push, pages"
)
INSTALL = ".venv/bin/uv pip install --python .venv/bin/python -r pyproject.toml --extra peers"

URL = "BENCH_PEER_URL"

TABLES = """
create table person (
    id uuid primary key, token bytea not null unique, name text not null, email text not null,
    snils text not null
);
create sequence application_number;
create table application (
    id uuid primary key, applicant_id uuid not null references person, programme_id uuid not null,
    status text not null, number text, data jsonb, attachments jsonb, in_register boolean,
    act_key text, created_at timestamptz not null default now(), changed_at timestamptz
);
create index on application (applicant_id);
create table document (
    id uuid primary key, owner_id uuid not null references person, category text not null,
    title text not null, object_key text not null, size bigint not null, sha256 text not null,
    uploaded_at timestamptz not null default now()
);
"""


def missing() -> list[str]:
    """The modules of peers that are not installed."""
    return [module for module in PACKAGES.values() if find_spec(module) is None]
