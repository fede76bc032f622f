"""`python` and `snakemake` for the tests: what they are given runs in a fork of a warm process.

tests/forkserver.py makes two programs of this text. They are to start within milliseconds, and so
import nothing but what is built in.
"""

import _signal
import _socket
import marshal
import posix
import sys

# Passed on to the process that runs in this one's place.
SIGNALS = [
    _signal.SIGHUP,
    _signal.SIGINT,
    _signal.SIGQUIT,
    _signal.SIGTERM,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
]


def starts_alike(settings):
    """Whether an interpreter that starts here is as the server's was, but for the threads."""
    beginnings, free = tuple(settings["early"]), settings["free"]
    early = {
        name: value
        for name, value in posix.environ.items()
        if name.startswith(beginnings) and name not in free
    }
    threads = {posix.environ.get(name) for name in settings["threads"]}
    return early == settings["environment"] and len(threads) == 1


def is_program(words):
    """Whether these words of `python` are a script's or a module's and its arguments."""
    return len(words) > 1 if words[:1] == ["-m"] else not (words or ["-"])[0].startswith("-")


def main():
    folder, _, name = sys.argv[0].rpartition("/")
    with open(folder + "/settings", "rb") as file:
        settings = marshal.load(file)
    words = sys.argv[1:] if name == "python" else [settings[name], *sys.argv[1:]]
    # A terminal signals, stops and hangs up on its own processes alone. Jobs, whose errors are in
    # a log, are passed what it signals.
    at_terminal = posix.isatty(2)
    if at_terminal or not is_program(words) or not starts_alike(settings):
        posix.execv(settings[name], [settings[name], *sys.argv[1:]])

    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(folder + "/socket")
    ignored = []
    for number in SIGNALS:
        if _signal.getsignal(number) == _signal.SIG_IGN:
            ignored.append(number)
        else:
            _signal.signal(number, lambda number, _: connection.send(bytes([number])))
    mask = posix.umask(0)
    posix.umask(mask)
    request = marshal.dumps([words, posix.getcwd(), posix.environ, mask, ignored])
    standard = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    head = len(request).to_bytes(8, "big")
    connection.sendmsg([head], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, standard)])
    connection.sendall(request)

    answer = connection.recv(4)
    if len(answer) < 4:
        with open(folder + "/log", encoding="utf-8") as log:
            sys.stderr.write("the fork server has ended\n" + log.read())
        posix._exit(255)
    status = int.from_bytes(answer, "big")
    if posix.WIFSIGNALED(status):
        number = posix.WTERMSIG(status)
        if number != _signal.SIGKILL:
            _signal.signal(number, _signal.SIG_DFL)
        posix.kill(posix.getpid(), number)
    posix._exit(posix.WEXITSTATUS(status))


main()
