"""Encryption of personal fields and keyed hashes for exact look-up.

A sealed value is `key id (2 bytes) | nonce (12) | AES-256-GCM ciphertext and tag`, bound to its
table, column and row: a value copied elsewhere does not open. `SECRET_KEY` only wraps the data
keys and the index key, which lie in table `key`: another `SECRET_KEY` means to wrap these anew
and touches no other row.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

_NONCE = 12
_KEY_ID = 2
_KEY_SIZE = 32
_WRAP_SALT = b"zhiyn key wrapping v1"


class SealBroken(Exception):
    """The value was not sealed for this place, or not with these keys."""


def new_key() -> bytes:
    """32 random bytes for AES-256 or HMAC-SHA-256."""
    return os.urandom(_KEY_SIZE)


def wrapping_key(secret_key: str) -> bytes:
    """The key-encryption key that is derived from `SECRET_KEY` (scrypt, once at start)."""
    kdf = Scrypt(salt=_WRAP_SALT, length=_KEY_SIZE, n=2**14, r=8, p=1)
    return kdf.derive(secret_key.encode())


def wrap(kek: bytes, key_id: int, key: bytes) -> bytes:
    """The key, encrypted by the key-encryption key and bound to its id."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(kek).encrypt(nonce, key, key_id.to_bytes(_KEY_ID, "big"))


def unwrap(kek: bytes, key_id: int, wrapped: bytes) -> bytes:
    """The key that `wrap` hid. Raises SealBroken when `SECRET_KEY` is another one."""
    try:
        return AESGCM(kek).decrypt(
            wrapped[:_NONCE], wrapped[_NONCE:], key_id.to_bytes(_KEY_ID, "big")
        )
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        raise SealBroken("SECRET_KEY does not open the stored keys") from None


@dataclass(frozen=True, slots=True)
class Keyring:
    """The open keys of this installation. Never logged, never leaves the process."""

    data_keys: Mapping[int, bytes] = field(repr=False)
    index_key: bytes = field(repr=False)
    _ciphers: dict[int, AESGCM] = field(init=False, repr=False, default_factory=dict)

    def seal(self, place: str, row: UUID, text: str) -> bytes:
        """Encrypts `text` for `place` ("table.column") of the row with this id."""
        return self.seal_bytes(place, row, text.encode())

    def seal_bytes(self, place: str, row: UUID, value: bytes) -> bytes:
        """Encrypts bytes for `place` ("table.column") of the row with this id."""
        key_id = max(self.data_keys)
        nonce = os.urandom(_NONCE)
        sealed = self._cipher(key_id).encrypt(nonce, value, _binding(place, row))
        return key_id.to_bytes(_KEY_ID, "big") + nonce + sealed

    def open(self, place: str, row: UUID, sealed: bytes) -> str:
        """The text that `seal` hid. Raises SealBroken for another place, row or keyring."""
        return self.open_bytes(place, row, sealed).decode()

    def open_bytes(self, place: str, row: UUID, sealed: bytes) -> bytes:
        """The bytes that `seal_bytes` hid. Raises SealBroken likewise."""
        key_id = int.from_bytes(sealed[:_KEY_ID], "big")
        nonce, body = sealed[_KEY_ID : _KEY_ID + _NONCE], sealed[_KEY_ID + _NONCE :]
        try:
            return self._cipher(key_id).decrypt(nonce, body, _binding(place, row))
        except (InvalidTag, KeyError, ValueError):
            raise SealBroken(f"{place} of {row} does not open") from None

    def index(self, purpose: str, value: str) -> bytes:
        """The keyed hash by which an encrypted value is found again: HMAC of (purpose, value).

        The value has to be normalised by the caller. 16 bytes: no collision to fear among
        a country's people, and half the index of a full SHA-256.
        """
        message = f"{purpose}\x00{value}".encode()
        return hmac.new(self.index_key, message, hashlib.sha256).digest()[:16]

    def _cipher(self, key_id: int) -> AESGCM:
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            cipher = self._ciphers[key_id] = AESGCM(self.data_keys[key_id])
        return cipher


def _binding(place: str, row: UUID) -> bytes:
    return place.encode() + b"\x00" + row.bytes
