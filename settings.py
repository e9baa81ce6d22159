"""Everything that differs between installations, read once from the environment.

Every server is named by a URL. `medcab up` starts a local server for each URL that is not set, and
passes its address on in the same variable, so that the rest of the code sees no difference.
"""

import os
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rules.zones import is_zone

ModuleCrypto = Literal["standard", "gost"]


HOME = Path(__file__).resolve().parent / ".medcab"
"""The home of an installation that names none, from whichever folder a command is called."""


class MissingSettingError(ValueError):
    """A setting is empty that is needed here; says which."""


class Settings(BaseSettings):
    """One installation. Durations are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="MEDCAB_", env_file=None, extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Field(HOME, description="Where local servers keep their data and keys.")
    public_url: str = Field("http://127.0.0.1:8000", description="Address that people open.")
    institution: str = Field(
        "Городская клиническая больница № 7", description="Name of the institution on pages."
    )
    time_zone: str = Field(
        "Europe/Moscow",
        description="Time zone of the institution; by it a number of a case gets its year.",
    )
    demo: bool = Field(False, description="Development only: makes a test seal and demo accounts.")

    database_url: SecretStr = Field(
        SecretStr("postgresql://medcab@127.0.0.1:5432/medcab"),
        validation_alias="DATABASE_URL",
        description="PostgreSQL as the application's role, which cannot change the journal.",
    )
    database_owner_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_OWNER_URL",
        description="PostgreSQL as the owner of the tables: migrations only.",
    )
    database_backup_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_BACKUP_URL",
        description="PostgreSQL as a role that may replicate: backups and the log archive only.",
    )
    database_pool: int = 10

    temporal_address: str = Field("127.0.0.1:7233", validation_alias="TEMPORAL_ADDRESS")
    temporal_namespace: str = Field("default", validation_alias="TEMPORAL_NAMESPACE")
    temporal_ui_url: str = "http://127.0.0.1:8233"
    task_queue: str = "medcab"
    begin_anew: bool = Field(
        False,
        description="Start a worker even if its workflows differ from open runs: those begin anew.",
    )

    s3_endpoint: str = Field("http://127.0.0.1:9000", validation_alias="S3_ENDPOINT")
    s3_access_key: SecretStr = Field(SecretStr("medcab"), validation_alias="S3_ACCESS_KEY")
    s3_secret_key: SecretStr = Field(SecretStr(""), validation_alias="S3_SECRET_KEY")
    s3_bucket: str = Field("medcab", validation_alias="S3_BUCKET")
    s3_owner_access_key: SecretStr = Field(
        SecretStr(""),
        validation_alias="S3_OWNER_ACCESS_KEY",
        description="The object store as its administrator: `medcab migrate` only.",
    )
    s3_owner_secret_key: SecretStr = Field(SecretStr(""), validation_alias="S3_OWNER_SECRET_KEY")

    smtp_url: str = Field("smtp://127.0.0.1:1025", validation_alias="SMTP_URL")
    mail_from: str = "Medcab <no-reply@medcab.invalid>"
    mail_callback_secret: SecretStr = Field(
        SecretStr(""),
        description="Sign the callbacks of mail servers: `whsec_…,whsec_…`, the newest first.",
    )
    sms_url: str = Field(
        "http://127.0.0.1:8026", description="SMS gateway; see clients/delivery/sms.py."
    )
    sms_token: SecretStr = Field(SecretStr(""), description="Our access token for the SMS gateway.")
    sms_secret: SecretStr = Field(
        SecretStr(""), description="Signs the callbacks of the SMS gateway: `whsec_…`."
    )
    vapid_key: SecretStr = Field(
        SecretStr(""), description="Private key of web push, 32 bytes in base64url; empty: no push."
    )
    push_contact: str = Field(
        "mailto:no-reply@medcab.invalid",
        description="Address at which push services reach the operator.",
    )
    push_hosts: str = Field(
        "fcm.googleapis.com,*.push.services.mozilla.com,web.push.apple.com,*.notify.windows.com",
        description="Push services to which messages are sent: hosts, comma separated.",
    )
    push_url: str = Field("", description="Development only: one more push service, on loopback.")
    register_url: str = Field(
        "http://127.0.0.1:8090", description="Address of the register of medical workers."
    )
    accreditation_register_url: str = Field(
        "http://127.0.0.1:8094", description="Address of the register of accreditations."
    )
    education_portal_url: str = Field(
        "http://127.0.0.1:8095", description="Address of the portal of continuing education."
    )
    register_rate: float = Field(
        10.0,
        gt=0,
        le=1000,
        description="How many times a second all processes together ask each register of many.",
    )

    identity_url: str = Field(
        "http://127.0.0.1:8092", description="Address of the identity register."
    )
    personnel_url: str = Field(
        "", description="Address of the institution's personnel register; empty: there is none."
    )
    personnel_token: SecretStr = Field(
        SecretStr(""), description="Our access token for the list of the personnel register."
    )
    personnel_secret: SecretStr = Field(
        SecretStr(""),
        description="Sign what the personnel register pushes: `whsec_…,whsec_…`, the newest first.",
    )
    patient_registry_url: str = Field(
        "", description="Address of the registry of patients; empty: there is none."
    )
    laboratory_url: str = Field("", description="Address of the laboratory; empty: there is none.")
    laboratory_token: SecretStr = Field(
        SecretStr(""), description="Our access token for the list of the laboratory."
    )
    laboratory_secret: SecretStr = Field(
        SecretStr(""),
        description="Sign what the laboratory pushes: `whsec_…,whsec_…`, the newest first.",
    )
    result_terms: Path | None = Field(
        None, description="Terms of laboratory results; by default what ships with the program."
    )
    accreditation_centre_url: str = Field(
        "http://127.0.0.1:8096", description="Address of the federal accreditation centre."
    )
    accreditation_norms: Path | None = Field(
        None, description="What accreditations require; by default what ships with the program."
    )
    subscriber_networks: str = Field(
        "",
        description="Networks whose addresses subscribers may have though they are not public, also"
        " without TLS: `10.20.0.0/16`, comma separated.",
    )
    meeting_room: str = Field(
        "http://127.0.0.1:8092/rooms/{room}",
        description="Address of a room for meetings by video; `{room}` is its unguessable id.",
    )

    gov_service_url: str = Field("http://127.0.0.1:8091", description="Address of the gov service.")
    gov_service_callback_url: str = Field(
        "", description="Where the gov service sends its callbacks; by default below public_url."
    )
    gov_service_callback_secret: SecretStr = Field(
        SecretStr(""),
        description="Sign the callbacks of the gov service: `whsec_…,whsec_…`, the newest first.",
    )
    module_keys: Path | None = Field(
        None, description="Folder of the keys for the gov service; by default below home."
    )
    module_keys_password: SecretStr = SecretStr("")
    module_crypto: ModuleCrypto = Field(
        "standard", description="`gost` needs OpenSSL's engine of that name."
    )

    keys: SecretStr = Field(
        SecretStr(""),
        description="Encrypt stored data: `id:base64 of 32 bytes`, comma separated, newest first.",
    )
    metrics_address: str = Field(
        "", description="host:port at which this process serves metrics; empty: nowhere."
    )
    otlp_url: str = Field("", description="OpenTelemetry collector: http://host:4318.")
    trace_share: float = Field(1.0, ge=0, le=1, description="Share of all acts that is traced.")
    seal_file: Path | None = Field(None, description="PKCS#12 file of the institution's seal.")
    seal_password: SecretStr = SecretStr("")

    backup_folder: Path | None = Field(
        None, description="Where backups go when `--to` does not say; best on another machine."
    )
    backup_keys_folder: Path | None = Field(
        None, description="Where the keys are backed up, apart from the data they open."
    )
    backup_key: SecretStr = Field(
        SecretStr(""), description="What backups are encrypted with: base64 of 32 bytes."
    )
    backup_every: int = Field(
        0,
        ge=0,
        description="Hours after which the archiver takes the next backup; 0: it takes none.",
    )
    backup_keep: int = Field(
        0,
        ge=0,
        description="For how many days the newest backup of each day is kept; 0 keeps all backups.",
    )
    backup_recipient: str = Field(
        "", description="Public half of the recovery phrase, which alone opens the backed-up keys."
    )

    session_idle: int = 15 * 60
    oidc_issuer: str = Field(
        "", description="Issuer of the provider of OpenID Connect; without it there is none."
    )
    oidc_name: str = Field("ЕСИА", description="What people call the provider.")
    oidc_client_id: str = Field("medcab", description="What the provider calls us.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Our secret there.")
    registration: bool = Field(
        False, description="Whether people may register by themselves; otherwise they are invited."
    )
    registration_units: str = Field(
        "",
        description="Codes of the units open to registration, comma separated; the institution.",
    )
    watch_use: bool = Field(
        True, description="Off only where what the application can do is measured."
    )
    crash_points: Path | None = Field(
        None, description="Development only: folder of files that name where a process is to crash."
    )
    sweep_grace: float = Field(
        60.0, description="The sweeper wakes a case when its wakes_at is past for this long."
    )
    upload_limit: int = 10 * 1024 * 1024
    antivirus_url: str = Field("", description="clamd: tcp://host:port or unix:///path.")
    cookie_secure: bool = Field(
        True, description="False only if people open a loopback address by plain http."
    )
    tls: bool = Field(
        False, description="`medcab up` opens the cabinet by https, with a certificate of its own."
    )
    tls_certificate: Path | None = Field(
        None, description="Certificate by which `medcab api` itself speaks TLS 1.3, as PEM."
    )
    tls_key: Path | None = Field(None, description="The key of that certificate, as PEM.")
    tls_authority: Path | None = Field(
        None, description="Its authority, where nobody knows it: the demo and simulators then do."
    )
    trusted_proxies: str = Field(
        "", description="Addresses of proxies whose X-Forwarded-For is believed, comma separated."
    )

    @field_validator("home", mode="before")
    @classmethod
    def _is_one_place(cls, home: str | Path) -> Path:
        return Path(home or HOME).resolve()

    @field_validator("time_zone")
    @classmethod
    def _has_such_a_zone(cls, name: str) -> str:
        if not is_zone(name):
            raise ValueError("name a zone of the IANA database, such as Europe/Moscow")
        return name

    @field_validator("subscriber_networks")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        for one in filter(None, map(str.strip, networks.split(","))):
            ip_network(one)
        return networks

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: str) -> str:
        for one in filter(None, map(str.strip, proxies.split(","))):
            ip_network(one, strict=False)
        return proxies

    @property
    def s3_keys(self) -> tuple[str, str]:
        """The account in the object store, and its password. Raises MissingSettingError."""
        keys = self.s3_access_key.get_secret_value(), self.s3_secret_key.get_secret_value()
        for name, key in zip(("S3_ACCESS_KEY", "S3_SECRET_KEY"), keys, strict=True):
            if not key:
                raise MissingSettingError(f"{name} is empty: files and papers cannot be reached")
        return keys

    @property
    def s3_locked_bucket(self) -> str:
        """The bucket in which nothing can be replaced or removed for years."""
        return f"{self.s3_bucket}-locked"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()


def cache_folder() -> Path:
    """The folder of what was fetched or computed once on this machine, for all checkouts."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medcab"
