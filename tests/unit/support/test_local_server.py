"""The server answers its own browser and nobody else."""

import contextlib
import http.client
import socket
import struct
from urllib.parse import urlsplit

import pytest

from study.support import local_server
from study.support.errors import StudyError
from study.support.local_server import LOOPBACK, Answer, serving

PORT = 18750


def answers(path, languages):
    known = {
        "": Answer(place="page.html"),
        "page.html": Answer(b"<p>page", "text/html; charset=utf-8", headers={"X-Own": "yes"}),
        "languages": Answer(languages.encode()),
        "large": Answer(b"x" * 10_000_000),
    }
    return known.get(path)


@contextlib.contextmanager
def served(host=LOOPBACK, port=0, **options):
    """The place and path of a server on a free port."""
    with serving(answers, host, port, PORT, **options) as address:
        parts = urlsplit(address)
        yield parts.port, parts.path


def ask(port, path, method="GET", **headers):
    """The answer's status, headers and content."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_it_serves_what_it_is_given_with_headers_that_keep_it_at_home():
    with served() as (port, path):
        status, headers, content = ask(port, f"{path}page.html?v=1")
        assert (status, content) == (200, b"<p>page")
        assert headers["X-Own"] == "yes"
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        for name, value in local_server.HEADERS.items():
            assert headers[name] == value
        assert "Access-Control-Allow-Origin" not in headers
        assert "Python" not in headers["Server"]
        status, headers, _ = ask(port, path)
        assert (status, headers["Location"]) == (302, "page.html")
        assert ask(port, f"{path}languages", Accept_Language="es")[2] == b"es"


@pytest.mark.parametrize("path", ["nothing", "../page.html", "%2e%2e/page.html", "x/page.html"])
def test_elsewhere_there_is_nothing(path):
    with served() as (port, place):
        assert ask(port, place + path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_only_get_is_understood(method):
    with served() as (port, path):
        assert ask(port, path, method)[0] == 501


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8750",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[",
    ],
)
def test_a_host_that_a_foreign_page_could_have_is_refused(host):
    """As by DNS rebinding: its name leads here, and its scripts would read what is served."""
    with served() as (port, path):
        assert ask(port, f"{path}page.html", Host=host)[0] == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9", "LOCALHOST", "[::1]:8750"])
def test_what_a_tunnel_ends_in_may_have_another_port(host):
    with served() as (port, path):
        assert ask(port, f"{path}page.html", Host=host)[0] == 200


@pytest.mark.parametrize("options", [{"host": "0.0.0.0"}, {"token": True}])
def test_where_others_can_ask_a_token_is_asked_for(options):
    with served(**options) as (port, path):
        assert len(path) > 20
        # By whatever name: who knows the token was given it.
        assert ask(port, f"{path}page.html", Host="node7.cluster.example")[0] == 200
        for other in ("/", "/page.html", f"{path[:-2]}/page.html", path[:-1], "/%C3%A9/"):
            status, _, content = ask(port, other)
            assert status == 403
            assert b"<p>" not in content
    with served(**options) as (_, again):
        assert again != path


def test_a_port_that_is_taken_is_passed_over_or_told():
    with (
        serving(answers, LOOPBACK, None, PORT) as first,
        serving(answers, LOOPBACK, None, PORT) as second,
    ):
        assert first != second
        port = urlsplit(first).port
        assert urlsplit(second).port in range(port + 1, port + local_server.NEXT_PORTS)
        with (
            pytest.raises(StudyError, match=f"--port {port}: is taken on 127.0.0.1"),
            serving(answers, LOOPBACK, port, PORT),
        ):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-machine.invalid"])
def test_a_host_that_is_not_here_is_told(host):
    with pytest.raises(StudyError, match=f"--host {host}: "), serving(answers, host, 0, PORT):
        pass


def test_it_looks_for_no_name_of_the_machine(monkeypatch):
    """Where no name server answers, that takes half a minute."""
    monkeypatch.setattr(socket, "getfqdn", lambda *_: pytest.fail("was looked for"))
    with served() as (port, path):
        assert ask(port, f"{path}page.html")[0] == 200


def test_a_browser_that_is_closed_in_the_middle_is_no_fault(capfd):
    with served() as (port, path):
        for _ in range(3):
            with socket.create_connection((LOOPBACK, port)) as closed:
                # Closed at once, with what is on the way thrown away.
                closed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                closed.sendall(f"GET {path}large HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                closed.recv(1)
        with socket.create_connection((LOOPBACK, port)):
            # One that says nothing holds nobody up.
            assert ask(port, f"{path}page.html")[0] == 200
    assert capfd.readouterr().err == ""


def test_after_its_end_nothing_listens():
    with served() as (port, _):
        pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port))


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_told(port):
    told = f"--port {port}: is no port, which is a number from 0 to 65535"
    with pytest.raises(StudyError, match=told), serving(answers, "127.0.0.1", port, PORT):
        pass
