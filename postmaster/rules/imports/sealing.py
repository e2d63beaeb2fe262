"""Encryption of what an import keeps in the database: the file, and generated passwords.

A file may hold plain passwords. Whoever reads the database alone, or its backup, reads none.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ...errors import Invalid

KEY_BYTES = 32
PURPOSE = b"postmaster: parts of imports"


class Seal:
    """Seals with a key that is derived (RFC 5869) from the application's secret key.

    What was sealed for one purpose cannot be opened for another.
    """

    def __init__(self, secret_key: str, purpose: bytes | None = None) -> None:
        derivation = HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose or PURPOSE)
        derived = derivation.derive(secret_key.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def close(self, content: bytes) -> bytes:
        """The content, encrypted."""
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """The content again. Raises Invalid where the secret key is another one by now."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise Invalid(
                "The file of this import cannot be read any more: the secret key was changed. "
                "Send the file again"
            ) from None
