"""What a failure of yt-dlp means: a status of the closed list, and a reason that is safe to write down."""

import re

from yt_dlp.networking.exceptions import HTTPError, RequestError
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError

from l3net.audioset import ClipFailure

# The order counts: a private video's message ends in "Sign in if ...", a bot check's begins with "Sign in to ...".
_TEXTS = (
    (
        r"private video|video is private|members[- ]only|join this channel|available to this channel's members",
        "private",
    ),
    (r"confirm your age|age[- ]restrict|inappropriate for some users|age-gate", "age_restricted"),
    (r"not a bot|captcha|unusual traffic", "bot_check"),
    (r"rate[- ]limit|too many requests|try again later|HTTP Error 429", "rate_limited"),
    (r"(in|from) your (country|location|region)|geo[- ]?restrict|blocked it in", "geo_blocked"),
    (r"\b(removed|deleted|terminated)\b|copyright|closed their", "removed"),
    # Without a reason this is what a blocked address is told, and also what a video that is gone says.
    (
        r"(video|content|account)( is|'s|'s not| has been)? ?(unavailable|(no longer|not) available)"
        r"|isn't available|not available on this|does(n't| not) exist",
        "unexplained",
    ),
    (r"sign in|log ?in required", "bot_check"),
    (r"HTTP Error \d+", "http_error"),
    (r"timed? ?out|connection|unreachable|resolve|network|TLS|SSL|EOF occurred|Incomplete", "network"),
)
_OF_CODE = {401: "http_error", 404: "removed", 410: "removed", 429: "rate_limited", 451: "geo_blocked"}


def classify_failure(error: Exception) -> ClipFailure:
    """Translate an exception of yt-dlp, by the cause under it where there is one, else by its message."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, GeoRestrictedError):
            return ClipFailure("geo_blocked", one_printable_line(str(cause.orig_msg)))
        if isinstance(cause, HTTPError):
            return failure_of_http_status(cause.status)
    for cause in causes:
        if isinstance(cause, RequestError):
            return ClipFailure("network", one_printable_line(str(cause)))
    message = str(getattr(causes[-1], "orig_msg", causes[-1])) if causes else str(error)
    text = message.replace("\u2019", "'")
    for pattern, status in _TEXTS:
        if re.search(pattern, text, re.IGNORECASE):
            if status == "unexplained":
                return ClipFailure("rate_limited", one_printable_line(message), is_certain=False)
            return ClipFailure(status, one_printable_line(message))
    return ClipFailure("failed", one_printable_line(message) or type(error).__name__)


def failure_of_http_status(status: int) -> ClipFailure:
    """Translate a server's answer other than success; one that leads on comes here where it does so without end."""
    if 300 <= status < 400:
        return ClipFailure("network", "the server redirects without end")
    return ClipFailure(_OF_CODE.get(status, "http_error"), f"HTTP {status}")


def one_printable_line(text: str) -> str:
    """Make a message one printable line without colours and without addresses, which may hold tokens."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"\w+://\S+", "<address>", text)
    text = re.sub(r"; please report this issue on.*", "", text, flags=re.DOTALL)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.removeprefix("ERROR:").split())[:200]


def _causes(error: Exception) -> list[BaseException]:
    """Collect the exceptions under an error, from the outside in."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop(0)
        if current is None or current in found:
            continue
        found.append(current)
        if isinstance(current, DownloadError) and current.exc_info:
            waiting.append(current.exc_info[1])
        if isinstance(current, ExtractorError | RequestError) and isinstance(current.cause, BaseException):
            waiting.append(current.cause)
    return found
