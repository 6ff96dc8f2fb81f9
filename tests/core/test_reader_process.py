"""The reader process survives what native parsers do at their worst, and says so in words."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from pydicom.pixels import get_decoder
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from ctmri_core.errors import FileRefused
from ctmri_core.io import reader_process
from ctmri_core.io.reader_process import ReaderProcess, shared_reader, shutdown

TASKS = "hostile_tasks"
FILE = Path("somewhere").absolute() / "scan.dcm"


@pytest.fixture
def reader(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    process = ReaderProcess(memory_limit=3 << 30, task_prefix=TASKS)
    yield process
    process.shutdown()


@pytest.fixture
def shared_blocks(monkeypatch):
    """Which blocks of this test's own are there: others read files on this machine at the same time."""
    names, folder, token_hex = set(), Path("/dev/shm"), secrets.token_hex

    def noted(count):
        name = token_hex(count)
        names.add(f"ctmri-{name}")
        return name

    monkeypatch.setattr(secrets, "token_hex", noted)
    return lambda: {name for name in names if (folder / name).exists()}


def test_values_and_arrays_come_back_equal(reader):
    assert reader.call(f"{TASKS}:echo", FILE, 1, "two", None) == (FILE, 1, "two", None)
    result = reader.call(f"{TASKS}:numbers", FILE, 100_000)
    assert np.array_equal(result["ramp"], np.arange(100_000, dtype=np.float32))
    assert result["twice"][0].dtype == np.int16 and (result["twice"][0] == 7).all()
    assert result["twice"][1].flags.f_contiguous and np.array_equal(result["twice"][1], np.eye(300))
    result["ramp"][0] = 5  # the caller's own


def test_shared_memory_lives_as_long_as_its_array_and_has_no_name(reader, shared_blocks):
    first = reader.call(f"{TASKS}:numbers", FILE, 100_000)["ramp"]
    view = reader.call(f"{TASKS}:numbers", FILE, 200_000)["ramp"][1000:2000]
    assert shared_blocks() == set()
    reader.shutdown()
    assert first[99_999] == 99_999 and view[0] == 1000


def test_without_room_in_shared_memory_arrays_come_through_the_pipe(reader):
    result = reader.call(f"{TASKS}:without_room", FILE, 100_000)
    assert np.array_equal(result, np.arange(100_000))


def test_what_libraries_print_does_not_disturb_the_protocol(reader):
    assert reader.call(f"{TASKS}:prints", FILE) == ""
    assert reader.call(f"{TASKS}:echo", FILE) == (FILE,)


@pytest.mark.parametrize("task", ["aborts", "segfaults", "exits"])
def test_a_crash_is_a_refusal_and_the_next_call_works(reader, task):
    with pytest.raises(FileRefused, match=r"^scan\.dcm: it made the reading library crash") as caught:
        reader.call(f"{TASKS}:{task}", FILE)
    assert "somewhere" not in str(caught.value)
    assert reader.call(f"{TASKS}:echo", FILE) == (FILE,)


def test_a_hang_is_ended_and_the_next_call_works(reader):
    reader.start()
    with pytest.raises(FileRefused, match=r"not read within 0\.3 seconds"):
        reader.call(f"{TASKS}:hangs", FILE, timeout_s=0.3)
    assert reader.call(f"{TASKS}:echo", FILE) == (FILE,)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux honours the limit of address space")
def test_too_much_memory_is_a_refusal_and_the_worker_goes_on(reader):
    pid = reader.call(f"{TASKS}:process_id", FILE)
    with pytest.raises(FileRefused, match=r"more memory than a file is allowed \(3\.0 GiB\)"):
        reader.call(f"{TASKS}:allocates", FILE, 8 << 30)
    assert reader.call(f"{TASKS}:process_id", FILE) == pid


