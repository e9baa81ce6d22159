"""Envelopes of the line to the module: read by others, refused when touched, keys renewed (S3)."""

import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from crypto.certificates import as_pem, fingerprint
from crypto.cms_encryption import decrypt, encrypt
from crypto.cms_signatures import CmsSigner, PrivateKey, sign_content
from services.gov_service.envelopes import (
    GOV_SERVICE,
    MEDCAB,
    EnvelopeFault,
    EnvelopeRefused,
    Envelopes,
)
from services.gov_service.key_folder import GovServiceKeysError
from services.gov_service.keys import ensure_key_folders, gov_service_folder, our_folder
from services.gov_service.keys_standard import StandardKeys

PLAIN = "Запрос № ЗС-2026-000123-4".encode() + bytes(range(256))


@dataclass
class Ends:
    """Both ends of a line, with keys of one kind."""

    home: Path

    @property
    def ours(self) -> StandardKeys:
        """Our ring."""
        return StandardKeys(our_folder(self.home))

    @property
    def theirs(self) -> StandardKeys:
        """The module's."""
        return StandardKeys(gov_service_folder(self.home))

    @property
    def us(self) -> Envelopes:
        """Our end."""
        return Envelopes(self.ours)

    @property
    def module(self) -> Envelopes:
        """The module's end."""
        return Envelopes(self.theirs, GOV_SERVICE)


def certified(
    key: PrivateKey, *, since: timedelta = timedelta(days=-1), until: timedelta = timedelta(days=1)
) -> x509.Certificate:
    """A certificate of any term."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Испытание")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
        .sign(key, hashes.SHA256())
    )


def packed(
    folder: Path, key: PrivateKey, certificate: x509.Certificate, password: str = ""
) -> Path:
    """The key as an authority hands it out."""
    secret = password.encode()
    file = folder / f"{uuid4().hex}.p12"
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"key",
            key,
            certificate,
            None,
            serialization.BestAvailableEncryption(secret)
            if secret
            else serialization.NoEncryption(),
        )
    )
    return file


def rsa_key() -> PrivateKey:
    """As older authorities give."""
    return rsa.generate_private_key(65537, 2048)


def p384_key() -> PrivateKey:
    """Another curve than our own."""
    return ec.generate_private_key(ec.SECP384R1())


@pytest.fixture(scope="module", params=["p256", "p384", "rsa"])
def ends(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """A line whose keys are of each kind."""
    home = tmp_path_factory.mktemp("home")
    made = Ends(home)
    if request.param != "p256":
        for ring in (made.ours, made.theirs):
            key = rsa_key() if request.param == "rsa" else p384_key()
            ring.use(ring.take(packed(home, key, certified(key)), "").id)
    ensure_key_folders(home)
    return made


@pytest.fixture
def line(tmp_path: Path) -> Ends:
    """A line of this test's own."""
    ensure_key_folders(tmp_path)
    return Ends(tmp_path)


def code_of(end: Envelopes, envelope: bytes, message_id: UUID) -> EnvelopeFault:
    """Why this end refuses the envelope."""
    with pytest.raises(EnvelopeRefused) as caught:
        end.open_(envelope, message_id=message_id)
    return caught.value.code


