"""Hashes that are the same on every machine and in every version of Python."""

import hashlib
from pathlib import Path


def stable_hash(text: str) -> int:
    """Return the first 64 bits (big-endian) of the BLAKE2b digest of `text` in UTF-8."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
