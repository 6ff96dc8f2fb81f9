#!/usr/bin/env python3
"""Sets CT-MRI Studio up on a fresh machine and starts it.

    python3 packaging/bootstrap.py run  [ARGUMENTS]   opens the app on the demo case (headless where there is no display)
    python3 packaging/bootstrap.py test [ARGUMENTS]   runs the tests

Needs Python 3.11 or newer and nothing else. Versions come from packaging/constraints.txt, dependencies from pyproject.toml,
and where packages come from is decided by pip's own configuration. The second start does no set-up.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / ".setup-state.json"
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# What Qt's own libraries and its X11 and offscreen platforms load, by file name, and the Debian package that holds it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")

COMPILED = (
    "import ctmri_core.metrics.error_kernel, ctmri_core.metrics.mapping_kernel, ctmri_core.metrics.ssim_kernel, "
    "ctmri_core.preprocess.resample_kernels"
)
"""Brings the compiled kernels into their cache: they are compiled when their modules are first imported."""


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        return _say(f"Python 3.11 or newer is needed; this is {platform.python_version()}.")
    if not arguments or arguments[0] not in {"run", "test"}:
        return _say(__doc__ or "")
    action, rest = arguments[0], arguments[1:]
    os.chdir(ROOT)
    problem = set_up(with_tests=action == "test")
    if problem:
        return _say(problem)
    if action == "test":
        return run_tests(rest)
    if has_display():
        return _needing_qt([str(PYTHON), "-m", "ctmri_gui", "--demo", *rest])
    folder = ROOT / "demo-output"
    print(f"No display found: running the demo without a window. Pictures and volumes go to {folder}", flush=True)
    return subprocess.call([str(PYTHON), "-m", "ctmri_core.cli", "demo", "--headless", str(folder), *rest])


def run_tests(rest: list[str]) -> int:
    """One process for each processor, with one thread in each: a suite that trains would else quarrel over them."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return _needing_qt([str(PYTHON), "-m", "pytest", "--numprocesses", "logical", *rest])


def set_up(*, with_tests: bool) -> str:
    """Creates .venv and installs into it unless that was done for these very files. Returns a problem in words, or ""."""
    wanted = fingerprint()
    state = read_state()
    if state.get("fingerprint") == wanted and (state.get("tests") or not with_tests):
        return ""
    problem = create_environment()
    if problem:
        return problem
    target = ".[dev]" if with_tests else "."
    print("Installing torch, then CT-MRI Studio and what it needs (the first time takes a few minutes) ...", flush=True)
    for step in (["--upgrade", "pip"], None, ["-e", target]):
        done = install_torch() if step is None else pip(step)
        if not done:
            return "Installation failed; pip's own message stands above. Mend it and run the same command again."
    subprocess.call([str(PYTHON), "-c", COMPILED], cwd=ROOT)  # else the first scan on the screen would wait for the compiler
    STATE.write_text(json.dumps({"fingerprint": wanted, "tests": with_tests}), encoding="utf-8")
    return ""


def fingerprint() -> str:
    """Changes whenever the dependencies, their versions, the interpreter or the place of the checkout change."""
    content = (ROOT / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes()
    return hashlib.sha256(content + sysconfig.get_python_version().encode() + str(ROOT).encode()).hexdigest()


def read_state() -> dict[str, object]:
    try:
        state = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) and PYTHON.exists() else {}


def create_environment() -> str:
    if PYTHON.exists() and subprocess.call([str(PYTHON), "-m", "pip", "--version"], stdout=subprocess.DEVNULL) == 0:
        return ""
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if _venv_missing():
        problem = install_system_packages([package], "Python's venv module")
        if problem:
            return problem
    print(f"Creating {VENV.name} ...", flush=True)
    return "" if subprocess.call([sys.executable, "-m", "venv", str(VENV)]) == 0 else "The virtual environment failed."


def _venv_missing() -> bool:
    """Debian ships Python without ensurepip; `venv` then fails half-way."""
    probe = [sys.executable, "-c", "import venv, ensurepip"]
    return subprocess.call(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) != 0


def install_torch() -> bool:
    """The CPU build where there is no NVIDIA GPU and pip's sources offer one; otherwise the registry's own build."""
    version = next(line.strip() for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    if platform.system() == "Linux" and not has_nvidia():
        if pip([f"{version}+cpu"], quiet=True):
            return True
        print(
            "pip's sources hold no CPU build of torch, so the general build is installed (several GB). To avoid that, add the"
            " CPU builds to pip's configuration (extra-index-url or find-links) and run this again.",
            flush=True,
        )
    return pip([version])


def pip(arguments: list[str], *, quiet: bool = False) -> bool:
    """Constraints hold in the isolated environments too that pip builds in: it gives them PIP_CONSTRAINT.

    As a URI, because pip splits that variable at blanks and a checkout may lie in a folder whose name has one.
    """
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    environment = {**os.environ, "PIP_CONSTRAINT": CONSTRAINTS.as_uri()}
    return subprocess.call([*command, *arguments], env=environment, stderr=subprocess.DEVNULL if quiet else None) == 0


def has_nvidia() -> bool:
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia/version").exists()


def has_display() -> bool:
    if platform.system() != "Linux":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _needing_qt(command: list[str]) -> int:
    """Runs `command` once the libraries and a font that Qt needs are there; says what is missing otherwise."""
    if platform.system() == "Linux":
        missing = missing_qt_packages()
        problem = install_system_packages(missing, "Qt's system libraries") if missing else ""
        if problem:
            return _say(problem)
    return subprocess.call(command)


def missing_qt_packages() -> list[str]:
    packages = [package for library, package in QT_LIBRARIES.items() if not _loads(library)]
    return packages if _has_font() else [*packages, FONT_PACKAGE]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_font() -> bool:
    folders = [Path(folder).expanduser() for folder in FONT_FOLDERS]
    return any(next(folder.rglob(f"*.{kind}"), None) for folder in folders if folder.is_dir() for kind in ("ttf", "otf"))


def install_system_packages(packages: list[str], purpose: str) -> str:
    """Installs Debian packages when that needs no question; otherwise returns the exact command to type."""
    apt = shutil.which("apt-get")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    sudo = shutil.which("sudo")
    quiet_sudo = sudo is not None and subprocess.call([sudo, "-n", "true"], stderr=subprocess.DEVNULL) == 0
    names = " ".join(packages)
    if apt is None:
        return f"{purpose}: please install what Debian calls {names} with this system's package manager, then run this again."
    if not (root or quiet_sudo):
        return f"{purpose} are missing. Please run this, then start again:\n\n    sudo apt-get install -y {names}\n"
    print(f"Installing {purpose}: {names} ...", flush=True)
    prefix = [] if root else [str(sudo), "-n"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        if subprocess.call([*prefix, apt, *step], env=environment, stdout=subprocess.DEVNULL) != 0:
            return f"{purpose} could not be installed. Please run:\n\n    sudo apt-get install -y {names}\n"
    return ""


def _say(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
