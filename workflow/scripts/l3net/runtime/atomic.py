"""Writing files and folders whole or not at all."""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def replacing(target: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it to `target` if the block ends without an error, else remove it.

    The temporary name starts with a dot and keeps the suffix of `target`, by which writers choose a format.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.partial{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(target: Path | str) -> Iterator[Path]:
    """Yield a new temporary folder beside `target`; it replaces `target` if the block ends without an error."""
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    temporary.mkdir()
    try:
        yield temporary
        shutil.rmtree(target, ignore_errors=True)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(target: Path | str, text: str) -> None:
    """Write `text` in UTF-8 to `target`, whole or not at all."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(table: "pd.DataFrame", target: Path | str, *, float_format: str | None = None) -> None:
    """Write `table` without its index as CSV to `target`, whole or not at all.

    Parameters
    ----------
    float_format : how floating-point numbers are written, such as ``"%.6g"``; None writes all their digits.
    """
    with replacing(target) as temporary:
        table.to_csv(temporary, index=False, float_format=float_format)
