"""What a pickle describes, found without unpickling it: no class is imported and nothing is called.

PyTorch writes checkpoints as pickles of containers whose leaves are tensors. Here the instructions of one are followed as data:
containers become plain ones, tensors become descriptions, and whatever would need code of somebody else's is refused by its name.
The instructions and their meaning: CPython's `pickletools`.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Final

_MOST_STEPS = 400_000
"""Instructions; a checkpoint with its optimiser has some ten thousand."""

STORAGES: Final = {
    "FloatStorage": ("float32", 4), "DoubleStorage": ("float64", 8), "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2), "LongStorage": ("int64", 8), "IntStorage": ("int32", 4), "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1), "ByteStorage": ("uint8", 1), "BoolStorage": ("bool", 1),
}  # fmt: skip
"""Names of PyTorch's storages: type and bytes of an element."""

_CONTAINERS = {("collections", "OrderedDict"): dict, ("torch", "Size"): tuple}
_TENSORS = {("torch._utils", "_rebuild_tensor"), ("torch._utils", "_rebuild_tensor_v2")}
_PARAMETER = ("torch._utils", "_rebuild_parameter")


class ForeignCode(ValueError):
    """The pickle needs code of another program: `name`, module and class or function."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NotReadable(ValueError):
    """The pickle is damaged, or does not do what a checkpoint's does."""


