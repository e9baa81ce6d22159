"""Passkeys as a second factor: keys of a browser, telephone or stick that answer only to this site.

A challenge is made for one session (or one link for a new password), is valid for five minutes and
answered once. The counter of signatures only grows, so a copied key is found out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete, update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto import passkeys as webauthn
from crypto.passkeys import NewKey, RelyingParty
from models.tables.people import Person
from models.tables.second_factor import Passkey, PasskeyChallenge
from rules.accounts import SignInLimits
from rules.refusals import Refusal, not_found
from rules.second_factor import (
    CHALLENGE_LIVES,
    MOST_PASSKEYS,
    Method,
    no_passkeys_here,
    passkey_name,
    too_many_passkeys,
    wrong_passkey,
)
from services.accounts.second_factor.enrolling import Enrolled, demand_right, enrol
from services.accounts.second_factor.methods import Attempt, Offer, Site, Use
from services.accounts.sessions import Current, Visitor


class Passkeys:
    """Any of the passkeys that the person has added."""

    method = Method.PASSKEY

    async def offer(self, session: AsyncSession, person_id: UUID) -> Offer | None:
        """Offered where there is one."""
        return Offer(self.method) if await _ids(session, person_id) else None

    async def begin(self, database: Database, attempt: Attempt, site: Site) -> str:
        """A challenge for the person's passkeys, as JSON for the browser."""
        party = _party(site)
        async with database.work() as session:
            made = webauthn.to_sign(party, await _ids(session, attempt.person_id))
            await _keep(session, attempt, party, made.challenge)
        return made.options

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Check the signature of the challenge that was made for this sign-in."""
        async with database.work() as session:
            asked = await _asked(session, attempt)
            found = await session.exec(
                select(Passkey).where(
                    Passkey.person_id == attempt.person_id,
                    Passkey.credential_id == webauthn.id_of(answer),
                )
            )
            row = found.one_or_none()
        if asked is None or row is None:
            return None
        key = NewKey(row.credential_id, row.public_key, row.sign_count)
        count = webauthn.signed(
            RelyingParty(asked.rp_id, asked.origin), asked.challenge, answer, key
        )
        return None if count is None else partial(self._use, asked.about, row.id, count, attempt)

    async def _use(
        self, about: UUID, passkey_id: UUID, count: int, attempt: Attempt, session: AsyncSession
    ) -> bool:
        if not await _answer(session, about):
            return False
        before = col(Passkey.sign_count)
        grown = before < count if count else before == 0
        used = await session.exec(
            update(Passkey)
            .where(col(Passkey.id) == passkey_id, grown)
            .values(sign_count=count, last_used_at=attempt.now)
            .returning(col(Passkey.id))
            .execution_options(synchronize_session=False)
        )
        return used.first() is not None

    async def remove(self, session: AsyncSession, person_id: UUID, which: UUID | None) -> bool:
        """Delete one passkey, or all."""
        chosen = [col(Passkey.id) == which] if which is not None else []
        gone = await session.exec(
            delete(Passkey).where(col(Passkey.person_id) == person_id, *chosen)
        )
        return bool(gone.rowcount)

    def refusal(self) -> Refusal:
        """The signature is of another challenge or key."""
        return wrong_passkey()


@dataclass(frozen=True)
class _NewPasskey:
    """A passkey that was made for a challenge, and is to be kept under a name."""

    name: str
    method = Method.PASSKEY
    replaces = False

    async def recognise(self, database: Database, attempt: Attempt, answer: str) -> Use | None:
        """Check that it was made for this site and this challenge."""
        async with database.work() as session:
            asked = await _asked(session, attempt)
        if asked is None:
            return None
        party = RelyingParty(asked.rp_id, asked.origin)
        key = webauthn.made(party, asked.challenge, answer)
        return None if key is None else partial(self._use, asked.about, key, attempt)

    async def _use(self, about: UUID, key: NewKey, attempt: Attempt, session: AsyncSession) -> bool:
        known = await _ids(session, attempt.person_id)
        if key.credential_id in known or not await _answer(session, about):
            return False
        if len(known) >= MOST_PASSKEYS:
            raise too_many_passkeys()
        session.add(
            Passkey(
                person_id=attempt.person_id,
                credential_id=key.credential_id,
                public_key=key.public_key,
                sign_count=key.sign_count,
                name=self.name,
                created_at=attempt.now,
            )
        )
        await session.flush()
        return True

    def refusal(self) -> Refusal:
        """It was made for another challenge, or is known already."""
        return wrong_passkey()


async def passkeys_of(session: AsyncSession, person_id: UUID) -> Sequence[Passkey]:
    """The person's passkeys, the oldest first."""
    found = await session.exec(
        select(Passkey).where(Passkey.person_id == person_id).order_by(col(Passkey.id))
    )
    return found.all()


