"""Disks that take no more: a small one that is full, one without the right to write, a quota, a limit of file sizes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# A quota of bytes for each file below QUOTA_FOLDER, as the system answers when one is used up.
_QUOTA = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int is_used_up(int fd, off_t end) {
    char link[64], name[4096];
    const char *folder = getenv("QUOTA_FOLDER"), *bytes = getenv("QUOTA_BYTES");
    if (!folder || !bytes || fd < 3) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);
    if (n <= 0) return 0;
    name[n] = 0;
    if (strncmp(name, folder, strlen(folder))) return 0;
    return end > atol(bytes);
}
#define GUARD(fd, end) if (is_used_up(fd, end)) { errno = EDQUOT; return -1; }
ssize_t write(int fd, const void *data, size_t n) {
    GUARD(fd, lseek(fd, 0, SEEK_CUR) + (off_t)n)
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t place) {
    GUARD(fd, place + (off_t)n)
    return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite"))(fd, data, n, place);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t place) { return pwrite(fd, data, n, place); }
size_t fwrite(const void *data, size_t size, size_t n, FILE *file) {
    if (is_used_up(fileno(file), ftell(file) + (off_t)(size * n))) { errno = EDQUOT; return 0; }
    return ((size_t (*)(const void *, size_t, size_t, FILE *))dlsym(RTLD_NEXT, "fwrite"))(data, size, n, file);
}
"""


def can_mount() -> bool:
    """Return whether this user may mount a disk."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
        return True


@contextmanager
def small_disk(folder: Path, size: str = "2m") -> Iterator[Path]:
    """Mount a disk of so many bytes at `folder`; skip the test where that is not allowed."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def make_read_only(folder: Path) -> None:
    """Make a small disk read-only."""
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def quota(folder: Path, n_bytes: int, built: Path) -> dict[str, str]:
    """Return the environment of a process to which no file below `folder` may have more bytes; skip without gcc."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc builds the library that stands for a quota")
    built.with_suffix(".c").write_text(_QUOTA)
    subprocess.run(["gcc", "-shared", "-fPIC", built.with_suffix(".c"), "-o", built, "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(built), "QUOTA_FOLDER": str(folder), "QUOTA_BYTES": str(n_bytes)}