@dataclass(frozen=True)
class StoredArray:
    """`count` elements of `type` under `key`, in the file where they lie."""

    key: str
    type: str
    count: int

    @property
    def bytes(self) -> int:
        return self.count * next(size for name, size in STORAGES.values() if name == self.type)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a checkpoint describes it; its elements all lie within `storage`."""

    storage: StoredArray
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Named:
    """A class or function that the pickle names; never imported."""

    module: str
    name: str


_MARK = object()


def described(stream: IO[bytes]) -> Any:
    """What the pickle at the place of `stream` describes: dicts, lists, tuples, numbers, texts and `StoredTensor`.

    Raises `ForeignCode` where it needs more than that, `NotReadable` where it is damaged.
    """
    machine = _Machine()
    steps = 0
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            steps += 1
            if steps > _MOST_STEPS:
                raise NotReadable("it has too many instructions")
            machine.follow(opcode.name, argument)
        return machine.result()
    except (ForeignCode, NotReadable):
        raise
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise NotReadable(str(error)) from error


class _Machine:
    """The stack that a pickle's instructions work on."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        (only,) = self.stack
        return only

    def follow(self, name: str, argument: Any) -> None:
        if name in _NOTHING:
            return
        if name in _VALUES:
            self.stack.append(argument)
        elif name in _FIXED:
            self.stack.append(_FIXED[name]())
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise ForeignCode(f"the pickle instruction {name}")

    def since_mark(self) -> list[Any]:
        place = next((n for n in range(len(self.stack) - 1, -1, -1) if self.stack[n] is _MARK), None)
        if place is None:
            raise NotReadable("something ends that never began")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def tuple_of(self, count: int) -> None:
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise NotReadable("it appends to what is no list")
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise NotReadable("it sets items of what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(key, str | int | float | bool | tuple):
                raise NotReadable("a key is neither text nor number")
            target[key] = value

    def pair(self) -> list[Any]:
        value, key = self.stack.pop(), self.stack.pop()
        return [key, value]

    def call(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, _Named) or not isinstance(arguments, tuple):
            raise NotReadable("it calls what is no function")
        self.stack.append(_called((function.module, function.name), arguments))

    def refuse_new(self) -> None:
        """Objects of classes, however they are made."""
        named = next((each for each in reversed(self.stack) if isinstance(each, _Named)), _Named("an unknown", "class"))
        raise ForeignCode(f"{named.module}.{named.name}")

    def set_state(self) -> None:
        """Attributes of a container: PyTorch keeps the versions of modules there, which say nothing of the weights."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise NotReadable("it gives attributes to what is no container")

    def name(self, text: str) -> None:
        module, _, name = text.partition(" ")
        self.push_name(module, name)

    def push_name(self, module: Any, name: Any) -> None:
        pair = (str(module), str(name))
        storage = pair[0] in ("torch", "torch.storage") and pair[1] in STORAGES
        if pair not in _CONTAINERS and pair not in _TENSORS and pair != _PARAMETER and not storage:
            raise ForeignCode(".".join(pair))
        self.stack.append(_Named(*pair))

    def stored(self) -> None:
        """The elements that the pickle refers to and the file holds elsewhere."""
        kind, storage, key, _place, count, *_view = self.stack.pop()
        if kind != "storage" or not isinstance(storage, _Named) or not isinstance(key, str):
            raise NotReadable("a reference to elements is malformed")
        if type(count) is not int or count < 0:
            raise NotReadable("a reference to elements is malformed")
        if _view and _view != [None]:
            raise NotReadable("its elements are views of others, which no released PyTorch writes")
        self.stack.append(StoredArray(key, STORAGES[storage.name][0], count))


def _called(function: tuple[str, str], arguments: tuple[Any, ...]) -> Any:
    if function in _CONTAINERS:
        return _CONTAINERS[function](*arguments)
    if function == _PARAMETER:
        tensor = arguments[0]
        if not isinstance(tensor, StoredTensor):
            raise NotReadable("a parameter is no tensor")
        return tensor
    if function not in _TENSORS:
        raise NotReadable("it calls a storage")
    storage, offset, shape, strides = arguments[:4]
    numbers = (offset, *shape, *strides)
    if not isinstance(storage, StoredArray) or len(shape) != len(strides) or len(shape) > 8:
        raise NotReadable("a tensor is malformed")
    if any(type(number) is not int or not 0 <= number < 2**48 for number in numbers):
        raise NotReadable("a size, a stride or a place of a tensor is no proper number")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if math.prod(shape) > storage.count or (math.prod(shape) and last >= storage.count):
        raise NotReadable(f"a tensor of the shape {list(shape)} does not fit its {storage.count} elements")
    return StoredTensor(storage, tuple(shape))


_NOTHING = {"PROTO", "FRAME", "STOP"}
_VALUES = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "SHORT_BINUNICODE",
    "BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
_FIXED: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_DICT": dict, "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple, "MARK": lambda: _MARK,
}  # fmt: skip
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "POP": lambda machine, _: machine.stack.pop() and None,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "LIST": lambda machine, _: machine.stack.append(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pair()),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "PUT": lambda machine, at: machine.memo.__setitem__(int(at), machine.stack[-1]),
    "BINPUT": lambda machine, at: machine.memo.__setitem__(at, machine.stack[-1]),
    "LONG_BINPUT": lambda machine, at: machine.memo.__setitem__(at, machine.stack[-1]),
    "MEMOIZE": lambda machine, _: machine.memo.__setitem__(len(machine.memo), machine.stack[-1]),
    "GET": lambda machine, at: machine.stack.append(machine.memo[int(at)]),
    "BINGET": lambda machine, at: machine.stack.append(machine.memo[at]),
    "LONG_BINGET": lambda machine, at: machine.stack.append(machine.memo[at]),
    "GLOBAL": lambda machine, text: machine.name(text),
    "STACK_GLOBAL": lambda machine, _: machine.push_name(*machine.pair()),
    "REDUCE": lambda machine, _: machine.call(),
    "NEWOBJ": lambda machine, _: machine.refuse_new(),
    "NEWOBJ_EX": lambda machine, _: machine.refuse_new(),
    "INST": lambda machine, _: machine.refuse_new(),
    "OBJ": lambda machine, _: machine.refuse_new(),
    "BUILD": lambda machine, _: machine.set_state(),
    "BINPERSID": lambda machine, _: machine.stored(),
}