def openssl(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What the independent tool does."""
    return subprocess.run(
        ["openssl", "cms", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def handed_to_openssl(folder: Path, ring: StandardKeys, other: StandardKeys) -> None:
    """The key of one end and the certificate of the other, as PEM."""
    signing = ring.key_ring().signing
    (folder / "key.pem").write_bytes(
        signing.signer.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    (folder / "own.pem").write_text(as_pem(signing.certificate))
    (folder / "other.pem").write_text(as_pem(other.key_ring().signing.certificate))


@pytest.mark.parametrize("plain", [PLAIN, b"", bytes(3_000_000)], ids=["some", "nothing", "much"])
def test_both_ways(ends: Ends, plain: bytes) -> None:
    """What one end seals the other opens, and learns who signed it and when."""
    id_ = uuid4()
    opened = ends.module.open_(ends.us.wrap(plain, message_id=id_), message_id=id_)
    signing = ends.ours.key_ring().signing.certificate
    assert opened.plain == plain
    assert opened.signer_serial == f"{signing.serial_number:X}"
    assert abs(opened.signed_at - datetime.now(UTC)) < timedelta(seconds=30)
    back = ends.module.wrap(plain, message_id=id_, addressee=MEDCAB)
    assert ends.us.open_(back, message_id=id_).plain == plain


def test_an_independent_tool_reads_ours(ends: Ends, tmp_path: Path) -> None:
    """openssl decrypts with the module's key and verifies our signature."""
    handed_to_openssl(tmp_path, ends.theirs, ends.ours)
    id_ = uuid4()
    (tmp_path / "envelope").write_bytes(ends.us.wrap(PLAIN, message_id=id_))
    taken = ["-inform", "DER", "-binary"]
    said = openssl(
        tmp_path,
        *["-decrypt", *taken, "-in", "envelope", "-inkey", "key.pem", "-recip", "own.pem"],
        *["-out", "signed"],
    )
    assert said.returncode == 0, said.stderr
    trust = ["-CAfile", "other.pem", "-partial_chain", "-purpose", "any"]
    said = openssl(tmp_path, "-verify", *taken, "-in", "signed", *trust, "-out", "content")
    assert "CMS Verification successful" in said.stderr
    head = f"Message: {id_}\r\nTo: gov-service\r\n\r\n".encode()
    assert (tmp_path / "content").read_bytes() == head + PLAIN


def test_ours_reads_what_an_independent_tool_made(ends: Ends, tmp_path: Path) -> None:
    """openssl signs with the module's key and encrypts for us."""
    handed_to_openssl(tmp_path, ends.theirs, ends.ours)
    id_ = uuid4()
    content = f"Message: {id_}\r\nTo: medcab\r\n\r\n".encode() + PLAIN
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "envelope").write_bytes(made_by_openssl(tmp_path))
    opened = ends.us.open_((tmp_path / "envelope").read_bytes(), message_id=id_)
    assert opened.plain == PLAIN


def made_by_openssl(folder: Path, *, cipher: str = "-aes-256-gcm", oaep: bool = True) -> bytes:
    """`content`, signed and encrypted on the command line."""
    signing = ["-sign", "-binary", "-nodetach", "-outform", "DER", "-md", "sha256"]
    said = openssl(
        folder,
        *[*signing, "-signer", "own.pem", "-inkey", "key.pem", "-in", "content", "-out", "inner"],
    )
    assert said.returncode == 0, said.stderr
    other = x509.load_pem_x509_certificate((folder / "other.pem").read_bytes())
    if isinstance(other.public_key(), rsa.RSAPublicKey):
        ways = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]
        options = [word for way in ways if oaep for word in ("-keyopt", way)]
    else:
        options = ["-keyopt", "ecdh_kdf_md:sha256"]
    encrypting = ["-encrypt", "-binary", cipher, "-outform", "DER", "-in", "inner"]
    # A curve of 384 bits makes openssl take a longer wrap than the cipher wants; ours is fixed.
    said = openssl(folder, *encrypting, "-out", "outer", "-recip", "other.pem", *options)
    assert said.returncode == 0, said.stderr
    return (folder / "outer").read_bytes()


@pytest.mark.asvs("11.3.1")
def test_weaker_envelopes_are_refused(line: Ends, tmp_path: Path) -> None:
    """CBC, which anybody can bend, and RSA without OAEP, which leaks."""
    handed_to_openssl(tmp_path, line.theirs, line.ours)
    id_ = uuid4()
    (tmp_path / "content").write_bytes(f"Message: {id_}\r\nTo: medcab\r\n\r\n".encode())
    bent = made_by_openssl(tmp_path, cipher="-aes-256-cbc")
    assert code_of(line.us, bent, id_) is EnvelopeFault.UNREADABLE
    key = rsa_key()
    added = line.ours.take(packed(tmp_path, key, certified(key)), "")
    (tmp_path / "other.pem").write_text(as_pem(added.certificate))
    leaking = made_by_openssl(tmp_path, oaep=False)
    assert code_of(line.us, leaking, id_) is EnvelopeFault.UNREADABLE
    assert line.us.open_(made_by_openssl(tmp_path), message_id=id_).plain == b""


