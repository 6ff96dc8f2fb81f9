"""What an ONNX file says of itself, read from its protocol buffer without the package that made it.

Field numbers: the public `onnx.proto`. Nothing is computed and no weight is looked at; what the file asks of other files, or of
operators of another program, is found here before onnxruntime sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from ctmri_core.errors import ModelRefused, printable, shown_name

_LARGEST = 2**31 - 1
_METADATA: Final = 14
_TYPES = {1: "float32", 10: "float16"}
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
_MOST_NODES = 200_000
_DEEPEST = 8
_EXTERNAL = 1

Value = int | memoryview


@dataclass(frozen=True)
class OnnxPort:
    """An input or output of the graph. `shape`: (slices, channels, rows, columns), None where any number will do."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class OnnxFound:
    """The one picture that goes in, the first that comes out, and what the file tells of itself."""

    picture: OnnxPort
    answer: OnnxPort
    size: int
    metadata: dict[str, str] = field(default_factory=dict)


def look_into_onnx(path: Path) -> OnnxFound:
    """Raises `ModelRefused` where the file is none, refers to other files or foreign operators, or takes no single picture."""
    try:
        size = path.stat().st_size
        if not 16 <= size <= _LARGEST:
            _refuse(path, "it is no ONNX model that is read here: such a file has at most 2 GB.")
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise ModelRefused(f"{shown_name(path)}: it cannot be read: {error.strerror or 'the disk gives no reason'}.") from error
    try:
        return _found(path, content)
    except (ValueError, LookupError, OverflowError, TypeError, AttributeError) as error:
        raise ModelRefused(f"{shown_name(path)}: it is no ONNX model, or a damaged one. Get it again.") from error


def with_metadata(content: bytes, entries: dict[str, str]) -> bytes:
    """An ONNX model with further entries in its metadata: a protocol buffer takes more of a repeated field behind all others."""
    parts = [content]
    for key, value in entries.items():
        entry = _tagged(1, key.encode()) + _tagged(2, value.encode())
        parts.append(_tagged(_METADATA, entry))
    return b"".join(parts)


def _found(path: Path, content: memoryview) -> OnnxFound:
    graph: memoryview | None = None
    metadata: dict[str, str] = {}
    nodes = [0]
    for number, value in _fields(content):
        if number == 7:
            graph = _block(value)
        elif number == 25:
            _check_nodes(path, (_block(node) for tag, node in _fields(_block(value)) if tag == 7), nodes)
        elif number == _METADATA:
            entry = dict(_fields(_block(value)))
            metadata[_text(entry[1])[:200]] = _text(entry.get(2, memoryview(b"")))
    if graph is None:
        _refuse(path, "it is no ONNX model, or a damaged one. Get it again.")
    _check_graph(path, graph, nodes)
    inputs, outputs, weights = [], [], set()
    for number, value in _fields(graph):
        if number == 11:
            inputs.append(_port(_block(value)))
        elif number == 12:
            outputs.append(_port(_block(value)))
        elif number == 5:
            weights.add(_text(dict(_fields(_block(value))).get(8, memoryview(b""))))
    pictures = [port for port in inputs if port.name not in weights]
    if len(pictures) != 1 or not outputs:
        _refuse(path, f"it takes {len(pictures)} inputs; a model that translates slices takes one.")
    for what, port in (("input", pictures[0]), ("answer", outputs[0])):
        if port.type not in _TYPES.values() or len(port.shape) != 4 or port.shape[1] is None or port.shape[0] not in (1, None):
            shape = " x ".join("any" if n is None else str(n) for n in port.shape)
            _refuse(path, f"its {what} is {port.type} {shape}; needed is float32, 1 x channels x rows x columns.")
    return OnnxFound(pictures[0], outputs[0], len(content), metadata)


def _check_graph(path: Path, graph: memoryview, nodes: list[int], depth: int = 0) -> None:
    if depth > _DEEPEST:
        _refuse(path, "its graphs lie within each other without end.")
    inner = []
    for number, value in _fields(graph):
        if number == 1:
            inner.append(_block(value))
        elif number == 5:
            _check_tensor(path, _block(value))
        elif number == 15:
            for tag, part in _fields(_block(value)):
                if tag in (1, 2):
                    _check_tensor(path, _block(part))
    _check_nodes(path, iter(inner), nodes, depth)


def _check_nodes(path: Path, inner: Iterator[memoryview], nodes: list[int], depth: int = 0) -> None:
    for node in inner:
        nodes[0] += 1
        if nodes[0] > _MOST_NODES:
            _refuse(path, "it has far too many steps.")
        kind = domain = ""
        for number, value in _fields(node):
            if number == 4:
                kind = _text(value)
            elif number == 7:
                domain = _text(value)
            elif number == 5:
                _check_attribute(path, _block(value), nodes, depth)
        if domain not in _DOMAINS:
            needed = f"{printable(domain)[:60]}.{printable(kind)[:60]}"
            _refuse(path, f"it needs the operator {needed} of another program, which is not run here.")


def _check_attribute(path: Path, attribute: memoryview, nodes: list[int], depth: int) -> None:
    for number, value in _fields(attribute):
        if number in (5, 10):
            _check_tensor(path, _block(value))
        elif number in (6, 11):
            _check_graph(path, _block(value), nodes, depth + 1)


def _check_tensor(path: Path, tensor: memoryview) -> None:
    for number, value in _fields(tensor):
        if number == 13 or (number == 14 and value == _EXTERNAL):
            _refuse(path, "its weights lie in another file. Export it with all weights in one file, and add that.")


def _port(value: memoryview) -> OnnxPort:
    named = dict(_fields(value))
    kind = dict(_fields(_block(named.get(2, memoryview(b"")))))
    tensor = dict(_fields(_block(kind.get(1, memoryview(b"")))))
    sizes: list[int | None] = []
    for _, dimension in _fields(_block(tensor.get(2, memoryview(b"")))):
        size = dict(_fields(_block(dimension))).get(1)
        sizes.append(size if isinstance(size, int) and size > 0 else None)
    number = tensor.get(1, 0)
    return OnnxPort(_text(named[1]), _TYPES.get(number if isinstance(number, int) else 0, "of another type"), tuple(sizes))


def _fields(content: memoryview) -> Iterator[tuple[int, Value]]:
    """Numbers and values of a message's fields. Raises `ValueError` or `IndexError` where it is damaged."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        kind = tag & 7
        value: Value
        if kind == 0:
            value, place = _varint(content, place)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if kind == 2:
                size, place = _varint(content, place)
            if size is None or place + size > len(content):
                raise ValueError("a field is malformed or cut short")
            value, place = content[place : place + size], place + size
        yield tag >> 3, value


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        byte = content[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    raise ValueError("a number has no end")


def _tagged(number: int, content: bytes) -> bytes:
    return _encoded(number << 3 | 2) + _encoded(len(content)) + content


def _encoded(number: int) -> bytes:
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _block(value: Value) -> memoryview:
    if not isinstance(value, memoryview):
        raise ValueError("a number stands where a message should be")
    return value


def _text(value: Value) -> str:
    return str(_block(value), "utf-8")


def _refuse(path: Path, problem: str) -> NoReturn:
    raise ModelRefused(f"{shown_name(path)}: {problem}")
