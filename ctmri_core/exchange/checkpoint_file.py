"""PyTorch's checkpoint files, old and new: what they hold, read without PyTorch and held against the length of the file."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from ctmri_core.errors import ModelRefused, printable, shown_name
from ctmri_core.exchange.inert_pickle import ForeignCode, NotReadable, StoredArray, StoredTensor, described

_LARGEST_PICKLE = 16 << 20
_MOST_MEMBERS = 100_000
_DEEPEST = 12
_OLD_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_OTHERS = {
    b"\x89HDF": "a Keras or HDF5 file",
    b"\x80": "a pickle that PyTorch did not write, which could run code when opened",
}
_PLAIN_WEIGHTS = (
    "Ask whoever made it for the plain weights, `torch.save(network.state_dict(), file)`, or for an ONNX model, and add that."
)
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OverflowError, NotImplementedError, RuntimeError, MemoryError)


def contents(path: Path) -> Any:
    """What the checkpoint describes: containers, and `StoredTensor` for each tensor; not one weight is read.

    Raises `ModelRefused` for what is no checkpoint, is damaged, would take more memory than the file is long, or would run code.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            _refuse(path, "it is not a file." if path.exists() else "there is no such file.")
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(_OLD_MAGIC))
            file.seek(0)
            if start[:4] == b"PK\x03\x04":
                return _of_archive(path, file, size)
            if start == _OLD_MAGIC:
                return _of_old_file(path, file, size)
    except OSError as error:
        raise ModelRefused(f"{shown_name(path)}: it cannot be read: {error.strerror or 'the disk gives no reason'}.") from error
    kind = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "no model file that is known here")
    raise ModelRefused(f"{shown_name(path)}: it is {kind}. {_PLAIN_WEIGHTS}")


def tensors_of(tree: Any) -> Iterator[StoredTensor]:
    """All tensors anywhere in `tree`."""
    seen: set[int] = set()
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, StoredTensor):
            yield node
        elif isinstance(node, dict | list | tuple) and id(node) not in seen and depth < _DEEPEST:
            seen.add(id(node))
            waiting += [(each, depth + 1) for each in (node.values() if isinstance(node, dict) else node)]


def _of_archive(path: Path, file: IO[bytes], size: int) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            members = _checked_members(path, archive.infolist(), size)
            pickles = [name for name in members if name.endswith("/data.pkl") and name.count("/") == 1]
            if any(name.endswith("/constants.pkl") for name in members):
                _refuse(path, f"it holds a TorchScript program, which would run as it was written elsewhere. {_PLAIN_WEIGHTS}")
            if len(pickles) != 1 or members[pickles[0]].file_size > _LARGEST_PICKLE:
                _refuse(path, f"it is a zip archive, but no PyTorch checkpoint. {_PLAIN_WEIGHTS}")
            root = pickles[0].removesuffix("data.pkl")
            if f"{root}byteorder" in members and archive.read(f"{root}byteorder") != b"little":
                _refuse(path, "its numbers are stored the other way round (big endian), which is not read here.")
            tree = _described(path, io.BytesIO(archive.read(pickles[0])))
    except _DAMAGE as error:
        raise ModelRefused(f"{shown_name(path)}: it is damaged. Copy or download it again.") from error
    for storage in _storages(path, tree):
        held = members.get(f"{root}data/{storage.key}")
        if held is None or held.file_size < storage.bytes:
            _refuse(path, "it lacks weights that its own list names; it is cut short. Copy or download it again.")
    return tree


def _checked_members(path: Path, infos: list[zipfile.ZipInfo], size: int) -> dict[str, zipfile.ZipInfo]:
    """Stored as they are, each once, none over another, all within the file: what is read then takes no more than the file."""
    members = {info.filename: info for info in infos}
    if len(members) != len(infos) or len(infos) > _MOST_MEMBERS:
        _refuse(path, "its list of contents names something twice, or far too much; it was not made by PyTorch.")
    if any(info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size for info in infos):
        _refuse(path, "its contents are packed, which PyTorch never does: unpacked they could fill the memory.")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            _refuse(path, "parts of it lie over each other; it is damaged. Copy or download it again.")
        end = info.header_offset + info.file_size
    if end > size:
        _refuse(path, "it is cut short. Copy or download it again.")
    return members


def _of_old_file(path: Path, file: IO[bytes], size: int) -> Any:
    """Before PyTorch 1.6: a magic number, two facts, the pickle and the list of elements, each a pickle; then the elements."""
    stream = io.BytesIO(file.read(min(size, _LARGEST_PICKLE)))
    _magic, _version, machine, tree, keys = (_described(path, stream) for _ in range(5))
    if not isinstance(machine, dict) or machine.get("little_endian") is not True or not _are_texts(keys):
        _refuse(path, "its numbers are stored in a way that is not read here (big endian, or damaged).")
    storages = _storages(path, tree)
    if {storage.key for storage in storages} - set(keys) or stream.tell() + sum(8 + each.bytes for each in storages) > size:
        _refuse(path, "it lacks weights that its own list names; it is cut short. Copy or download it again.")
    return tree


def _are_texts(keys: Any) -> bool:
    return isinstance(keys, list) and all(isinstance(key, str) for key in keys)


def _storages(path: Path, tree: Any) -> tuple[StoredArray, ...]:
    found: dict[str, StoredArray] = {}
    for tensor in tensors_of(tree):
        if found.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            _refuse(path, "it describes the same weights in two ways; it is damaged. Copy or download it again.")
    return tuple(found.values())


def _described(path: Path, stream: IO[bytes]) -> Any:
    try:
        return described(stream)
    except ForeignCode as needed:
        name = printable(needed.name)[:100]
        _refuse(
            path, f"it holds more than weights: an object of {name}. Opening that would run code of whoever made the file,"
            f" so it is not opened. {_PLAIN_WEIGHTS}"
        )  # fmt: skip
    except NotReadable as error:
        raise ModelRefused(f"{shown_name(path)}: it is damaged ({printable(str(error))[:100]}). Get it again.") from error


def _refuse(path: Path, problem: str) -> NoReturn:
    raise ModelRefused(f"{shown_name(path)}: {problem}")
