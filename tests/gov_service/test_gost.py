"""GOST is a switch: it works where OpenSSL has the engine, and says so where it has not (S3)."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from crypto.gost import REMEDY, gost_works
from services.gov_service.envelopes import (
    GOV_SERVICE,
    MEDCAB,
    EnvelopeFault,
    EnvelopeRefused,
    Envelopes,
)
from services.gov_service.key_folder import GovServiceKeysError
from services.gov_service.keys import (
    ensure_key_folders,
    gov_service_folder,
    keys_in,
    keys_of,
    our_folder,
)
from services.gov_service.keys_gost import GostKeys
from settings import Settings

PLAIN = "Запрос № ЗС-2026-000123-4".encode() + bytes(range(256)) * 200

needs_gost = pytest.mark.skipif(not gost_works(), reason=REMEDY)


@pytest.fixture
def ours(tmp_path: Path) -> GostKeys:
    """Our ring of a line whose other end is in the same home."""
    ensure_key_folders(tmp_path, "gost")
    return GostKeys(our_folder(tmp_path, "gost"))


@pytest.fixture
def theirs(tmp_path: Path, ours: GostKeys) -> GostKeys:
    """The module's."""
    return GostKeys(gov_service_folder(tmp_path, "gost"))


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An OpenSSL that finds no engines."""
    monkeypatch.setenv("OPENSSL_ENGINES", str(tmp_path))
    gost_works.cache_clear()
    yield
    monkeypatch.undo()
    gost_works.cache_clear()


def test_without_the_engine_the_remedy_is_said(no_engine: None, tmp_path: Path) -> None:
    """Nothing falls back to other cryptography behind one's back."""
    with pytest.raises(GovServiceKeysError, match="libengine-gost-openssl"):
        keys_of(Settings(home=tmp_path, module_crypto="gost"))
    with pytest.raises(GovServiceKeysError, match="libengine-gost-openssl"):
        ensure_key_folders(tmp_path, "gost")


def test_the_switch_knows_two_positions(tmp_path: Path) -> None:
    """A slip of the pen is no cryptography."""
    with pytest.raises(ValidationError):
        Settings.model_validate({"home": tmp_path, "module_crypto": "ghost"})


@needs_gost
def test_both_ways(ours: GostKeys, theirs: GostKeys) -> None:
    """What one end seals the other opens; the parts are GOST's."""
    id_ = uuid4()
    envelope = Envelopes(ours).wrap(PLAIN, message_id=id_)
    opened = Envelopes(theirs, GOV_SERVICE).open_(envelope, message_id=id_)
    assert (opened.plain, opened.signer) == (PLAIN, "Личный кабинет (тест)")
    assert PLAIN not in envelope
    back = Envelopes(theirs, GOV_SERVICE).wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    assert Envelopes(ours).open_(back, message_id=id_).plain == PLAIN
    said = subprocess.run(
        ["openssl", "asn1parse", "-inform", "DER"], input=envelope, capture_output=True, check=True
    ).stdout
    for part in (b"GOST 28147-89", b"GOST R 34.10-2012"):
        assert part in said


@needs_gost
def test_what_was_touched_is_refused(ours: GostKeys, theirs: GostKeys) -> None:
    """Outside, inside, another message, another addressee, another signer, another reader."""
    id_, end = uuid4(), Envelopes(theirs, GOV_SERVICE)
    good = Envelopes(ours).wrap(PLAIN, message_id=id_)

    def code(envelope: bytes) -> EnvelopeFault:
        with pytest.raises(EnvelopeRefused) as caught:
            end.open_(envelope, message_id=id_)
        return caught.value.code

    touched = (EnvelopeFault.NOT_DECRYPTED, EnvelopeFault.CHANGED, EnvelopeFault.NOT_SIGNED)
    for place in (len(good) // 2, len(good) - 60_000 // 2):
        assert code(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]) in touched
    assert code(b"rubbish") is EnvelopeFault.UNREADABLE
    other = Envelopes(ours).wrap(PLAIN, message_id=uuid4())
    assert code(other) is EnvelopeFault.OTHER_MESSAGE
    astray = Envelopes(ours).wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    assert code(astray) is EnvelopeFault.OTHER_ADDRESSEE
    echo = Envelopes(theirs).wrap(PLAIN, message_id=id_)
    assert code(echo) is EnvelopeFault.NOT_FOR_US
    ours.use(ours.add("Чужой", "Неизвестно").id)
    assert code(Envelopes(ours).wrap(PLAIN, message_id=id_)) is EnvelopeFault.UNKNOWN_SIGNER


@needs_gost
def test_keys_are_renewed(ours: GostKeys, theirs: GostKeys) -> None:
    """As with any other ring."""
    id_ = uuid4()
    old = Envelopes(theirs).wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    new = ours.add('Больница "№ 7" / a=b+c', "Ведомство \\ x")
    ours.use(new.id)
    theirs.trust(new.certificate)
    sealed = Envelopes(ours).wrap(PLAIN, message_id=id_)
    opened = Envelopes(theirs, GOV_SERVICE).open_(sealed, message_id=id_)
    assert opened.signer == 'Больница "№ 7" / a=b+c'
    assert Envelopes(ours).open_(old, message_id=id_).plain == PLAIN


@needs_gost
def test_rings_do_not_mix(ours: GostKeys, tmp_path: Path) -> None:
    """A certificate of the other cryptography is not taken in, nor is a key."""
    ensure_key_folders(tmp_path)
    standard = keys_in(our_folder(tmp_path), "standard")
    with pytest.raises(GovServiceKeysError, match="GOST"):
        ours.trust(standard.key_ring().signing.certificate)
    with pytest.raises(GovServiceKeysError, match="cannot be read"):
        ours.take(our_folder(tmp_path) / "own" / "k1.p12", "")
    with pytest.raises(GovServiceKeysError, match="elliptic curve"):
        standard.trust(ours.key_ring().signing.certificate)