def flips(data: bytes, count: int) -> list[bytes]:
    """Copies with one bit changed, all over."""
    dice = random.Random(7)  # noqa: S311 - repeatable, nothing secret
    places = sorted(dice.sample(range(len(data)), min(count, len(data))))
    return [data[:n] + bytes([data[n] ^ 1 << dice.randrange(8)]) + data[n + 1 :] for n in places]


def outcomes(
    end: Envelopes, message_id: UUID, envelopes: list[bytes], plain: bytes
) -> set[EnvelopeFault]:
    """Why they were refused. A few labels that nobody relies on may change: what opens is whole."""
    refused, opened = set(), 0
    for each in envelopes:
        try:
            assert end.open_(each, message_id=message_id).plain == plain
            opened += 1
        except EnvelopeRefused as refusal:
            refused.add(refusal.code)
    assert opened <= len(envelopes) / 40
    return refused


@pytest.mark.asvs("11.3.3")
def test_a_byte_changed_outside(ends: Ends) -> None:
    """In the ciphertext, the wrapped key, the names of recipients: refused, each with its code."""
    id_ = uuid4()
    envelope = ends.us.wrap(PLAIN, message_id=id_)
    codes = outcomes(ends.module, id_, flips(envelope, 500), PLAIN)
    assert codes == {
        EnvelopeFault.UNREADABLE,
        EnvelopeFault.NOT_FOR_US,
        EnvelopeFault.NOT_DECRYPTED,
    }


def test_a_byte_changed_inside(ends: Ends) -> None:
    """Signed content, attributes, signature, certificate, sealed anew: refused as well."""
    id_ = uuid4()
    inner = decrypt(ends.us.wrap(PLAIN, message_id=id_), [ends.theirs.key_ring().signing.signer])
    reader = [ends.theirs.key_ring().signing.certificate]
    again = [encrypt(each, reader) for each in flips(inner, 500)]
    codes = outcomes(ends.module, id_, again, PLAIN)
    assert {EnvelopeFault.CHANGED, EnvelopeFault.NOT_SIGNED} <= codes
    assert codes <= {EnvelopeFault.CHANGED, EnvelopeFault.NOT_SIGNED, EnvelopeFault.UNKNOWN_SIGNER}


def test_rubbish_is_refused(line: Ends) -> None:
    """Nothing, noise, and every beginning of a good envelope: no other error comes out."""
    id_ = uuid4()
    good = line.us.wrap(PLAIN, message_id=id_)
    noise = [os.urandom(n) for n in (1, 30, 1000)]
    ends_early = [good[:n] for n in range(0, len(good), 11)]
    for rubbish in (b"", b"-----BEGIN CMS-----", *noise, *ends_early, good + b"\x00"):
        assert code_of(line.module, rubbish, id_) is EnvelopeFault.UNREADABLE


def crafted(
    line: Ends,
    content: bytes,
    *,
    key: PrivateKey | None = None,
    certificate: x509.Certificate | None = None,
    at: datetime | None = None,
) -> bytes:
    """An answer of the module made by hand, by its own key unless another is given."""
    signing = line.theirs.key_ring().signing
    signer = CmsSigner(key or signing.signer.key, certificate or signing.certificate)
    readers = [line.ours.key_ring().signing.certificate]
    return encrypt(sign_content(signer, content, at or datetime.now(UTC)), readers)


def head(message_id: UUID, to: str = MEDCAB) -> bytes:
    """The two lines that bind an envelope."""
    return f"Message: {message_id}\r\nTo: {to}\r\n\r\n".encode()


def test_what_is_sealed_for_others_is_not_ours(line: Ends, tmp_path: Path) -> None:
    """Our own request, and an envelope of another institution."""
    id_ = uuid4()
    assert code_of(line.us, line.us.wrap(PLAIN, message_id=id_), id_) is EnvelopeFault.NOT_FOR_US
    (tmp_path / "other").mkdir()
    ensure_key_folders(tmp_path / "other")
    others = Ends(tmp_path / "other").module.wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    assert code_of(line.us, others, id_) is EnvelopeFault.NOT_FOR_US


