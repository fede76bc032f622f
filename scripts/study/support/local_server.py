"""A server of a few pages for the browsers of one person, by the standard library's http.server.

It reads nothing by itself: what is served is what `answer` returns. It takes GET alone, from pages
of its own: a Host that a foreign page could have been given (DNS rebinding) is refused. Where other
machines can reach it, and where it is told so, only who knows a random token is answered.
"""

import errno
import hmac
import ipaddress
import secrets
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import urlsplit

from study.support.errors import StudyError

LOOPBACK = "127.0.0.1"

# Of a port that is taken, so many that follow are tried.
NEXT_PORTS = 20

# So often the server looks whether it is to end, in seconds.
PERIOD = 0.1

# A browser that says nothing for so many seconds is let go.
PATIENCE = 30

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True)
class Answer:
    """What is sent: a content, or with a `place` that it is there, relative to the server's."""

    content: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    place: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


# What there is at a path, relative to the server's place; None where there is nothing. The second
# argument is the languages that the browser would like, as its header has them.
Answers = Callable[[str, str], Answer | None]


@contextmanager
def serving(
    answer: Answers, host: str, port: int | None, first_port: int, token: bool = False
) -> Iterator[str]:
    """Serve until the block ends; its value is the address to open.

    Of no `port`, the first free one from `first_port` on is taken.

    Raises:
        StudyError: The port is none or taken, or the host is no address of this machine.
    """
    needs_token = token or not _is_loopback(host)
    secret = secrets.token_urlsafe(16) if needs_token else ""
    server = _bound(answer, secret, host, port, first_port)
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(PERIOD,), daemon=True)
        try:
            thread.start()
            yield f"http://{_address(host)}:{server.server_address[1]}/{secret and secret + '/'}"
        finally:
            server.shutdown()
            thread.join()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str) -> str:
    """Where a browser finds who listens on `host`; of all addresses, by the machine's name."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _bound(answer: Answers, secret: str, host: str, port: int | None, first_port: int) -> "_Server":
    ports = [port] if port is not None else range(first_port, first_port + NEXT_PORTS)
    for each in ports:
        try:
            return _Server(answer, secret, host, each)
        except OverflowError:
            text = f"--port {each}: is no port, which is a number from 0 to 65535"
            raise StudyError(text) from None
        except OSError as error:
            if error.errno in (errno.EADDRNOTAVAIL, None) or isinstance(error, socket.gaierror):
                raise StudyError(f"--host {host}: is no address of this machine") from None
            if error.errno == errno.EACCES:
                text = f"--port {each}: is not for everyone; take one above 1023"
                raise StudyError(text) from None
            if error.errno != errno.EADDRINUSE:
                raise
    if port is not None:
        raise StudyError(f"--port {port}: is taken on {host}; without --port a free one is found")
    raise StudyError(f"ports {ports[0]} to {ports[-1]} are all taken on {host}; name one by --port")


class _Server(ThreadingTCPServer):
    """As http.server's, but for its search for the machine's name, which may take half a minute."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answer: Answers, secret: str, host: str, port: int):
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer = answer
        self.secret = secret
        self.names = {"localhost", host.lower(), socket.gethostname().lower()}
        super().__init__((host, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that is closed in the middle is no fault."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def knows(self, host: str) -> bool:
        """Whether it is called by a number, or by a name of its own that no other site can have."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in self.names or bool(ipaddress.ip_address(name))
        except ValueError:
            return False


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer, or refuse in a line."""
        # Who has to know a token needs no other proof.
        if not self.server.secret and not self.server.knows(self.headers.get("Host", "")):
            self._send(421, Answer(b"not a name of this machine\n"))
            return
        path = self.path.partition("?")[0]
        if self.server.secret:
            given, slash, path = path.removeprefix("/").partition("/")
            right = hmac.compare_digest(given.encode(), self.server.secret.encode())
            if not (right and slash):
                self._send(403, Answer(b"open the address that the terminal shows\n"))
                return
        languages = self.headers.get("Accept-Language", "")
        found = self.server.answer(path.removeprefix("/"), languages)
        if found is None:
            self._send(404, Answer(b"there is nothing here\n"))
        else:
            self._send(302 if found.place else 200, found)

    def _send(self, code: int, answer: Answer) -> None:
        self.send_response(code)
        headers = {**HEADERS, **answer.headers, "Content-Type": answer.kind}
        headers["Content-Length"] = str(len(answer.content))
        if answer.place:
            headers["Location"] = answer.place
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def version_string(self) -> str:
        """No versions are told."""
        return "watch"

    def log_message(self, format: str, *args: object) -> None:
        """The terminal is kept for the address."""
