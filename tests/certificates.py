"""An authority of the test's own, and certificates that it signs for names on this machine."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from citybrain.engines.tls import Papers, read_papers

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Own:
    """A certificate and its key, in files of PEM."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; its own stands in ``file``."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._begun(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        signs = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(_pem(made.add_extension(signs, critical=True).sign(self._key, hashes.SHA256())))

    def issue(self, name: str, host: str = "127.0.0.1", password: bytes = b"") -> Own:
        """A certificate for an address of this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = self._begun(subject, key).add_extension(place, critical=False).add_extension(authority, critical=False)
        own = Own(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        own.certificate.write_bytes(_pem(made.sign(self._key, hashes.SHA256())))
        locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        own.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
        return own

    def papers(self, own: Own | None = None, *, mutual: bool = False) -> Papers:
        """What a process holds that trusts this authority, and shows a certificate where it has one."""
        shown = ("", "") if own is None else (str(own.certificate), str(own.key))
        return read_papers(str(self.file), *shown, mutual=mutual)

    def _begun(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        begun = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        begun = begun.serial_number(x509.random_serial_number()).not_valid_before(now - _DAY).not_valid_after(now + _DAY)
        return begun.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