def test_strangers_are_not_believed(line: Ends) -> None:
    """Another's key, also under a certificate that copies the module's name and number."""
    id_ = uuid4()
    key = ec.generate_private_key(ec.SECP256R1())
    stranger = crafted(line, head(id_), key=key, certificate=certified(key))
    assert code_of(line.us, stranger, id_) is EnvelopeFault.UNKNOWN_SIGNER
    own = line.theirs.key_ring().signing.certificate
    assert code_of(line.us, crafted(line, head(id_), key=key), id_) is EnvelopeFault.CHANGED
    assert line.theirs.key_ring().signing.certificate == own
    # We are no stranger to ourselves, and still not the module.
    ours = line.ours.key_ring().signing
    echo = crafted(line, head(id_), key=ours.signer.key, certificate=ours.certificate)
    assert code_of(line.us, echo, id_) is EnvelopeFault.UNKNOWN_SIGNER


def test_another_message_or_addressee_is_refused(line: Ends) -> None:
    """An old answer played back, a request played back as an answer, a missing or crooked head."""
    id_ = uuid4()
    old = line.module.wrap(PLAIN, message_id=uuid4(), addressee=MEDCAB)
    assert code_of(line.us, old, id_) is EnvelopeFault.OTHER_MESSAGE
    astray = line.module.wrap(PLAIN, message_id=id_, addressee=GOV_SERVICE)
    assert code_of(line.us, astray, id_) is EnvelopeFault.OTHER_ADDRESSEE
    for crooked in (
        b"",
        PLAIN,
        b" " + head(id_),
        head(id_).replace(b"\r\n", b"\n"),
        head(id_).replace(b"Message", b"message"),
        f"Message: {str(id_).upper()}\r\nTo: medcab\r\n\r\n".encode(),
    ):
        if not crooked.startswith(head(id_)):
            assert code_of(line.us, crafted(line, crooked), id_) is EnvelopeFault.OTHER_MESSAGE


def test_unsigned_content_is_refused(line: Ends) -> None:
    """Encrypted for us by anyone, with no signature, or one that signs nothing inside."""
    id_ = uuid4()
    reader = [line.ours.key_ring().signing.certificate]
    bare = encrypt(head(id_) + PLAIN, reader)
    assert code_of(line.us, bare, id_) is EnvelopeFault.NOT_SIGNED
    detached = line.theirs.key_ring().signing.signer.sign(bytes(32), signing_time=datetime.now(UTC))
    assert code_of(line.us, encrypt(detached, reader), id_) is EnvelopeFault.NOT_SIGNED


def test_certificates_have_their_term(line: Ends, tmp_path: Path) -> None:
    """Expired, not yet valid, signed outside its term, dated back, or from the future."""
    id_, now = uuid4(), datetime.now(UTC)

    def answer(since: int, until: int, at: int) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        days = {"since": timedelta(days=since), "until": timedelta(days=until)}
        certificate = certified(key, **days)
        line.ours.trust(certificate)
        moment = now + timedelta(days=at)
        return crafted(line, head(id_), key=key, certificate=certificate, at=moment)

    assert line.us.open_(answer(-3, 3, 0), message_id=id_).plain == b""
    assert code_of(line.us, answer(-3, -1, 0), id_) is EnvelopeFault.EXPIRED
    assert code_of(line.us, answer(-3, -1, -2), id_) is EnvelopeFault.EXPIRED
    assert code_of(line.us, answer(-1, 3, -2), id_) is EnvelopeFault.EXPIRED
    assert code_of(line.us, answer(1, 3, 0), id_) is EnvelopeFault.EXPIRED
    assert code_of(line.us, answer(-3, 3, 1), id_) is EnvelopeFault.FROM_THE_FUTURE


def test_nothing_is_sealed_with_or_for_what_expired(line: Ends) -> None:
    """The remedy is said."""
    with time_machine.travel(datetime.now(UTC) + timedelta(days=900), tick=True):
        with pytest.raises(GovServiceKeysError, match="trust FILE"):
            line.us.wrap(PLAIN, message_id=uuid4())
        key = p384_key()
        line.ours.trust(certified(key))
        with pytest.raises(GovServiceKeysError, match="rotate"):
            line.us.wrap(PLAIN, message_id=uuid4())


