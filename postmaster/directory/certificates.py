"""The certificate at the other end of a connection."""

import ssl
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes


def of_server(socket: Any) -> bytes | None:
    """The server's certificate (DER), if this connection has TLS."""
    return socket.getpeercert(True) if isinstance(socket, ssl.SSLSocket) else None


def end_point(certificate: bytes) -> bytes:
    """Its hash as channel binding, by its own signature's algorithm (RFC 5929, 4.1)."""
    algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    digest = hashes.Hash(algorithm)
    digest.update(certificate)
    return digest.finalize()
