"""MLLP over TLS: who is who is proven both ways, and a certificate that is not on the list gets nothing."""

import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.delivery.mllp_sender import MllpSender, client_tls
from gateway.formats.hl7v2.acknowledgement import acknowledge, receive
from gateway.intake.mllp_connection import ListenerTls, MllpLimits, server_tls
from gateway.intake.mllp_listener import MllpListener, listen
from gateway.model.errors import ConfigurationError, TryLater
from gateway.model.hl7_header import PeerAddress
from gateway.model.partner import Endpoint
from gateway.settings import MllpSection, Settings
from gateway.wiring.mllp import check_mllp, mllp_listener, mllp_push
from tests.doors.mllp_peers import admission
from tests.doors.test_mllp_push import DISCLOSURE, ENVELOPE

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key as PEM files."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        loaded = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return hashlib.sha256(loaded.public_bytes(serialization.Encoding.DER)).hexdigest()


class Authority:
    """A certificate authority of a test."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self._sign(self._name, self._key, is_authority=True))

    def identity(self, name: str) -> Identity:
        key = ec.generate_private_key(ec.SECP256R1())
        identity = Identity(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        identity.certificate.write_bytes(self._sign(subject, key, is_authority=False))
        identity.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return identity

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> bytes:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(address, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@contextmanager
def listening(tls: ListenerTls) -> Iterator[tuple[list[PeerAddress], tuple[str, int]]]:
    peers: list[PeerAddress] = []

    def accept(frame: bytes, peer: PeerAddress) -> bytes:
        peers.append(peer)
        return acknowledge(frame, receive(frame), "K1", NOON)

    listener = MllpListener(
        listen("127.0.0.1", 0), clock=lambda: NOON, new_id=lambda: "N1", limits=MllpLimits(answer_s=2), tls=tls
    )
    listener.start(accept, lambda content, peer: None)
    try:
        yield peers, listener.address
    finally:
        listener.drain(5)


def server(authority: Authority, allowed: frozenset[str] = frozenset()) -> ListenerTls:
    identity = authority.identity("gateway")
    return ListenerTls(server_tls(identity.certificate, identity.key, authority.file), allowed)


def test_a_client_with_a_certificate_is_heard_and_its_fingerprint_known(authority: Authority) -> None:
    ward = authority.identity("ward")
    context = client_tls(authority.file, ward.certificate, ward.key)

    with listening(server(authority)) as (peers, address), MllpSender(*address, context, 5) as sender:
        codes = [sender.send(admission(control_id)).acknowledgement.code for control_id in (b"C1", b"C2")]

    assert codes == ["AA", "AA"]
    assert {peer.certificate_sha256 for peer in peers} == {ward.fingerprint}


def test_a_client_without_a_certificate_is_not_heard(authority: Authority) -> None:
    with (
        listening(server(authority)) as (peers, address),
        MllpSender(*address, client_tls(authority.file), 2) as sender,
        pytest.raises(TryLater),
    ):
        sender.send(admission(b"C1"))

    assert peers == []


def test_a_client_of_another_authority_is_not_heard(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "elsewhere").identity("stranger")
    context = client_tls(authority.file, stranger.certificate, stranger.key)

    with (
        listening(server(authority)) as (peers, address),
        MllpSender(*address, context, 2) as sender,
        pytest.raises(TryLater),
    ):
        sender.send(admission(b"C1"))

    assert peers == []


def test_only_listed_certificates_are_heard_where_there_is_a_list(authority: Authority) -> None:
    ward, other = authority.identity("ward"), authority.identity("other")

    with listening(server(authority, frozenset({ward.fingerprint}))) as (peers, address):
        context = client_tls(authority.file, other.certificate, other.key)
        with MllpSender(*address, context, 2) as sender, pytest.raises(TryLater):
            sender.send(admission(b"C1"))
        context = client_tls(authority.file, ward.certificate, ward.key)
        with MllpSender(*address, context, 5) as sender:
            assert sender.send(admission(b"C2")).acknowledgement.code == "AA"

    assert [peer.certificate_sha256 for peer in peers] == [ward.fingerprint]


def test_a_server_that_is_not_who_it_should_be_gets_no_message(authority: Authority, tmp_path: Path) -> None:
    ward = authority.identity("ward")
    elsewhere = Authority(tmp_path, "elsewhere")

    with listening(server(authority)) as (peers, address):
        context = client_tls(elsewhere.file, ward.certificate, ward.key)
        with MllpSender(*address, context, 2) as sender, pytest.raises(TryLater, match="SSLCertVerificationError"):
            sender.send(admission(b"C1"))

    assert peers == []


def test_old_protocol_versions_are_not_spoken(authority: Authority) -> None:
    identity = authority.identity("gateway")

    assert server_tls(identity.certificate, identity.key, authority.file).minimum_version == ssl.TLSVersion.TLSv1_2
    assert client_tls(authority.file).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_peer_that_speaks_no_tls_does_not_stop_the_others(authority: Authority) -> None:
    ward = authority.identity("ward")

    with listening(server(authority)) as (_, address):
        with MllpSender(*address, None, 3) as plain, pytest.raises(TryLater):
            plain.send(admission(b"C1"))
        with MllpSender(*address, client_tls(authority.file, ward.certificate, ward.key), 5) as sender:
            assert sender.send(admission(b"C2")).acknowledgement.code == "AA"


def settings_of(directory: Path, authority: Authority, **changed: object) -> Settings:
    ours = authority.identity("gateway")
    ours.key.chmod(0o600)
    mllp = {
        "tls_certificate": ours.certificate.name,
        "tls_key": ours.key.name,
        "client_authority": authority.file.name,
        **changed,
    }
    delivery = {
        "certificates": authority.file.name,
        "client_certificate": ours.certificate.name,
        "client_key": ours.key.name,
    }
    return Settings(directory=directory, mllp=mllp, delivery=delivery)


def test_an_installation_with_certificates_takes_messages_over_tls_and_sends_with_its_own(
    tmp_path: Path, authority: Authority
) -> None:
    settings = settings_of(tmp_path, authority)
    listener = mllp_listener(settings, listen("127.0.0.1", 0))
    push = mllp_push(settings)
    peers: list[PeerAddress] = []

    def accept(content: bytes, peer: PeerAddress) -> bytes:
        peers.append(peer)
        return acknowledge(content, receive(content), "A1", NOON)

    listener.start(accept, lambda content, peer: None)
    try:
        host, port = listener.address
        result = push.send(DISCLOSURE, Endpoint("hl7v2", f"mllps://{host}:{port}"), ENVELOPE)
    finally:
        push.close()
        listener.drain(5)

    assert result.code == "AA"
    assert [peer.certificate_sha256 is not None for peer in peers] == [True]


def test_a_fingerprint_may_be_written_as_openssl_prints_it(tmp_path: Path, authority: Authority) -> None:
    known = authority.identity("known")
    printed = ":".join(known.fingerprint.upper()[n : n + 2] for n in range(0, 64, 2))
    settings = settings_of(tmp_path, authority, allowed_certificates=[printed])
    listener = mllp_listener(settings, listen("127.0.0.1", 0))
    listener.start(lambda content, peer: acknowledge(content, receive(content), "A1", NOON), lambda content, peer: None)

    try:
        host, port = listener.address
        with MllpSender(host, port, client_tls(authority.file, known.certificate, known.key), 5) as sender:
            answered = sender.send(admission(b"M1"))
    finally:
        listener.drain(5)

    assert answered.acknowledgement.code == "AA"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.10", "gateway.example"])
def test_listening_in_the_clear_beyond_loopback_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match="expected TLS to listen beyond loopback"):
        check_mllp(Settings(directory=tmp_path), (host, 2575))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_listening_in_the_clear_on_loopback_needs_no_word(tmp_path: Path, host: str) -> None:
    check_mllp(Settings(directory=tmp_path), (host, 2575))


def test_an_operator_may_say_that_a_tunnel_encrypts(tmp_path: Path) -> None:
    check_mllp(Settings(directory=tmp_path, mllp=MllpSection(plain_allowed=True)), ("192.0.2.10", 2575))


def test_half_a_tls_configuration_is_refused_rather_than_spoken_in_the_clear(
    tmp_path: Path, authority: Authority
) -> None:
    with pytest.raises(ConfigurationError, match="tls_certificate, tls_key and client_authority together"):
        check_mllp(settings_of(tmp_path, authority, client_authority=None), ("127.0.0.1", 2575))


def test_a_key_that_others_can_read_is_refused(tmp_path: Path, authority: Authority) -> None:
    settings = settings_of(tmp_path, authority)
    (tmp_path / "gateway.key").chmod(0o644)

    with pytest.raises(ConfigurationError, match="expected mode 0600, found 0644"):
        check_mllp(settings, ("127.0.0.1", 2575))


def test_a_file_that_is_no_certificate_stops_the_start(tmp_path: Path, authority: Authority) -> None:
    settings = settings_of(tmp_path, authority)
    (tmp_path / "gateway.crt").write_text("no certificate")

    with pytest.raises(ConfigurationError, match="expected PEM files"):
        check_mllp(settings, ("127.0.0.1", 2575))