def test_our_key_is_renewed_while_answers_are_under_way(line: Ends) -> None:
    """The old key opens what was sealed for it, until it is retired; no step needs a restart."""
    us, module, id_ = line.us, line.module, uuid4()
    sealed_for_old = module.wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    new = line.ours.add("Личный кабинет", "Больница")
    assert us.open_(sealed_for_old, message_id=id_).plain == PLAIN
    # Announced, and not yet used: the module knows only the old one.
    assert module.open_(us.wrap(PLAIN, message_id=id_), message_id=id_).plain == PLAIN
    line.ours.use(new.id)
    assert code_of(module, us.wrap(b"", message_id=id_), id_) is EnvelopeFault.UNKNOWN_SIGNER
    line.theirs.trust(new.certificate)
    opened = module.open_(us.wrap(PLAIN, message_id=id_), message_id=id_)
    assert opened.signer_serial == f"{new.certificate.serial_number:X}"
    sealed_for_both = module.wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    line.ours.retire("k1")
    assert us.open_(sealed_for_both, message_id=id_).plain == PLAIN
    assert code_of(us, sealed_for_old, id_) is EnvelopeFault.NOT_FOR_US


def test_the_modules_key_is_renewed(line: Ends) -> None:
    """We seal for both of its keys, and believe both until we forget the old one."""
    us, module, id_ = line.us, line.module, uuid4()
    new = line.theirs.add("Модуль", "Ведомство")
    line.ours.trust(new.certificate)
    envelope = us.wrap(PLAIN, message_id=id_)
    old = line.theirs.key_ring().signing.certificate
    by_old = module.wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    line.theirs.use(new.id)
    line.theirs.retire("k1")
    assert module.open_(envelope, message_id=id_).plain == PLAIN
    by_new = module.wrap(PLAIN, message_id=id_, addressee=MEDCAB)
    assert [us.open_(each, message_id=id_).plain for each in (by_old, by_new)] == [PLAIN] * 2
    assert line.ours.distrust(fingerprint(old)[:12]) == 1
    assert code_of(us, by_old, id_) is EnvelopeFault.UNKNOWN_SIGNER


def _no_keys(ring: StandardKeys) -> None:
    (ring.folder / "own" / "k1.p12").unlink()


def _gone(ring: StandardKeys) -> None:
    (ring.folder / "own" / "current").write_text("k7")


def _torn(ring: StandardKeys) -> None:
    (ring.folder / "own" / "k2.p12").write_bytes(b"torn")


def _odd(ring: StandardKeys) -> None:
    (ring.folder / "theirs" / "x.pem").write_text("odd")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_no_keys, "module-keys rotate"),
        (_gone, "names k7"),
        (_torn, "cannot be read"),
        (_odd, "cannot be read"),
    ],
)
def test_a_ring_that_lacks_something_says_so(
    line: Ends, spoil: Callable[[StandardKeys], None], said: str
) -> None:
    """No key, a key that is gone, a torn file, an odd certificate."""
    spoil(line.ours)
    with pytest.raises(GovServiceKeysError, match=said):
        line.us.wrap(PLAIN, message_id=uuid4())


@pytest.mark.asvs("11.6.1")
def test_a_ring_keeps_its_keys_to_itself(tmp_path: Path) -> None:
    """Files for the owner only; a password where one is set; weak keys are not taken."""
    ring = StandardKeys(tmp_path / "ring", "secret")
    key = rsa_key()
    ring.use(ring.take(packed(tmp_path, key, certified(key), "theirs"), "theirs").id)
    for file in (tmp_path / "ring" / "own").iterdir():
        assert file.stat().st_mode & 0o077 == 0
    assert StandardKeys(tmp_path / "ring", "secret").key_ring().signing.id == "k1"
    with pytest.raises(GovServiceKeysError, match="cannot be read"):
        StandardKeys(tmp_path / "ring", "wrong").key_ring()
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
    with pytest.raises(GovServiceKeysError, match="2048"):
        ring.take(packed(tmp_path, weak, certified(weak)), "")
    with pytest.raises(GovServiceKeysError, match="2048"):
        ring.trust(certified(weak))
    with pytest.raises(GovServiceKeysError, match="signs now"):
        ring.retire("k1")
