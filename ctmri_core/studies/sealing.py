"""The truth of a study under lock: AES-GCM (NIST SP 800-38D) with a key that is kept elsewhere, or made of a passphrase.

The SHA-256 of the sealed bytes is the commitment: written down before the first reader begins, it shows that the truth which the
answers are held against is the one from before.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path

from pydantic import ValidationError

from ctmri_core.errors import CtmriError, FileRefused
from ctmri_core.files import write_bytes
from ctmri_core.resources_folder import user_config_folder
from ctmri_core.studies.protocol import canonical
from ctmri_core.studies.truth import Truth

_MAGIC = b"CTMRI-TRUTH-1\n"
_NONCE, _SALT, _KEY = 12, 16, 32
_SCRYPT = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 1 << 26}
"""Some 0.1 s and 32 MB for each guess (RFC 7914)."""


def seal(truth: Truth, key: bytes | str) -> bytes:
    """`key`: 32 bytes, or a passphrase."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # costs 40 ms: only where something is sealed

    salt = secrets.token_bytes(_SALT) if isinstance(key, str) else b""
    head = _MAGIC + json.dumps({"salt": salt.hex()}).encode() + b"\n"
    nonce = secrets.token_bytes(_NONCE)
    return head + nonce + AESGCM(_secret(key, salt)).encrypt(nonce, canonical(truth), head)


def unseal(path: Path, key: bytes | str) -> Truth:
    """Raises `FileRefused` for what was not sealed here, was changed, or has another key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    content = _read(path)
    salt, end = _head(path, content)
    if isinstance(key, str) != bool(salt):
        wanted = "a passphrase" if salt else "the key that was kept when the study was made, not a passphrase"
        raise FileRefused(path, f"opens with {wanted}.", "Name it, or copy the key from where the study was made.")
    try:
        plain = AESGCM(_secret(key, salt)).decrypt(content[end : end + _NONCE], content[end + _NONCE :], content[:end])
        return Truth.model_validate_json(plain)
    except (InvalidTag, ValidationError, ValueError) as error:
        way_out = "Name the right passphrase or key. If it is right, the file was changed: take a copy."
        raise FileRefused(path, "does not open with this key.", way_out) from error


def needs_passphrase(path: Path) -> bool:
    """Raises `FileRefused` for what was not sealed here."""
    return bool(_head(path, _read(path))[0])


def commitment(sealed: bytes) -> str:
    """SHA-256 of the sealed truth, hexadecimal."""
    return hashlib.sha256(sealed).hexdigest()


def new_key(study: str) -> bytes:
    """A key drawn by chance and kept for this user alone, in the settings folder of whoever coordinates the study."""
    key = secrets.token_bytes(_KEY)
    place = key_file(study)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_bytes(place, key.hex().encode() + b"\n", private=True)
    return key


def kept_key(study: str) -> bytes:
    """Raises `CtmriError` where this user has none."""
    place = key_file(study)
    try:
        key = bytes.fromhex(place.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        message = f"The key of this study is not here ({place.name}). Analyse it where it was made, or copy the key from there."
        raise CtmriError(message) from error
    return key


def key_file(study: str) -> Path:
    """Where the key of a study is kept."""
    return user_config_folder() / "study_keys" / f"{study}.key"


def _secret(key: bytes | str, salt: bytes) -> bytes:
    if isinstance(key, bytes):
        return key
    if not key:
        raise CtmriError("An empty passphrase keeps nothing. Name one, or let the program keep a key.")
    return hashlib.scrypt(key.encode(), salt=salt, dklen=_KEY, **_SCRYPT)


def _head(path: Path, content: bytes) -> tuple[bytes, int]:
    """The salt of a passphrase, empty for a key, and where the head ends."""
    end = content.find(b"\n", len(_MAGIC)) + 1
    if not content.startswith(_MAGIC) or not 0 < end <= 256:
        raise FileRefused(path, "is no sealed truth of a reader study.", "Choose the folder of the study.")
    try:
        return bytes.fromhex(json.loads(content[len(_MAGIC) : end])["salt"]), end
    except (ValueError, KeyError, TypeError) as error:
        raise FileRefused(path, "has a damaged head.", "Take a copy of the study.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileRefused(path, "cannot be read.", "Choose the folder of the study.") from error
