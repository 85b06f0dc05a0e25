"""Hashes: the same on every machine."""

import hashlib
from pathlib import Path

from l3net.files.hashing import sha256_of, stable_hash


def test_stable_hash_is_the_head_of_blake2b() -> None:
    digest = hashlib.blake2b(b"--2hxJ7vTaE", digest_size=8).hexdigest()
    assert stable_hash("--2hxJ7vTaE") == int(digest, 16)


def test_sha256_of_reads_the_whole_file(tmp_path: Path) -> None:
    content = b"x" * (3 << 20)
    (tmp_path / "big").write_bytes(content)
    assert sha256_of(tmp_path / "big") == hashlib.sha256(content).hexdigest()
