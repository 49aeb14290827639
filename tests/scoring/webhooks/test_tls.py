"""A message goes only to who shows a certificate of the host that was named."""

import socket
import ssl
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone
from pytest_django import Settings

from scoring.services.webhooks import requests as webhook_requests
from scoring.services.webhooks.requests import post
from tests.scoring.webhooks.receiver import Receiver, receiving

HOST = "hooks.example.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file with the key and the self-signed certificate of the host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    today = timezone.now()
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_receiver(
    certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Generator[Receiver]:
    """Give a receiver behind TLS to which every name leads."""
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_TIMEOUT_S = 5
    with receiving(certificate=certificate) as told:
        monkeypatch.setattr(socket, "getaddrinfo", _lead_here)
        yield told


def _lead_here(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]


def trust(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(webhook_requests, "_tls", lambda: context)


def test_who_shows_the_certificate_of_the_host_gets_the_message(
    tls_receiver: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(certificate, monkeypatch)
    reply = post(tls_receiver.url.replace("127.0.0.1", HOST), b"{}", headers={})
    assert reply == 200
    (got,) = tls_receiver.received
    assert got.headers["Host"].startswith(f"{HOST}:")


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_receiver: Receiver,
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        post(tls_receiver.url.replace("127.0.0.1", HOST), b"{}", headers={})
    assert tls_receiver.received == []


def test_the_certificate_of_another_host_is_refused(
    tls_receiver: Receiver, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(certificate, monkeypatch)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        post(tls_receiver.url.replace("127.0.0.1", "example.org"), b"{}", headers={})
    assert tls_receiver.received == []


def test_a_handshake_that_never_comes_is_cut_off(
    settings: Settings,
) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    settings.WEBHOOK_TIMEOUT_S = 1
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(TimeoutError):
            post(f"https://127.0.0.1:{port}/", b"{}", headers={})
