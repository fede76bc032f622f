"""Programs and Snakemake without Python's start and imports for each: forks of a warm process.

`directory()` names a folder with a `python` and a `snakemake`, to be first on the PATH. What they
are given runs in a fork of a process that has imported what programs of this project need, though
nothing of the project itself: tests run edited copies of it. Arguments, folder, environment and
standard files are the caller's. Signals are passed on, and a client that is killed takes its fork
along.

A real process starts instead (tests/forkclient.py) where errors are shown at a terminal, for
`python -c` and other options of the interpreter, and in an environment in which it or a module
would have started differently.
"""

import atexit
import contextlib
import gc
import importlib
import io
import marshal
import os
import runpy
import selectors
import shutil
import signal
import site
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import weakref
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NoReturn

# Names the folder of a server that runs already, for other processes of the tests.
VARIABLE = "FORKSERVER"

# Variables that begin so are read as Python starts or as a module is imported, once and for all.
# None may be one that a module sets as a test imports it: no later call would then be a fork's.
EARLY = [
    *(b"PYTHON", b"LC_", b"LANG", b"HOME", b"XDG_", b"LD_", b"NPY_", b"MPL", b"MATPLOTLIBRC"),
    *(b"OMP_", b"GOMP_", b"OPENBLAS_", b"MKL_", b"DNNL_", b"ONEDNN_", b"ATEN_", b"TORCH_"),
    *(b"NVIDIA_", b"ARROW_"),
]

