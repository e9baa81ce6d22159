"""What proves a second factor besides the authenticator app, whose seed is in `account`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.encrypted_columns import EncryptedText
from models.tables.base import utc_column
from rules.ids import new_id


class RecoveryCode(SQLModel, table=True):
    """One recovery code of the person's present set."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("person_id", "number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    number: int = Field(description="Its place in the set, from 1; the code begins with it.")
    code_hash: str = Field(description="argon2id of the rest of the code.")
    created_at: datetime = Field(sa_column=utc_column())
    used_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class SmsFactor(SQLModel, table=True):
    """The number to which a person has codes sent."""

    __tablename__ = "sms_factor"

    person_id: UUID = Field(foreign_key="account.person_id", primary_key=True)
    phone: str = Field(sa_column=Column(EncryptedText("sms_factor.phone"), nullable=False))
    created_at: datetime = Field(sa_column=utc_column())


class SmsCode(SQLModel, table=True):
    """A code that was sent and not used yet."""

    __tablename__ = "sms_code"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id")
    about: UUID = Field(
        unique=True, description="The session, or the link for a new password, that asked for it."
    )
    phone: str = Field(sa_column=Column(EncryptedText("sms_code.phone"), nullable=False))
    code_hash: str = Field(description="Keyed hash of the row's id and the code.")
    ends_at: datetime = Field(sa_column=utc_column(index=True))


class Passkey(SQLModel, table=True):
    """A passkey: the public half of a key that stays on the person's device."""

    __tablename__ = "passkey"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    person_id: UUID = Field(foreign_key="account.person_id", index=True)
    credential_id: bytes = Field(unique=True)
    public_key: bytes = Field(description="In COSE form.")
    sign_count: int = Field(
        sa_column=Column(BigInteger, nullable=False),
        description="How often it has signed; 0 for one that does not count.",
    )
    name: str = Field(sa_column=Column(EncryptedText("passkey.name"), nullable=False))
    created_at: datetime = Field(sa_column=utc_column())
    last_used_at: datetime | None = Field(default=None, sa_column=utc_column(nullable=True))


class PasskeyChallenge(SQLModel, table=True):
    """What a browser was asked to sign, and has not been answered yet."""

    __tablename__ = "passkey_challenge"

    about: UUID = Field(
        primary_key=True, description="The session or the link for a new password that asked."
    )
    person_id: UUID = Field(foreign_key="account.person_id")
    challenge: bytes
    rp_id: str
    origin: str
    ends_at: datetime = Field(sa_column=utc_column(index=True))