def test_memory_is_watched_where_the_system_does_not_limit_it(reader, monkeypatch):
    spawn = reader_process._spawn
    monkeypatch.setattr(reader_process, "_spawn", lambda limit, prefix: spawn(0, prefix))
    watched = ReaderProcess(memory_limit=300 << 20, task_prefix=TASKS)
    try:
        with pytest.raises(FileRefused, match=r"more memory than a file is allowed \(0\.3 GiB\)"):
            watched.call(f"{TASKS}:grows", FILE, 10 << 20, timeout_s=500)
        assert watched.call(f"{TASKS}:echo", FILE) == (FILE,)
    finally:
        watched.shutdown()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_worker_has_no_folder_no_open_files_and_hardly_any_variables_of_ours(reader, monkeypatch, tmp_path):
    monkeypatch.setenv("ITK_AUTOLOAD_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "x.py"))
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "open.txt"
    with secret.open("w") as handle:
        os.set_inheritable(handle.fileno(), True)
        folder, variables, open_files = reader.call(f"{TASKS}:surroundings", "a.dcm")
    assert folder == "/"
    assert set(variables) <= {*reader_process._KEPT_VARIABLES, "PYTHONPATH", "OPENBLAS_NUM_THREADS"}
    assert not [name for name in open_files if str(tmp_path) in name]
    assert all(name.startswith(("pipe:", "/dev/null", "/proc/")) for name in open_files), open_files


def test_paths_reach_the_worker_as_we_mean_them(reader, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert reader.call(f"{TASKS}:echo", Path("a/../b.dcm")) == (tmp_path / "b.dcm",)
    assert reader.call(f"{TASKS}:echo", "b.dcm") == (str(tmp_path / "b.dcm"),)
    with pytest.raises(FileRefused) as caught:
        reader.call(f"{TASKS}:refuses", Path("b.dcm"))
    assert caught.value.path == Path("b.dcm")


def test_decoders_that_abort_or_may_not_be_shipped_are_absent():
    unwanted = ("python-gdcm", "gdcm", "pylibjpeg-libjpeg")
    for name in unwanted:
        with pytest.raises(metadata.PackageNotFoundError):
            metadata.version(name)
    assert importlib.util.find_spec("gdcm") is None and importlib.util.find_spec("_gdcm") is None
    root = Path(__file__).parents[2]
    for file in (root / "pyproject.toml", root / "packaging" / "constraints.txt"):
        named = file.read_text(encoding="utf-8").lower().replace("_", "-")
        assert not [name for name in unwanted if re.search(rf"(?<![\w-]){name}(?![\w-])", named)]
    decoders = [get_decoder(uid) for uid in (JPEGBaseline8Bit, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, RLELossless)]
    plugins = {plugin for decoder in decoders for plugin in decoder.available_plugins}
    assert not plugins.intersection({"gdcm", "pylibjpeg"})


def test_refusals_pass_through_and_bugs_stay_bugs(reader):
    with pytest.raises(FileRefused) as caught:
        reader.call(f"{TASKS}:refuses", FILE)
    assert str(caught.value) == "scan.dcm: field X is 3. Export it again."
    with pytest.raises(KeyError, match="a bug"):
        reader.call(f"{TASKS}:has_a_bug", FILE)
    assert reader.call(f"{TASKS}:echo", FILE) == (FILE,)


@pytest.mark.parametrize("task", ["os:getpid", "subprocess:run", "ctmri_core.io.preflight:kind", "hostile_tasks:_private"])
def test_only_tasks_of_the_agreed_modules_run(reader, task):
    with pytest.raises(ValueError, match="is no task of"):
        reader.call(task, FILE)


def test_only_native_modules_are_tasks_of_the_shared_process():
    with pytest.raises(ValueError, match="is no task"):
        shared_reader().call("os:system", "true")


def test_the_worker_is_kept_between_calls_and_loads_neither_torch_nor_qt(reader):
    pid = reader.call(f"{TASKS}:process_id", FILE)
    assert reader.call(f"{TASKS}:process_id", FILE) == pid != os.getpid()
    loaded = reader.call(f"{TASKS}:modules", FILE)
    assert not {"torch", "PySide6", "numba"}.intersection(loaded)


def test_calls_from_several_threads_each_get_their_own_answer(reader):
    answers = {}

    def ask(n):
        answers[n] = [reader.call(f"{TASKS}:numbers", FILE, 20_000 + n)["ramp"].size for _ in range(5)]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: [20_000 + n] * 5 for n in range(4)}


def test_shutdown_ends_a_waiting_call(reader):
    reader.start()

    def end():
        while not reader._lock.locked():  # until it is asked
            time.sleep(0.01)
        time.sleep(0.3)
        reader.shutdown()

    ending = threading.Thread(target=end)
    ending.start()
    with pytest.raises(FileRefused) as refused:
        reader.call(f"{TASKS}:hangs", FILE, timeout_s=500)
    assert "seconds" not in str(refused.value), "nobody waited for that"
    ending.join()
    assert reader._process is None


@pytest.mark.skipif(os.name == "nt", reason="asks for a process by number as POSIX does")
def test_a_program_that_uses_it_ends_quietly_and_leaves_nothing_behind():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from ctmri_core.io.reader_process import ReaderProcess, shared_reader; reader = shared_reader(); reader.start();"
        f"own = ReaderProcess(task_prefix='{TASKS}'); kept = own.call('{TASKS}:numbers', 'a', 100000); own.shutdown();"
        "print(reader._process.pid, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    pid, torch_loaded = done.stdout.split()
    assert done.stderr == "" and torch_loaded == "False"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_the_shared_process_can_be_ended_and_comes_back():
    reader = shared_reader()
    assert reader is shared_reader()
    reader.start()
    first = reader._process
    shutdown()
    assert reader._process is None
    assert first.poll() is not None
    reader.start()
    assert reader._process.pid != first.pid
    shutdown()


def test_a_worker_that_dies_with_a_full_block_leaves_none_behind(reader, shared_blocks):
    with pytest.raises(FileRefused):
        reader.call(f"{TASKS}:dies_after_sharing", FILE)
    assert shared_blocks() == set()


def test_an_interrupted_call_leaves_no_answer_for_the_next_one(reader, monkeypatch):
    reader.start()

    def interrupted(pipe):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(reader_process, "receive", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reader.call(f"{TASKS}:echo", FILE, "old")
    assert reader.call(f"{TASKS}:echo", FILE, "new") == (FILE, "new")


@pytest.mark.parametrize("moment", ["unpack", "send"])
def test_a_call_interrupted_with_a_full_block_leaves_none_behind(reader, monkeypatch, shared_blocks, moment):
    reader.start()

    def interrupted(*_):
        raise KeyboardInterrupt

    real_send, calls = reader_process.send, []

    def second_send(pipe, message):
        calls.append(message)
        return interrupted() if len(calls) == 2 else real_send(pipe, message)

    with monkeypatch.context() as patch:
        if moment == "unpack":
            patch.setattr(reader_process.PackedResult, "unpack", interrupted)
        else:
            patch.setattr(reader_process, "send", second_send)
        with pytest.raises(KeyboardInterrupt):
            reader.call(f"{TASKS}:numbers", FILE, 100_000)
    assert shared_blocks() == set()
    assert reader.call(f"{TASKS}:echo", FILE, "new") == (FILE, "new")


@pytest.mark.skipif(os.name == "nt", reason="sends a signal as POSIX does")
def test_control_c_in_the_terminal_does_not_end_the_worker(reader):
    pid = reader.call(f"{TASKS}:process_id", FILE)
    os.kill(pid, signal.SIGINT)
    assert reader.call(f"{TASKS}:process_id", FILE) == pid
