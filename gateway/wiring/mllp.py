"""Put the two ends of MLLP together from the settings: what may be spoken in the clear, and who proves who they are."""

import socket
from ipaddress import ip_address
from pathlib import Path

from gateway.delivery.mllp_push import MllpPush, WriteMessage
from gateway.delivery.mllp_sender import client_tls
from gateway.intake.mllp_connection import ListenerTls, MllpLimits, server_tls
from gateway.intake.mllp_listener import MllpListener
from gateway.model.errors import ConfigurationError
from gateway.settings import FILE_NAME, Settings
from gateway.wiring import clock, new_id


def check_mllp(settings: Settings, address: tuple[str, int]) -> None:
    """Refuse to listen at `address` in the clear where others than this machine can hear it; read every certificate.

    Raises:
        ConfigurationError: what is missing, unreadable, or spoken too openly.
    """
    tls = _listener_tls(settings)
    mllp_push(settings).close()
    if tls is None and not settings.mllp.plain_allowed and not _is_loopback(address[0]):
        raise ConfigurationError(
            f"{settings.directory / FILE_NAME}: mllp: expected TLS to listen beyond loopback, found none; set "
            "tls_certificate, tls_key and client_authority, or plain_allowed = true where a VPN or tunnel encrypts"
        )


def mllp_listener(settings: Settings, listening: socket.socket) -> MllpListener:
    """Make the listener of a socket that listens. Raises as `check_mllp`."""
    check_mllp(settings, listening.getsockname()[:2])
    limits = MllpLimits(max_bytes=settings.mllp.max_message_mib * 1024 * 1024)
    return MllpListener(
        listening, clock=clock, new_id=new_id, limits=limits, tls=_listener_tls(settings),
        release_2=settings.mllp.release_2_peers,
    )  # fmt: skip


def mllp_push(settings: Settings, write: WriteMessage | None = None) -> MllpPush:
    """Make the transport that sends HL7v2; `write` writes what is no referral.

    Raises ConfigurationError for a certificate that cannot be used.
    """
    delivery, mllp = settings.delivery, settings.mllp
    if bool(delivery.client_certificate) != bool(delivery.client_key):
        raise _incomplete(settings, "delivery", "client_certificate and client_key, or neither")
    authority, certificate = (_file(settings, name) for name in (delivery.certificates, delivery.client_certificate))
    key = settings.private_file(delivery.client_key) if delivery.client_key else None
    try:
        tls = client_tls(authority, certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise _unusable(settings, "delivery", error) from error
    return MllpPush(
        delivery.timeout_s, application=mllp.application, facility=mllp.facility, processing_id=mllp.processing_id,
        tls=tls, write=write,
    )  # fmt: skip


def _listener_tls(settings: Settings) -> ListenerTls | None:
    mllp = settings.mllp
    if not (mllp.tls_certificate or mllp.tls_key or mllp.client_authority or mllp.allowed_certificates):
        return None
    certificate, authority = (_file(settings, name) for name in (mllp.tls_certificate, mllp.client_authority))
    if certificate is None or authority is None or mllp.tls_key is None:
        raise _incomplete(settings, "mllp", "tls_certificate, tls_key and client_authority together")
    key = settings.private_file(mllp.tls_key)
    try:
        context = server_tls(certificate, key, authority)
    except OSError as error:
        raise _unusable(settings, "mllp", error) from error
    return ListenerTls(context, frozenset(one.replace(":", "").lower() for one in mllp.allowed_certificates))


def _file(settings: Settings, name: str | None) -> Path | None:
    return settings.directory / name if name else None


def _incomplete(settings: Settings, section: str, expected: str) -> ConfigurationError:
    return ConfigurationError(f"{settings.directory / FILE_NAME}: {section}: expected {expected}, found some of them")


def _unusable(settings: Settings, section: str, error: OSError) -> ConfigurationError:
    reason = getattr(error, "reason", None) or type(error).__name__
    return ConfigurationError(
        f"{settings.directory / FILE_NAME}: {section}: expected PEM files of a certificate, its key and authorities, "
        f"found one that cannot be used ({reason})"
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
