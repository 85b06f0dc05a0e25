"""The errors a user can cause or meet. A message is one line: what is wrong, where, what was expected, what to do."""

_LONGEST, _END = 400, 130  # letters of a message, and how many of them are kept of its end, where it says what to do
_JOINERS = "\u200c\u200d"  # they have no look of their own, and names in several scripts need them


class L3Error(Exception):
    """Base of every error that is reported as one line, without a traceback, with exit code 1.

    Messages quote names and texts of files that anybody may have made. Whatever they hold, the message is one line of
    at most 400 letters, and nothing in it moves a terminal's cursor or turns the direction of writing.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(one_line(str(message)))


def one_line(text: str, longest: int = _LONGEST) -> str:
    """Return `text` as one line that can be printed: breaks become spaces, control characters their codes.

    Parameters
    ----------
    longest : letters of the line; a longer text loses its middle.
    """
    if len(text) > 4 * longest:  # before every letter is looked at
        text = text[: 2 * longest] + text[-2 * longest :]
    line = "".join(
        letter if letter.isprintable() or letter in _JOINERS else " " if letter.isspace() else _code(letter)
        for letter in text
    ).strip()
    end = min(_END, longest // 3)
    return line if len(line) <= longest else f"{line[: longest - end - 5]} ... {line[-end:]}"


def _code(letter: str) -> str:
    return letter.encode("unicode_escape").decode()


class ConfigError(L3Error):
    """A configuration, filter or command line that cannot be used."""


class ClipError(L3Error):
    """A clip, list of clips or media file that cannot be used."""


class ShardError(L3Error):
    """A shard or an index of shards that cannot be used."""


class DatasetError(L3Error):
    """A downstream data set, or what was computed from it, that cannot be used."""


class WeightsError(L3Error):
    """A checkpoint, model or released weights file that cannot be used."""


class TransferError(L3Error):
    """A file that cannot be fetched from its address."""
