"""Messages to and from the gov service: signed, then encrypted for their reader.

An envelope is CMS: SignedData (RFC 5652) inside AuthEnvelopedData (RFC 5083), DER. The signed
content begins with two lines that bind it to one message and one addressee, so that neither an old
envelope nor one meant for somebody else is accepted. The reasons: docs/decisions/envelopes.md.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from crypto.certificates import common_name, in_force, serial_number
from crypto.cms_encryption import CipherError, NotDecrypted, NotForUs
from crypto.cms_signatures import ContentChanged, SignatureError, UnknownSigner
from rules import clock
from services.gov_service.keys import Keys

MEDCAB, GOV_SERVICE = "medcab", "gov-service"
"""The two parties of the exchange."""
SKEW = timedelta(minutes=5)
"""By how much the clocks of the two parties may differ."""
_HEAD = re.compile(rb"Message: ([0-9a-f-]{36})\r\nTo: ([a-z0-9.-]{1,64})\r\n\r\n")


class EnvelopeFault(StrEnum):
    """Why an envelope is refused."""

    UNREADABLE = "unreadable"
    NOT_FOR_US = "not_for_us"
    NOT_DECRYPTED = "not_decrypted"
    NOT_SIGNED = "not_signed"
    CHANGED = "changed"
    UNKNOWN_SIGNER = "unknown_signer"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    OTHER_MESSAGE = "other_message"
    OTHER_ADDRESSEE = "other_addressee"


class EnvelopeRefused(Exception):
    """An envelope that must not be believed; `code` is one of `EnvelopeFault`."""

    def __init__(self, code: EnvelopeFault) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True)
class OpenedEnvelope:
    """The contents of an envelope. `signer_serial` is the certificate's serial number in hex."""

    plain: bytes
    signer_serial: str
    signer: str
    signed_at: datetime


class Envelopes:
    """One party of the exchange; `us` is the name by which the other party addresses it."""

    def __init__(self, keys: Keys, us: str = MEDCAB) -> None:
        self._keys = keys
        self._us = us

    def wrap(self, plain: bytes, *, message_id: UUID, addressee: str = GOV_SERVICE) -> bytes:
        """The envelope of a message, DER. Signing and encrypting take some 2 ms, by GOST some 40.

        Raises GovServiceKeysError if no valid key can sign, or no valid certificate of the reader
        is known.
        """
        head = f"Message: {message_id}\r\nTo: {addressee}\r\n\r\n"
        return self._keys.wrap(head.encode() + plain, clock.now())

    def open_(self, envelope: bytes, *, message_id: UUID) -> OpenedEnvelope:
        """What the other party encrypted for us under this message. Raises EnvelopeRefused."""
        now = clock.now()
        try:
            inner = self._keys.unwrap(envelope)
        except NotForUs as error:
            raise EnvelopeRefused(EnvelopeFault.NOT_FOR_US) from error
        except NotDecrypted as error:
            raise EnvelopeRefused(EnvelopeFault.NOT_DECRYPTED) from error
        except CipherError as error:
            raise EnvelopeRefused(EnvelopeFault.UNREADABLE) from error
        try:
            signed = self._keys.check(inner)
        except UnknownSigner as error:
            raise EnvelopeRefused(EnvelopeFault.UNKNOWN_SIGNER) from error
        except ContentChanged as error:
            raise EnvelopeRefused(EnvelopeFault.CHANGED) from error
        except SignatureError as error:
            raise EnvelopeRefused(EnvelopeFault.NOT_SIGNED) from error
        if signed.signed_at is None:
            raise EnvelopeRefused(EnvelopeFault.NOT_SIGNED)
        if not in_force(signed.certificate, signed.signed_at):
            raise EnvelopeRefused(EnvelopeFault.EXPIRED)
        if signed.signed_at > now + SKEW:
            raise EnvelopeRefused(EnvelopeFault.FROM_THE_FUTURE)
        # A signature made today with an expired key may be dated back: nobody vouches for that key.
        if not in_force(signed.certificate, now):
            raise EnvelopeRefused(EnvelopeFault.EXPIRED)
        head = _HEAD.match(signed.content)
        if head is None or head[1] != str(message_id).encode():
            raise EnvelopeRefused(EnvelopeFault.OTHER_MESSAGE)
        if head[2] != self._us.encode():
            raise EnvelopeRefused(EnvelopeFault.OTHER_ADDRESSEE)
        return OpenedEnvelope(
            plain=signed.content[head.end() :],
            signer_serial=serial_number(signed.certificate),
            signer=common_name(signed.certificate),
            signed_at=signed.signed_at,
        )
