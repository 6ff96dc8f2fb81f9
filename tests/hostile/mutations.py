"""Damage and malice by chance: one of the readable kinds, with a few bytes, lengths or words changed. Same seed, same file."""

from __future__ import annotations

import gzip
import io
import re
import struct
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.hostile.files import KINDS, lay_out

_FORMATS = {
    "nifti": "NIfTI", "gzip": "NIfTI", "mha": "MetaImage", "mhd": "MetaImage", "nrrd": "NRRD", "nhdr": "NRRD", "dicom": "DICOM",
    "series": "DICOM", "png": "pictures", "jpeg": "pictures", "tiff": "pictures", "mgz": "MGH", "mgh": "MGH",
    "analyze": "Analyze", "zip": "zip", "dicomdir": "DICOMDIR",
}  # fmt: skip
_NUMBERS = (
    0, 1, 2, 3, 4, 7, 8, 12, 16, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF
)  # fmt: skip
_WORDS = (
    "-1", "0", "1", "2", "3", "nan", "inf", "-inf", "1e30", "1e-30", "1e400", "2147483648", "9223372036854775808", "",
    "%s%n", "LOCAL", "LIST", "../outside/secret.raw", "/dev/zero", "a.raw", "true", "False", "()", "(1,0,0)", "none", "\x00",
    "\x1b", "A" * 5000, "1 0 0 0 1 0 0 0 1", "10 12 6", "short", "MET_SHORT", "MET_DOUBLE", "raw", "gzip", "bzip2", "hex",
    "little", "big", "é", "1_0", "0x10",
)  # fmt: skip
_HEADER = 600
_CHUNK = re.compile(rb"[A-Za-z]{4}")


def readable_kinds() -> dict[str, list[str]]:
    """Names of the kinds that open, by format."""
    found: dict[str, list[str]] = defaultdict(list)
    for kind in KINDS.values():
        group = _FORMATS.get(kind.name.partition("_")[0])
        if (kind.expectation.outcome == "opens" and group is not None) or kind.name == "dicomdir_fine":
            found[group or "DICOMDIR"].append(kind.name)
    return dict(found)


READABLE = readable_kinds()


def mutant(root: Path, random: Random, real: Sequence[Path] = ()) -> tuple[str, Path]:
    """(format, path to open): one damaged file, alone or among its fellows, in a folder below `root`; of `real` files if any."""
    if real:
        return "real files", _damaged_copy(root, random.choice(real), random)
    group = random.choice(sorted(READABLE))
    path = lay_out(KINDS[random.choice(READABLE[group])], root)
    victims = sorted(file for file in path.parent.rglob("*") if file.is_file() and not file.is_symlink())
    if path.is_dir():
        victims = sorted(file for file in path.iterdir() if file.is_file())
    victim = random.choice(victims)
    victim.write_bytes(mutated(victim.read_bytes(), random))
    return group, path


def _damaged_copy(root: Path, file: Path, random: Random) -> Path:
    lay_out(KINDS["folder_empty"], root)
    path = root / "folder_empty" / file.name
    path.write_bytes(mutated(file.read_bytes(), random))
    return path


def mutated(content: bytes, random: Random) -> bytes:
    """`content` damaged, or for containers what is in them, so that the damage gets past their checksums."""
    inside = random.random() < 0.6
    if inside and content[:2] == b"\x1f\x8b":
        try:
            return gzip.compress(_plain(gzip.decompress(content), random), 1, mtime=0)
        except (OSError, EOFError, zlib.error):
            return _plain(content, random)
    if inside and content[:4] == b"PK\x03\x04":
        return _member_mutated(content, random)
    if inside and content[:4] == b"\x89PNG":
        return _with_checksums(_plain(content, random))
    return _plain(content, random)


def _plain(content: bytes, random: Random) -> bytes:
    data = bytearray(content)
    text = b"\0" not in data[:150] and b"\n" in data[:150]
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if not data:
            break
        if text and random.random() < 0.7:
            data = _words_swapped(data, random)
        else:
            data = random.choice(_CHANGES)(data, _place(data, random), random)
    return bytes(data)


def _place(data: bytearray, random: Random) -> int:
    """Mostly in the header, where more can go wrong."""
    return random.randrange(min(_HEADER, len(data)) if random.random() < 0.65 else len(data))