# A fork sees to these itself, if all tell the same number, as in Snakemake's jobs, or none does.
THREADS = [b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS", b"MKL_NUM_THREADS"]

COVERAGE = ["COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"]

# Most of what a study's programs import; what is missing here they import themselves.
MODULES = (
    "altair babel.lists babel.numbers boto3 botocore.config jinja2 jsonschema markdown_it "
    "matplotlib.axes matplotlib.backends.backend_agg matplotlib.backends.backend_svg "
    "matplotlib.figure matplotlib.ticker onnx pandas PIL.Image psutil pyarrow pyarrow.compute "
    "pyarrow.dataset pyarrow.parquet referencing requests rich.console rich.live "
    "rich.progress_bar rich.text ruamel.yaml safetensors.numpy scipy.special scipy.stats "
    "sklearn.metrics statsmodels.stats.meta_analysis statsmodels.stats.power "
    "statsmodels.stats.proportion tabulate threadpoolctl torch snakemake.api snakemake.cli "
    "snakemake.executors.local snakemake.report snakemake.script snakemake.workflow "
    "snakemake_executor_plugin_slurm snakemake_executor_plugin_slurm_jobstep "
    "snakemake_storage_plugin_s3 "
)


def directory() -> str:
    """The folder of a server's programs; a server starts where none runs yet, and ends with us."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = start()
    return os.environ[VARIABLE]


def environment() -> dict[str, str]:
    """The environment of a process for which `python` and `snakemake` are forks."""
    return os.environ | {"PATH": os.pathsep.join([directory(), os.environ["PATH"]])}


def start(modules: str = MODULES) -> str:
    folder = Path(tempfile.mkdtemp(prefix="forkserver-"))
    # A short name, since a script's first line has a limit.
    interpreter = folder / "interpreter"
    interpreter.symlink_to(os.path.realpath(sys.executable))
    text = f"#!{interpreter} -IS\n"
    text += Path(__file__).with_name("forkclient.py").read_text(encoding="utf-8")
    for name in ("python", "snakemake"):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    unset = {"PYTHONPATH", *COVERAGE}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, __file__, folder, modules],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # One thread, that is none beside the main one: a fork has the main one alone.
            env=kept | {name.decode(): "1" for name in THREADS},
        )
    atexit.register(stop, process, folder)
    while not (folder / "settings").exists():
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
        time.sleep(0.005)
    return str(folder)


def stop(process: subprocess.Popen, folder: Path) -> None:
    """End the server, and with it all that runs there; our end closes the pipe too."""
    process.stdin.close()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Request:
    """What a client asks for, and the connection that lives as long as it does."""

    client: socket.socket
    words: list[str]
    folder: str
    environment: dict[bytes, bytes]
    mask: int
    ignored: list[int]
    standard: list[int]

    @classmethod
    def read(cls, client: socket.socket) -> "Request | None":
        """None where the client was killed before it had asked."""
        head, standard, _, _ = socket.recv_fds(client, 8, 3)
        content = bytearray()
        while head and len(content) < int.from_bytes(head, "big"):
            piece = client.recv(1 << 20)
            if not piece:
                break
            content += piece
        else:
            if head:
                return cls(client, *marshal.loads(content), standard)
        for descriptor in standard:
            os.close(descriptor)
        client.close()
        return None

    def take_over(self) -> None:
        """Make this process, a fork of the server, what the client would be as a real one."""
        for number, descriptor in enumerate(self.standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        self.client.close()
        os.chdir(self.folder)
        os.umask(self.mask)
        for name in set(os.environb) - set(self.environment):
            del os.environb[name]
        os.environb.update(self.environment)
        for number in self.ignored:
            signal.signal(number, signal.SIG_IGN)
        # What the server's imports fixed, and is of a process or its environment.
        time.tzset()
        tempfile.tempdir = None
        if "torch" in sys.modules:
            sys.modules["numpy"].random.seed()
            sys.modules["torch"].default_generator.seed()
            threads = self.environment.get(THREADS[0])
            if threads != b"1":
                count = int(threads) if threads else len(os.sched_getaffinity(0))
                sys.modules["threadpoolctl"].threadpool_limits(count)

    def run(self) -> None:
        """What the interpreter does with the words of its command line."""
        if places := os.environ.get("PYTHONPATH"):
            sys.path[1:1] = map(os.path.abspath, places.split(os.pathsep))
            site.execsitecustomize()
        if any(name in os.environ for name in COVERAGE):
            importlib.import_module("coverage").process_startup()
        sys.orig_argv = [sys.executable, *self.words]
        if self.words[0] == "-m":
            sys.argv, sys.path[0] = self.words[1:], os.getcwd()
            runpy.run_module(self.words[1], run_name="__main__", alter_sys=True)
            return
        path = os.path.join(os.getcwd(), self.words[0])
        if not os.path.isfile(path):
            os.execv(sys.executable, sys.orig_argv)
        sys.argv, sys.path[0] = self.words, os.path.dirname(os.path.realpath(path))
        main = types.ModuleType("__main__")
        main.__file__, main.__builtins__ = path, sys.modules["builtins"]
        main.__loader__ = SourceFileLoader("__main__", path)
        sys.modules["__main__"] = main
        with io.open_code(path) as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        exec(code, main.__dict__)


class Server:
    """A fork for each client; who closes the pipe at its stdin ends it."""

    def __init__(self, folder: Path, modules: str):
        self.modules = modules
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "socket"))
        self.listener.listen(100)
        self.selector = selectors.DefaultSelector()
        self.selector.register(0, selectors.EVENT_READ, self.end)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        # The running forks by their clients' connections.
        self.forks: dict[socket.socket, int] = {}
        self.warm = False

    def serve(self) -> Request:
        """Returns in forks alone, each with what it is to do."""
        while True:
            for key, _ in self.selector.select():
                if request := key.data():
                    return request

    def accept(self) -> Request | None:
        client, _ = self.listener.accept()
        request = Request.read(client)
        if request is None:
            return None
        if not self.warm:
            warm_up(self.modules)
            self.warm = True
        pid = os.fork()
        # Here and in the fork, whichever comes first: signals for all of a fork's processes.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        if pid == 0:
            self.close()
            return request
        for descriptor in request.standard:
            os.close(descriptor)
        self.forks[client] = pid
        ended = os.pidfd_open(pid)
        self.selector.register(ended, selectors.EVENT_READ, lambda: self.tell_end(client, ended))
        self.selector.register(client, selectors.EVENT_READ, lambda: self.pass_on(client))
        return None

    def pass_on(self, client: socket.socket) -> None:
        """Signals that the client was sent; nothing where it was killed."""
        signals = b""
        with contextlib.suppress(ConnectionResetError):
            signals = client.recv(100)
        if client not in self.forks:
            return
        for number in signals:
            os.kill(self.forks[client], number)
        if not signals:
            self.selector.unregister(client)
            os.killpg(self.forks[client], signal.SIGKILL)

    def tell_end(self, client: socket.socket, ended: int) -> None:
        _, status = os.waitpid(self.forks.pop(client), 0)
        self.selector.unregister(ended)
        os.close(ended)
        with contextlib.suppress(KeyError):
            self.selector.unregister(client)
        with contextlib.suppress(OSError):
            client.sendall(status.to_bytes(4, "big"))
        client.close()

    def end(self) -> NoReturn:
        for pid in self.forks.values():
            os.killpg(pid, signal.SIGKILL)
        os._exit(0)

    def close(self) -> None:
        """In a fork: let go of what is the server's and the other forks'."""
        for key in self.selector.get_map().values():
            if key.fd > 0:
                os.close(key.fd)
        self.selector.close()


def warm_up(modules: str) -> None:
    places = list(sys.path)
    for name in modules.split():
        importlib.import_module(name)
    # Snakemake adds one.
    sys.path[:] = places
    # torch's, at the end of each fork, would take its operators apart one by one.
    for finalizer in list(weakref.finalize._registry):
        finalizer.atexit = False
    # The forks' collectors need not look at, and so copy, what they share.
    gc.collect()
    gc.freeze()


def end(error: BaseException | None) -> NoReturn:
    """End as the interpreter does after a program that raised this, or nothing.

    All but its last step: to take apart what was imported costs more than most programs do.
    """
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    elif error:
        code = 1
        # Without this module's frames.
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__):
            trace = trace.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = 120
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code & 0xFF)


def main() -> None:
    folder = Path(sys.argv[1])
    server = Server(folder, sys.argv[2])
    free = [b"PYTHONPATH", *THREADS]
    settings = {
        "python": sys.executable,
        "snakemake": str(Path(sys.executable).with_name("snakemake")),
        "early": EARLY,
        "free": free,
        "threads": THREADS,
        "environment": {
            name: value
            for name, value in os.environb.items()
            if name.startswith(tuple(EARLY)) and name not in free
        },
    }
    # Whole as soon as it is there.
    (folder / "settings.new").write_bytes(marshal.dumps(settings))
    (folder / "settings.new").rename(folder / "settings")
    request = server.serve()
    request.take_over()
    try:
        request.run()
    except BaseException as error:
        end(error)
    end(None)


if __name__ == "__main__":
    main()