async def begin_setup(
    database: Database, current: Current, visitor: Visitor, now: datetime, site: Site
) -> str:
    """A challenge to make a passkey, as JSON for the browser.

    Raises Refusal 403 `second_factor_needed`, 409 where browsers make none, or if there are ten.
    """
    party = _party(site)
    attempt = Attempt(current.person_id, demand_right(current, now), visitor, now)
    async with database.work() as session:
        person = await session.get_one(Person, current.person_id)
        known = await _ids(session, current.person_id)
        if len(known) >= MOST_PASSKEYS:
            raise too_many_passkeys()
        made = webauthn.to_make(
            party, site.institution, current.person_id.bytes, person.email, known
        )
        await _keep(session, attempt, party, made.challenge)
    return made.options


async def confirm_setup(
    database: Database,
    current: Current,
    name: str,
    answer: str,
    visitor: Visitor,
    now: datetime,
    limits: SignInLimits,
) -> Enrolled:
    """Keep the passkey that the browser has made. Raises as `enrol` does, 422 for a bad name."""
    new = _NewPasskey(passkey_name(name))
    return await enrol(database, current, new, answer, visitor, now, limits)


async def rename(session: AsyncSession, person_id: UUID, passkey_id: UUID, name: str) -> None:
    """Give a passkey another name. Raises Refusal 404, 422."""
    row = await session.get(Passkey, passkey_id, with_for_update=True)
    if row is None or row.person_id != person_id:
        raise not_found()
    row.name = passkey_name(name)


def _party(site: Site) -> RelyingParty:
    party = RelyingParty.at(site.public_url)
    if party is None:
        raise no_passkeys_here()
    return party


async def _ids(session: AsyncSession, person_id: UUID) -> list[bytes]:
    found = await session.exec(select(Passkey.credential_id).where(Passkey.person_id == person_id))
    return list(found)


async def _keep(
    session: AsyncSession, attempt: Attempt, party: RelyingParty, challenge: bytes
) -> None:
    """Keep the challenge, in place of an earlier one for the same."""
    await session.exec(delete(PasskeyChallenge).where(col(PasskeyChallenge.about) == attempt.about))
    session.add(
        PasskeyChallenge(
            about=attempt.about,
            person_id=attempt.person_id,
            challenge=challenge,
            rp_id=party.id,
            origin=party.origin,
            ends_at=attempt.now + CHALLENGE_LIVES,
        )
    )


async def _asked(session: AsyncSession, attempt: Attempt) -> PasskeyChallenge | None:
    """The challenge that was made for this, if it is not over."""
    found = await session.exec(
        select(PasskeyChallenge).where(
            PasskeyChallenge.about == attempt.about,
            PasskeyChallenge.person_id == attempt.person_id,
            PasskeyChallenge.ends_at > attempt.now,
        )
    )
    return found.one_or_none()


async def _answer(session: AsyncSession, about: UUID) -> bool:
    """Use the challenge up. False if it was answered before."""
    gone = await session.exec(
        delete(PasskeyChallenge)
        .where(col(PasskeyChallenge.about) == about)
        .returning(col(PasskeyChallenge.about))
    )
    return gone.first() is not None
