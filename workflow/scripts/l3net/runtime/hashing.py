"""Named, stable hashes: the same on every machine and in every Python version."""

import hashlib
from pathlib import Path

_CHUNK_BYTES = 1 << 20


def stable_hash(text: str) -> int:
    """Return the first 64 bits (big-endian) of the BLAKE2b digest of `text` in UTF-8."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
