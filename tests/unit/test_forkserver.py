"""A fork of the tests' server is to its caller what a real process would be."""

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import forkserver

TELL = """
import os
environment = dict(os.environ)
import atexit, json, random, sys, tempfile, threading
import threadpoolctl, torch

def tell_all():
    print(json.dumps({
        "argv": sys.argv, "path": sys.path, "folder": os.getcwd(), "name": __name__,
        "file": __file__, "main": sys.modules["__main__"].tell_all is tell_all,
        "environment": environment, "mask": os.umask(0), "stdin": sys.stdin.read(),
        "time": __import__("time").strftime("%Z"), "temporary": tempfile.gettempdir(),
        "executable": sys.executable,
        "threads": {lib["num_threads"] for lib in threadpoolctl.threadpool_info()}.pop(),
        "torch": torch.get_num_threads(),
        "study": [name for name in sys.modules if name.split(".")[0] == "study"],
    }))

atexit.register(print, "at exit")
tell_all()
threading.Timer(0.1, print, ["in a thread"]).start()
print("to stderr", file=sys.stderr)
random.seed(int(sys.argv[1]))
sys.exit(random.randrange(1, 100))
"""


@pytest.fixture
def script(tmp_path):
    folder = tmp_path / "programs"
    folder.mkdir()

    def write(text: str) -> Path:
        path = folder / "some_program.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def python(*words, forked: bool, **options) -> subprocess.CompletedProcess:
    environment = forkserver.environment() if forked else dict(os.environ)
    options["env"] = environment | options.get("env", {})
    program = "python" if forked else sys.executable
    return subprocess.run([program, *words], capture_output=True, text=True, **options)


def unlike(told: dict) -> dict:
    """What was told, but for what tells a fork from a real process by intention."""
    del told["environment"]["PATH"]
    return told


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PLACES = {"PYTHONPATH": "first:/second", "TZ": "Asia/Tokyo", "TMPDIR": "/var/tmp"}


@pytest.mark.parametrize("environment", [{}, ONE_THREAD | PLACES])
def test_a_fork_finds_what_a_real_process_finds(script, tmp_path, environment):
    words = [str(script(TELL).relative_to(tmp_path)), "7", "ä b"]
    options = {"cwd": tmp_path, "input": "some input", "umask": 0o027, "env": environment}
    fork, real = (python(*words, forked=forked, **options) for forked in (True, False))
    assert (fork.returncode, fork.stderr) == (real.returncode, real.stderr)
    for told in zip(fork.stdout.splitlines(), real.stdout.splitlines(), strict=True):
        if told[0].startswith("{"):
            told = [unlike(json.loads(line)) for line in told]
        assert told[0] == told[1]


def is_fork(script: Path, **environment: str) -> bool:
    client = subprocess.Popen(
        ["python", script],
        env=forkserver.environment() | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return int(client.communicate()[0]) != client.pid


def test_where_python_or_a_module_would_start_differently_a_real_process_does(script):
    path = script("import os; print(os.getpid())")
    # What these set in the environment makes no difference.
    assert importlib.import_module("sklearn.metrics")
    assert importlib.import_module("torchvision")
    assert is_fork(path)
    assert is_fork(path, TZ="Asia/Tokyo", **ONE_THREAD)
    for name in ("PYTHONHASHSEED", "MPLBACKEND", "LC_ALL", "HOME", "OMP_NUM_THREADS"):
        assert not is_fork(path, **{name: "1"})


@pytest.mark.parametrize(
    "text",
    [
        "def fail():\n    return 1 / 0\nfail()\n",
        "raise SystemExit('some words')",
        "import os, sys\nprint('a'); sys.stdout.flush(); os.kill(os.getpid(), 9)",
        "print('a'); raise KeyboardInterrupt",
        "import os\nos._exit(7)",
        "def f(:\n",
    ],
)
def test_a_fork_ends_as_a_real_process_does(script, text):
    path = script(text)
    fork, real = (python(path, forked=forked) for forked in (True, False))
    assert fork.returncode == real.returncode
    assert fork.stdout == real.stdout
    assert fork.stderr == real.stderr


def test_modules_run_as_programs_and_other_words_are_the_interpreters(tmp_path):
    for words in (["-m", "json.tool", "--help"], ["-c", "print(__name__)"], ["-V"], ["nowhere.py"]):
        fork, real = (python(*words, forked=forked, cwd=tmp_path) for forked in (True, False))
        assert (fork.returncode, fork.stdout, fork.stderr) == (
            real.returncode,
            real.stdout,
            real.stderr,
        )


def test_forks_have_random_numbers_of_their_own(script):
    path = script(
        "import numpy, random, torch\n"
        "print(random.random(), numpy.random.rand(), torch.rand(1).item())"
    )
    drawn = [python(path, forked=True).stdout.split() for _ in range(2)]
    assert len({number for numbers in drawn for number in numbers}) == 6


LONG = """
import os, signal, subprocess, sys, time
def told(number, frame):
    print("told", number, flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, told)
inner = subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL)
print(os.getpid(), inner.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def running(script):
    """A long program's client, and the processes that do its work."""
    client = subprocess.Popen(
        ["python", script(LONG)],
        env=forkserver.environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = [psutil.Process(int(pid)) for pid in client.stdout.readline().split()]
    yield client, workers
    client.kill()
    for worker in workers:
        if worker.is_running():
            worker.kill()
    client.communicate()


def gone(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, timeout=10)[1]


def test_a_signal_is_passed_on(running):
    client, (program, _) = running
    client.send_signal(signal.SIGTERM)
    assert client.communicate(timeout=10)[0] == f"told {signal.SIGTERM}\n"
    assert client.returncode == 5
    assert gone([program])


def test_a_fork_interrupted_ends_by_the_interrupt(running):
    client, (program, _) = running
    client.send_signal(signal.SIGINT)
    client.communicate(timeout=10)
    assert client.returncode == -signal.SIGINT
    assert gone([program])


def test_of_a_killed_group_nothing_is_left(running):
    client, workers = running
    os.killpg(client.pid, signal.SIGKILL)
    assert gone(workers)


def test_with_the_tests_all_forks_end(script):
    """Also where these are killed, and can tell nothing."""
    code = (
        "import forkserver, os, subprocess, sys\n"
        "folder = forkserver.start(modules='')\n"
        "print(folder, flush=True)\n"
        "subprocess.run([os.path.join(folder, 'python'), sys.argv[1]])\n"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", code, script(LONG)],
        env=os.environ | {"PYTHONPATH": str(Path(forkserver.__file__).parent)},
        stdout=subprocess.PIPE,
        text=True,
    )
    folder = tests.stdout.readline().strip()
    workers = [psutil.Process(int(pid)) for pid in tests.stdout.readline().split()]
    [server] = [
        process
        for process in psutil.process_iter(["cmdline"])
        if (process.info["cmdline"] or [])[1:3] == [forkserver.__file__, folder]
        and process.pid not in [worker.pid for worker in workers]
    ]
    tests.kill()
    tests.communicate()
    assert gone([server, *workers])
    shutil.rmtree(folder)
