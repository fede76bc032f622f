"""A command at a pseudo-terminal, as a person would run it."""

import os
import pty
import re
import subprocess
import termios
import threading
from pathlib import Path

LINES, COLUMNS = 40, 140

# What moves the cursor, colours and the like; `\r` goes back to the beginning of a line.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A terminal in which `command` runs, the leader of its foreground process group."""

    def __init__(self, command: list[str], cwd: Path):
        self.controller, inner = pty.openpty()
        termios.tcsetwinsize(inner, (LINES, COLUMNS))
        # Programs go by this terminal's size, not by one that pytest's workers are told.
        sized = {"COLUMNS", "LINES"}
        environment = {name: value for name, value in os.environ.items() if name not in sized}
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment | {"TERM": "xterm-256color"},
            preexec_fn=lambda: os.login_tty(inner),
            pass_fds=[inner],
        )
        os.close(inner)
        self._printed = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        # Its last process gone, a terminal gives an error where a pipe gives nothing.
        try:
            while piece := os.read(self.controller, 65536):
                self._printed += piece
        except OSError:
            pass

    @property
    def raw(self) -> str:
        """All that was printed so far, as the terminal got it."""
        return self._printed.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without what moves the cursor."""
        return _CONTROLS.sub("", self.raw)

    def press_ctrl_c(self) -> None:
        os.write(self.controller, b"\x03")

    def wait(self, timeout: float = 600) -> int:
        """The exit code, once it has ended."""
        code = self.process.wait(timeout)
        self._reader.join(timeout=5)
        os.close(self.controller)
        return code
