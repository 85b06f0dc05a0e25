"""Seeded small harm done to a file: bits, pieces and lengths of any file, and cells, lines and words of a text."""

import random
from collections.abc import Callable

_NUMBERS = [b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x80", b"\x01\x00\x00\x00"]
# What people, spreadsheets and programs put where something else belongs.
WORDS = ["", " ", "nan", "NaN", "None", "null", "-1", "0", "1e400", "9" * 20, "٣", "1,5", "'", '"', '""', "\\", "{}"]
WORDS += ["{x}", "[]", "[[[[", "true", "../../x", "/", "=1+1", "#NAME?", "\t", "\r", "\n", "\x00", "\ufeff", "\u202e"]
WORDS += ["😀", "<script>", "%s", "$(x)", "~", "a" * 5000, "1" * 400, "inf", "-inf", "0x10", "1e5", "2026-01-01", "é"]
WORDS += ["!!x"]


def mutate_bytes(data: bytes, seed: object) -> tuple[bytes, str]:
    """Return `data` with one harm done to it, and what that was."""
    draw = random.Random(f"bytes {seed}")
    name, harm = draw.choice(list(_HARMS.items()))
    return harm(data, draw), name


def mutate_text(data: bytes, seed: object) -> tuple[bytes, str]:
    """Return a UTF-8 text with one harm done to it, and what that was; one time in five as if it were any file."""
    draw = random.Random(f"text {seed}")
    if draw.random() < 0.2:
        return mutate_bytes(data, seed)
    name, harm = draw.choice(list(_TEXT_HARMS.items()))
    return harm(data.decode(), draw).encode("utf-8", "surrogatepass"), name


def _flip(data: bytes, draw: random.Random) -> bytes:
    harmed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        harmed[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return bytes(harmed)


def _noise(data: bytes, draw: random.Random) -> bytes:
    at, n = draw.randrange(len(data)), draw.choice((1, 4, 64, 512))
    return data[:at] + draw.randbytes(min(n, len(data) - at)) + data[at + n :]


def _zeros(data: bytes, draw: random.Random) -> bytes:
    at, n = draw.randrange(len(data)), draw.choice((16, 512, 4096))
    return data[:at] + bytes(min(n, len(data) - at)) + data[at + n :]


def _number(data: bytes, draw: random.Random) -> bytes:
    """Put an extreme number somewhere, most often near the beginning, where headers are."""
    at = draw.randrange(min(len(data), draw.choice((64, 512, len(data)))))
    return data[:at] + draw.choice(_NUMBERS) + data[at + 4 :]


def _cut(data: bytes, draw: random.Random) -> bytes:
    return data[: draw.choice((0, 1, draw.randrange(len(data)), draw.randrange(len(data)), len(data) - 1))]


def _drop(data: bytes, draw: random.Random) -> bytes:
    at, n = draw.randrange(len(data)), draw.choice((1, 16, 512, 4096))
    return data[:at] + data[at + n :]


def _double(data: bytes, draw: random.Random) -> bytes:
    at, n = draw.randrange(len(data)), draw.choice((1, 16, 512, 4096))
    return data[: at + n] + data[at:]


def _swap(data: bytes, draw: random.Random) -> bytes:
    n = max(1, min(512, len(data) // 4))
    one, other = sorted((draw.randrange(len(data) - n), draw.randrange(len(data) - n)))
    if other < one + n:
        return _flip(data, draw)
    return data[:one] + data[other : other + n] + data[one + n : other] + data[one : one + n] + data[other + n :]


def _append(data: bytes, draw: random.Random) -> bytes:
    return data + draw.choice((b"\0", draw.randbytes(100), bytes(4096), data[:64]))


_Harm = Callable[[bytes, random.Random], bytes]
_HARMS: dict[str, _Harm] = {
    "bits flipped": _flip,
    "noise": _noise,
    "zeros": _zeros,
    "extreme number": _number,
    "cut off": _cut,
    "piece dropped": _drop,
    "piece doubled": _double,
    "pieces swapped": _swap,
    "bytes behind": _append,
}


def _word(text: str, draw: random.Random) -> str:
    """Put a word in place of a cell, a value or a name."""
    separators = [i for i, letter in enumerate(text) if letter in ',\n:"[]{} ']
    if len(separators) < 2:
        return draw.choice(WORDS)
    at = draw.randrange(len(separators) - 1)
    return text[: separators[at] + 1] + draw.choice(WORDS) + text[separators[at + 1] :]


def _insert_word(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(WORDS) + text[at:]


def _drop_line(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    del lines[draw.choice((0, draw.randrange(len(lines))))]
    return "".join(lines)


def _double_line(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    at = draw.choice((0, draw.randrange(len(lines))))
    return "".join([*lines[: at + 1], *lines[at:]])


def _other_letter(text: str, draw: random.Random) -> str:
    """Take another letter wherever one stands: separators, quotes, brackets, line ends."""
    one, other = draw.choice((",;", ",\t", "\"'", "\n\r", "[(", "}]", ":=", ".,", "0O", "  "))
    return text.replace(one, other) if draw.random() < 0.5 else text.replace(one, other, 1)


def _deeper(text: str, draw: random.Random) -> str:
    """Nest what is there, or something, many times."""
    n = draw.choice((1, 100, 20_000, 200_000))
    return "[" * n + (text if draw.random() < 0.5 else "") + "]" * n


_TEXT_HARMS: dict[str, Callable[[str, random.Random], str]] = {
    "another word": _word,
    "another word there": _word,
    "word put in": _insert_word,
    "line dropped": _drop_line,
    "line doubled": _double_line,
    "another letter": _other_letter,
    "nested": _deeper,
    "mark of byte order": lambda text, draw: "\ufeff" + text,
    "cut off": lambda text, draw: text[: draw.randrange(len(text))],
    "halves swapped": lambda text, draw: text[len(text) // 2 :] + text[: len(text) // 2],
}
