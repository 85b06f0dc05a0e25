"""A process that reads batches for this one: a fresh interpreter that is told over a pipe what to do.

It is not forked, because TensorFlow and HDF5 hold locks, and not spawned by multiprocessing, which would run the main
script again and with it import TensorFlow.
"""

import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from l3net.errors import ShardError

_SECONDS_TO_STOP = 5.0
_START = """import sys
sys.path.insert(0, {library!r})
from l3net.feed import batch_reader
batch_reader.serve(*map(int, sys.argv[1:]))
"""


class ReaderProcess:
    """This side of a process that runs `batch_reader.serve`.

    Parameters
    ----------
    descriptor : an open file that the process inherits: the shared memory of the batches.
    task : the first message to the process (`batch_reader.ReaderTask`).
    """

    def __init__(self, descriptor: int, task: Any) -> None:
        ours, theirs = socket.socketpair()
        code = _START.format(library=str(Path(__file__).parents[2]))
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, str(theirs.fileno()), str(descriptor)],
                pass_fds=(theirs.fileno(), descriptor),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "HDF5_USE_FILE_LOCKING": "FALSE", "OMP_NUM_THREADS": "1"},
            )
        self.connection = Connection(ours.detach())
        self.send(task)

    def receive(self) -> Any:
        """Wait for the next answer and return it; an answer of text is an error that the process met.

        Raises
        ------
        ShardError
            The process met an error, or has ended.
        """
        try:
            answer = self.connection.recv()
        except (EOFError, OSError):
            code = self.process.wait()
            why = "it was killed, as for want of memory" if code == -9 else "what it said stands above this"
            raise ShardError(f"a reader process of the feed ended with code {code}: {why}") from None
        if isinstance(answer, str):
            raise ShardError(answer)
        return answer

    def send(self, message: Any) -> None:
        """Send a message; if the process has ended, the next `receive` says so."""
        try:
            self.connection.send(message)
        except OSError:
            return

    def stop(self) -> None:
        """End the process."""
        self.connection.close()
        self.process.terminate()
        try:
            self.process.wait(_SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
