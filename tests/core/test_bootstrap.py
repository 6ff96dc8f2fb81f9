"""The set-up script: what it decides, without installing anything."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "packaging" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pinned():
    lines = (ROOT / "packaging" / "constraints.txt").read_text("utf-8").splitlines()
    return dict(re.fullmatch(r"([\w.-]+)==(\S+)", line).groups() for line in lines if line and not line.startswith("#"))


def test_every_dependency_has_one_known_good_version_that_it_admits():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    pinned = {name.lower().replace("_", "-"): number for name, number in _pinned().items()}
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        needed = Requirement(text)
        assert needed.specifier.contains(pinned[needed.name.lower().replace("_", "-")]), text


def test_pyside_stays_below_the_release_that_loses_references():
    assert tuple(map(int, version("PySide6-Essentials").split(".")[:2])) < (6, 12)


@pytest.mark.parametrize("name", ["python-gdcm", "pylibjpeg-libjpeg"])
def test_decoders_that_abort_or_are_gpl_are_not_installed(name):
    with pytest.raises(PackageNotFoundError):
        version(name)
    assert name not in _pinned()


def test_pip_reads_the_constraints_of_a_checkout_whose_path_has_blanks(bootstrap, tmp_path, monkeypatch):
    """pip itself is asked, without installing anything: it refuses what the file forbids and takes what it allows."""
    constraints = tmp_path / "my checkout of it" / "constraints.txt"
    constraints.parent.mkdir()
    monkeypatch.setattr(bootstrap, "CONSTRAINTS", constraints)
    monkeypatch.setattr(bootstrap, "PYTHON", Path(sys.executable))
    said = []

    def call(command, env, stderr):
        done = subprocess.run([*command, "--dry-run", "--no-index"], env=env, capture_output=True, text=True)
        said.append(done.stderr)
        return done.returncode

    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    for allowed in ("0.0.1", version("numpy")):
        constraints.write_text(f"numpy=={allowed}\n")
        assert bootstrap.pip([f"numpy=={version('numpy')}"]) is (allowed != "0.0.1"), said
    assert "conflicting dependencies" in said[0]


def test_without_apt_the_packages_are_named(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    assert "libegl1" in bootstrap.install_system_packages(["libegl1"], "Qt's system libraries")


def test_without_rights_the_exact_command_is_printed(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    message = bootstrap.install_system_packages(["libegl1", "libgl1"], "Qt's system libraries")
    assert "sudo apt-get install -y libegl1 libgl1" in message


def test_a_display_is_asked_for_on_linux_only(bootstrap, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(bootstrap.platform, "system", lambda: "Linux")
    assert not bootstrap.has_display()
    monkeypatch.setattr(bootstrap.platform, "system", lambda: "Darwin")
    assert bootstrap.has_display()


def test_wrong_usage_prints_the_two_commands(bootstrap, capsys):
    assert bootstrap.main(["fly"]) == 2
    assert "bootstrap.py run" in capsys.readouterr().err
