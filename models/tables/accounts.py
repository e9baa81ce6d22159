"""Accounts, what proves a sign-in, and the journal of every try.

Secrets that only have to be recognised (passwords, session and access tokens) are stored hashed;
the seed of the second factor has to be read, and is encrypted.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.blind_indexes import blind_index, unique_places
from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id
from rules.texts.mail_addresses import folded


class Account(SQLModel, table=True):
    """How a person signs in."""

    __tablename__ = "account"
    __table_args__ = (*unique_places("account", "login"),)

    person_id: UUID = Field(foreign_key="person.id", primary_key=True)
    login: str = Field(
        sa_column=blind_index("person.email", folded),
        description="Blind index of the e-mail address.",
    )
    password_hash: str | None = Field(
        default=None,
        description="argon2id, with its parameters; None: it has to be set anew first.",
    )
    password_changed_at: datetime = Field(sa_column=utc_column())
    must_change_password: bool = Field(
        default=False, description="True if somebody else chose the password."
    )
    totp_secret: str | None = Field(
        default=None, sa_column=Column(EncryptedText("account.totp_secret"), nullable=True)
    )
    totp_confirmed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    totp_last_step: int = Field(
        default=0, description="Number of the last half minute (RFC 6238) whose code was used."
    )
    state: str = Field(
        default="registered", description="`registered`, `active` or `confirmed` (I1)."
    )
    locked_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    locked_reason: str | None = None
    theme: str = Field(default="system", description="`light`, `dark` or `system`.")
    created_at: datetime = Field(sa_column=utc_column())


class Invitation(SQLModel, table=True):
    """A link by which a person makes the account; only the mail has its secret."""

    __tablename__ = "invitation"
    __table_args__ = (
        Index(
            "invitation_open", "person_id", unique=True, postgresql_where=text("ended_at is null")
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id")
    secret_hash: str = Field(unique=True, description="SHA-256 of the secret.")
    by: UUID | None = Field(
        default=None, foreign_key="person.id", description="None: made at the command line."
    )
    created_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_why: str | None = Field(
        default=None, description="`used`, `renewed`, `revoked`, `address_changed` or `left`."
    )


class Registration(SQLModel, table=True):
    """Somebody who wants an account and has not opened the link yet. Deleted when it was used.

    Each address has one at most; asking again replaces it. Known addresses have one too, whose
    secret nobody was sent, so that both cost the same.
    """

    __tablename__ = "registration"
    __table_args__ = (*unique_places("registration", "email_blind"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    unit_id: UUID = Field(foreign_key="unit.id")
    name: str = Field(sa_column=Column(EncryptedText("registration.name"), nullable=False))
    email: str = Field(sa_column=Column(EncryptedText("registration.email"), nullable=False))
    email_blind: str = Field(sa_column=blind_index("registration.email", folded))
    language: str
    secret_hash: str = Field(unique=True, description="SHA-256 of the secret in the link.")
    created_at: datetime = Field(
        sa_column=utc_column(), description="When the terms were accepted."
    )
    ends_at: datetime = Field(sa_column=utc_column(index=True))


class DeviceToken(SQLModel, table=True):
    """That an account was confirmed on a device: a token that changes every 24 hours."""

    __tablename__ = "device_token"
    __table_args__ = (
        Index(
            "device_token_open",
            "person_id",
            "device_hash",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    device_hash: str = Field(description="SHA-256 of the device's own cookie.")
    family_hash: str = Field(description="SHA-256 of the part of the token that stays.")
    token_hash: str = Field(description="SHA-256 of the present secret.")
    before_hash: str | None = Field(default=None, description="SHA-256 of the secret before.")
    salt: str | None = Field(
        default=None, description="What made the present secret out of the one before."
    )
    rotated_at: datetime = Field(sa_column=utc_column(index=True))
    created_at: datetime = Field(sa_column=utc_column())
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_why: str | None = None


class AccountSession(SQLModel, table=True):
    """One sign-in on one device. Only the browser knows its token."""

    __tablename__ = "account_session"
    __table_args__ = (Index("account_session_of_person", "person_id", "ended_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    token_hash: str = Field(unique=True, description="SHA-256 of the token.")
    device_hash: str = Field(description="SHA-256 of the device's own cookie.")
    device_token_id: UUID | None = Field(
        default=None,
        foreign_key="device_token.id",
        index=True,
        description="Without it nothing is open but the steps of signing in.",
    )
    device: str
    device_kind: str
    address: str
    stage: str = Field(description="`code`, `setup`, `password` or `open`.")
    created_at: datetime = Field(sa_column=utc_column())
    last_active: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    second_factor_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    checked_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When a factor was entered so that another one may be set up.",
    )
    pending_secret: str | None = Field(
        default=None,
        sa_column=Column(EncryptedText("account_session.pending_secret"), nullable=True),
        description="Seed that was shown and is not confirmed yet.",
    )
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_why: str | None = None


class KnownDevice(SQLModel, table=True):
    """A device on which a person has signed in before."""

    __tablename__ = "known_device"
    __table_args__ = (UniqueConstraint("person_id", "device_hash"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    device_hash: str
    name: str
    first_seen: datetime = Field(sa_column=utc_column())
    last_seen: datetime = Field(sa_column=utc_column())


class AccessToken(SQLModel, table=True):
    """A personal access token for programs: limited in its rights and its life."""

    __tablename__ = "access_token"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id", index=True)
    name: str
    token_hash: str = Field(unique=True, description="SHA-256 of the token.")
    hint: str = Field(description="The last four characters, to tell tokens apart.")
    scope: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    created_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())
    last_used_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class PasswordReset(SQLModel, table=True):
    """A link by which a forgotten password can be set anew. Using one deletes all of the person."""

    __tablename__ = "password_reset"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id", index=True)
    secret_hash: str = Field(unique=True, description="SHA-256 of the secret in the link.")
    created_at: datetime = Field(sa_column=utc_column())
    ends_at: datetime = Field(sa_column=utc_column())


class LoginAttempt(SQLModel, table=True):
    """The login journal: every try to sign in, and every change of what signs in. Append-only."""

    __tablename__ = "login_attempt"
    __table_args__ = (
        Index("login_attempt_of_person", "person_id", "at", "id"),
        Index("login_attempt_from", "address", "id"),
        Index(
            "login_attempt_failed",
            text("id nulls first"),
            postgresql_where=text("outcome <> 'passed'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_column=utc_column(index=True))
    person_id: UUID | None = Field(default=None, foreign_key="person.id")
    login: str | None = Field(default=None, description="Blind index of what was typed.")
    step: str
    outcome: str
    method: str | None = Field(default=None, description="Of the second factor, if one was used.")
    address: str
    device: str
    device_kind: str


class RateLimit(SQLModel, table=True):
    """How much of an allowance is used up, as the moment at which it will be whole again."""

    __tablename__ = "rate_limit"

    key: str = Field(primary_key=True)
    whole_at: datetime = Field(sa_column=utc_column(index=True))


class RiskEvent(SQLModel, table=True):
    """One sign; within the hour the same one of the same person is counted here."""

    __tablename__ = "risk_event"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="person.id", index=True)
    kind: str = Field(description="One of `rules.risks.RiskKind`.")
    key: str = Field(unique=True, description="Sign, person and hour.")
    at: datetime = Field(sa_column=utc_column(index=True))
    last_at: datetime = Field(sa_column=utc_column())
    times: int = 1
    address: str
    device: str
    device_kind: str
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    secret_hash: str | None = Field(
        default=None,
        unique=True,
        description="SHA-256 of the secret in the link of the notice; none once it was used.",
    )
    closed_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))
    closed_by: UUID | None = Field(default=None, foreign_key="person.id")
    outcome: str | None = Field(default=None, description="One of `rules.risks.RiskOutcome`.")


class AccountLock(SQLModel, table=True):
    """An account that was locked by suspicion, and how far it is with being opened."""

    __tablename__ = "account_lock"
    __table_args__ = (
        Index(
            "account_lock_open", "person_id", unique=True, postgresql_where=text("ended_at is null")
        ),
        CheckConstraint("operator_id <> person_id", name="account_lock_operator"),
        CheckConstraint(
            "approver_id <> person_id and approver_id <> operator_id", name="account_lock_approver"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    how: str = Field(description="One of `rules.risks.LockedBy`.")
    by: UUID | None = Field(default=None, foreign_key="person.id")
    at: datetime = Field(sa_column=utc_column())
    state: str = Field(description="One of `rules.account_locks.LockState`.")
    since: datetime = Field(sa_column=utc_column())
    secret_hash: str = Field(
        unique=True, description="SHA-256 of the secret in the newest link to choose a meeting."
    )
    reminded: int = 0
    looks_at: datetime = Field(sa_column=utc_column(index=True))
    woken_at: datetime | None = Field(
        default=None,
        sa_column=utc_column(nullable=True),
        description="When the sweeper last woke its workflow.",
    )
    meeting_id: UUID | None = Field(default=None, foreign_key="meeting.id")
    code_hash: str | None = Field(
        default=None,
        description="argon2id of the code that the operator told an owner without any factor.",
    )
    operator_id: UUID | None = Field(default=None, foreign_key="person.id")
    approver_id: UUID | None = Field(default=None, foreign_key="person.id")
    ended_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class ProviderLink(SQLModel, table=True):
    """That a person signs in through the external provider as well."""

    __tablename__ = "provider_link"
    __table_args__ = (*unique_places("provider_link", "subject_blind"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id", unique=True)
    subject: str = Field(
        sa_column=Column(EncryptedText("provider_link.subject"), nullable=False),
        description="Issuer and subject, as the index is made of them.",
    )
    subject_blind: str = Field(sa_column=blind_index("provider_link.subject", str))
    linked_at: datetime = Field(sa_column=utc_column())


class ProviderAttempt(SQLModel, table=True):
    """A browser that was sent to the provider. Its return deletes the row."""

    __tablename__ = "provider_attempt"

    state_hash: str = Field(primary_key=True, description="SHA-256 of the state.")
    device_hash: str = Field(description="SHA-256 of the device's own cookie.")
    person_id: UUID | None = Field(
        default=None, foreign_key="account.person_id", description="Who wants to link the subject."
    )
    next: str = Field(description="Where the person wanted to go.")
    ends_at: datetime = Field(sa_column=utc_column(index=True))