def _bits(data: bytearray, at: int, random: Random) -> bytearray:
    data[at] ^= 1 << random.randrange(8)
    return data


def _byte(data: bytearray, at: int, random: Random) -> bytearray:
    data[at] = random.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return data


def _number(data: bytearray, at: int, random: Random) -> bytearray:
    """A length, count or offset of 2, 4 or 8 bytes made large, small, negative or slightly wrong."""
    code = random.choice("HIQ")
    order = random.choice("<>")
    size = struct.calcsize(code)
    if at + size > len(data):
        return data
    (old,) = struct.unpack_from(order + code, data, at)
    new = random.choice((*_NUMBERS, old + 1, old - 1, old * 2, old // 2, old + 4096, ~old)) % (1 << 8 * size)
    struct.pack_into(order + code, data, at, new)
    return data


def _real(data: bytearray, at: int, random: Random) -> bytearray:
    order, code = random.choice("<>"), random.choice("fd")
    new = struct.pack(order + code, random.choice((float("nan"), float("inf"), -1.0, 0.0, 1e30, 1e-30, 1e38, 3.5)))
    data[at : at + len(new)] = new
    return data


def _cut(data: bytearray, at: int, random: Random) -> bytearray:
    return data[:at] if random.random() < 0.5 else data[: random.randrange(len(data))]


def _removed(data: bytearray, at: int, random: Random) -> bytearray:
    del data[at : at + random.choice((1, 2, 4, 8, 100))]
    return data


def _inserted(data: bytearray, at: int, random: Random) -> bytearray:
    data[at:at] = random.choice((bytes(1), bytes(4), b"\xff" * 8, random.randbytes(20), b"\n", b" " * 100, b"A" * 3000))
    return data


def _repeated(data: bytearray, at: int, random: Random) -> bytearray:
    part = data[at : at + random.choice((4, 20, 200))]
    data[at:at] = part * random.choice((1, 2, 50))
    return data


def _spliced(data: bytearray, at: int, random: Random) -> bytearray:
    start = random.randrange(len(data))
    part = data[start : start + random.choice((2, 8, 64, 500))]
    data[at : at + len(part)] = part
    return data


def _grown(data: bytearray, at: int, random: Random) -> bytearray:
    return data + random.randbytes(random.choice((1, 10, 5000)))


_CHANGES = (_bits, _bits, _byte, _byte, _number, _number, _number, _real, _cut, _removed, _inserted, _repeated, _spliced, _grown)


def _words_swapped(data: bytearray, random: Random) -> bytearray:
    """One line of a text header with another value, another's value, doubled, dropped or moved."""
    end = data.find(b"LOCAL\n")
    end = end + 6 if end >= 0 else data.find(b"\n\n") if b"\n\n" in data else len(data)
    lines = bytes(data[:end]).split(b"\n")
    n, other = random.randrange(len(lines)), random.randrange(len(lines))
    mark = b"=" if b"=" in lines[n] else b":"
    key, found, value = lines[n].partition(mark)
    choice = random.randrange(6)
    if choice <= 2 and found:
        words = value.split(b" ")
        words[random.randrange(len(words))] = random.choice(_WORDS).encode()
        lines[n] = key + mark + b" " + b" ".join(words)
    elif choice == 3 and found:
        lines[n] = key + mark + b" " + random.choice(_WORDS).encode()
    elif choice == 4:
        lines[n] = lines[other]
    elif random.random() < 0.5:
        del lines[n]
    else:
        lines.insert(other, lines[n])
    return bytearray(b"\n".join(lines)) + data[end:]


def _member_mutated(content: bytes, random: Random) -> bytes:
    stream = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
            members = old.infolist()
            victim = random.randrange(max(len(members), 1))
            for n, member in enumerate(members):
                data = old.read(member)
                new.writestr(member.filename, _plain(data, random) if n == victim else data)
    except (zipfile.BadZipFile, OSError, zlib.error):
        return _plain(content, random)
    return stream.getvalue()


def _with_checksums(content: bytes) -> bytes:
    """A damaged PNG whose chunks have right checksums again, as far as its chunks can be told."""
    data, at = bytearray(content), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data) or not _CHUNK.fullmatch(data[at + 4 : at + 8]):
            break
        struct.pack_into(">I", data, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(data)
