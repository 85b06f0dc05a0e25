"""What an examination finds of one thing."""

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "bad"]
MARKS: dict[str, str] = {"good": "ok  ", "note": "note", "bad": "BAD "}


@dataclass(frozen=True)
class Finding:
    """What was found.

    Attributes
    ----------
    subject : what was looked at.
    state : ``good``; ``note``, something that only some runs need or that costs speed; ``bad``, no run goes without.
    found : what is there, or not.
    advice : what to do about it; empty where nothing is to be done.
    """

    subject: str
    state: State
    found: str
    advice: str = ""

    def lines(self) -> list[str]:
        """Return the finding as lines to read."""
        return [f"{MARKS[self.state]}  {self.subject:22}  {self.found}"] + (
            [f"{'':6}{'':22}  -> {self.advice}"] if self.advice else []
        )
