"""A small certificate authority for a hall without internet: good for the names it was made for, and for nothing else.

    python deploy/hall_authority.py authority --folder hall --name thi.hoi-truong.lan
    python deploy/hall_authority.py server --folder hall --name thi.hoi-truong.lan --address 10.0.0.1
"""

from __future__ import annotations

import ipaddress
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LASTS = timedelta(days=90)
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
"""Addresses that the authority may certify: those of halls, never one of the internet."""


@click.group()
def main() -> None:
    """Make an authority for a hall, and certificates of its servers."""


@main.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Where key and certificate go.")
@click.option("--name", "names", multiple=True, required=True, help="A name that its servers may have; repeat for more.")
def authority(folder: Path, names: tuple[str, ...]) -> None:
    """Make the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Hall authority for {names[0]}"[:64])])
    allowed: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    allowed += [x509.IPAddress(ipaddress.ip_network(network)) for network in PRIVATE]
    made = (
        _begun(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=allowed, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _keep(folder, "authority", key, made)


@main.command()
@click.option("--folder", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the authority.")
@click.option("--name", "names", multiple=True, required=True, help="A name of the server; repeat for more.")
@click.option("--address", "addresses", multiple=True, help="An address of the server; repeat for more.")
def server(folder: Path, names: tuple[str, ...], addresses: tuple[str, ...]) -> None:
    """Make the certificate of a server."""
    issuer = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    issuing = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    if not isinstance(issuing, ec.EllipticCurvePrivateKey):
        raise click.ClickException("authority.key is not a key that this program made.")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    known: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    try:
        known += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    except ValueError as error:
        raise click.ClickException(f"{error}.") from None
    made = (
        _begun(subject, issuer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(known), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False)
        .sign(issuing, hashes.SHA256())
    )
    _keep(folder, "server", key, made)


def _begun(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LASTS)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _keep(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(folder / f"{name}.key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{folder / name}.key exists already. Take another folder, or move it away.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    click.echo(f"{folder / name}.pem, valid until {certificate.not_valid_after_utc:%Y-%m-%d}")


if __name__ == "__main__":
    main()
