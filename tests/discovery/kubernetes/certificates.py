"""Certificates, made when a test needs them."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_PEM = serialization.Encoding.PEM


class Certificates(NamedTuple):
    """The certificate of an authority, and one of 127.0.0.1 that it gave, with its key."""

    authority: Path
    certificate: Path
    key: Path


def made(directory: Path) -> Certificates:
    """A new authority, and what it gave."""
    directory.mkdir(parents=True)
    found = Certificates(*(directory / name for name in ("ca.crt", "server.crt", "server.key")))
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _signed("authority", authority_key, "authority", authority_key)
    found.authority.write_bytes(authority.public_bytes(_PEM))
    found.certificate.write_bytes(_signed("server", key, "authority", authority_key).public_bytes(_PEM))
    found.key.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return found


def _signed(
    subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    now = datetime.now(UTC)
    is_authority = subject == issuer
    usage = dict.fromkeys(("key_cert_sign", "crl_sign"), is_authority)
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    return (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                encipher_only=False,
                decipher_only=False,
                **dict.fromkeys(others, False),
                **usage,
            ),
            critical=True,
        )
        .sign(by, hashes.SHA256())
    )
