"""Pickles read as data: numbers, text, lists, dictionaries and numpy arrays of numbers, and never a line of code.

Python's own reader calls whatever a pickle names. This one knows no names to call: it walks the opcodes (pickletools
has the list), and where a pickle asks for a call it looks the name up in `KNOWN` and builds the value itself; any other
name is refused before its arguments are looked at. Arrays are made from their bytes by a dtype of our own choosing,
so that numpy's unpickling, which trusts what it is given, is not reached either.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Iterator
from itertools import count
from typing import Any, Literal

import numpy as np

KNOWN = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("collections", "OrderedDict"),
    ("__builtin__", "bytes"),
    ("_codecs", "encode"),
}
"""What may be named: how numpy stores arrays, and what dictionaries and bytes look like in old protocols."""
NUMBERS = {f"{kind}{size}" for kind, sizes in {"f": "248", "i": "1248", "u": "1248"}.items() for size in sizes} | {"b1"}
"""Types that an array may have."""


MOST = 100_000
"""Things that a pickle may hold, an array counted once: what refers to itself again and again holds no end of them."""


class Refused(ValueError):
    """A pickle that is damaged, or holds more than data; the message says what."""


class _Name:
    """A name of `KNOWN`, which stands for itself."""

    def __init__(self, module: str, name: str) -> None:
        if (module, name) not in KNOWN:
            raise Refused(f"it asks for {module}.{name}, which is code, not data")
        self.name = name


class _Kind:
    """A dtype, by its letters."""

    def __init__(self, letters: Any) -> None:
        self.letters, self.order = str(letters).lstrip("<>=|"), "<"

    def build(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">", "|", "="):
            self.order = ">" if state[1] == ">" else "<"

    def numpy(self) -> np.dtype[Any]:
        if self.letters not in NUMBERS:
            raise Refused(f"it holds an array of type {self.letters!r}, which is no number")
        return np.dtype(self.order + self.letters)


class _Array:
    """An array whose shape and content come later; ``value`` is what it then is."""

    def __init__(self) -> None:
        self.value: Any = None

    def build(self, state: Any) -> None:
        if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], _Kind)):
            raise Refused("an array in it is damaged")
        _, shape, kind, fortran, content = state
        if kind.letters.startswith("O") and isinstance(shape, tuple):
            # An object array of one thing is how numpy.save wraps a dictionary.
            if not (isinstance(content, list) and len(content) == 1 and math.prod(shape) == 1):
                raise Refused("it holds an array of objects")
            self.value = content[0]
            return
        self.value = _numbers(content, kind, shape, "F" if fortran else "C")


def _numbers(content: Any, kind: _Kind, shape: Any, order: Literal["C", "F"]) -> np.ndarray:
    if not (isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)):
        raise Refused("an array in it has no shape")
    dtype = kind.numpy()
    if not isinstance(content, bytes | bytearray) or len(content) != math.prod(shape) * dtype.itemsize:
        raise Refused("an array in it has not as many bytes as its shape needs")
    return np.frombuffer(content, dtype).reshape(shape, order=order).astype(dtype.newbyteorder("="))


def read_pickle(content: bytes) -> Any:
    """What a pickle holds.

    Raises:
        Refused: it is damaged, or names anything but numbers, text, containers and arrays.
    """
    try:
        return _plain(_walk(content), 0, count(1))
    except Refused:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise Refused(f"it is damaged: {error}") from None


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_LITERALS = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _walk(content: bytes) -> Any:
    """The machine that pickletools describes, without the opcodes that only code needs."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        start = marks.pop()
        taken = stack[start:]
        del stack[start:]
        return taken

    for opcode, argument, _ in pickletools.genops(content):
        op = opcode.name
        if op in ("PROTO", "FRAME"):
            continue
        if op == "STOP":
            return stack.pop()
        if op in _CONSTANTS:
            stack.append(_CONSTANTS[op])
        elif op in _LITERALS:
            stack.append(argument)
        elif op in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if op == "EMPTY_LIST" else {})
        elif op in _TUPLES:
            size = _TUPLES[op]
            items = tuple(stack[len(stack) - size :])
            del stack[len(stack) - size :]
            stack.append(items)
        elif op == "MARK":
            marks.append(len(stack))
        elif op in ("TUPLE", "LIST"):
            stack.append(tuple(since_mark()) if op == "TUPLE" else since_mark())
        elif op == "DICT":
            stack.append(_pairs(since_mark()))
        elif op == "APPEND":
            item = stack.pop()
            _listed(stack[-1]).append(item)
        elif op == "APPENDS":
            items = since_mark()
            _listed(stack[-1]).extend(items)
        elif op in ("SETITEM", "SETITEMS"):
            items = since_mark() if op == "SETITEMS" else [stack.pop(-2), stack.pop()]
            _mapped(stack[-1]).update(_pairs(items))
        elif op in ("PUT", "BINPUT", "LONG_BINPUT"):
            memo[_number(argument)] = stack[-1]
        elif op == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif op in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[_number(argument)])
        elif op == "POP":
            stack.pop()
        elif op == "POP_MARK":
            since_mark()
        elif op == "GLOBAL":
            stack.append(_Name(*str(argument).split(" ", 1)))
        elif op == "STACK_GLOBAL":
            name, module = stack.pop(), stack.pop()
            stack.append(_Name(str(module), str(name)))
        elif op == "REDUCE":
            arguments, name = stack.pop(), stack.pop()
            stack.append(_made(name, arguments))
        elif op == "BUILD":
            state, built = stack.pop(), stack[-1]
            if not isinstance(built, _Array | _Kind):
                raise Refused(f"it sets the state of a {type(built).__name__}")
            built.build(state)
        else:
            raise Refused(f"it uses the opcode {op}, which data has no need of")
    raise Refused("it is cut short")


def _made(name: Any, arguments: Any) -> Any:
    """What a call of one of `KNOWN` would have given."""
    if not isinstance(name, _Name) or not isinstance(arguments, tuple):
        raise Refused("it calls what is no function")
    if name.name == "_reconstruct":
        return _Array()
    if name.name == "dtype":
        return _Kind(arguments[0])
    if name.name == "OrderedDict":
        return dict(arguments[0]) if arguments else {}
    if name.name == "bytes" and not arguments:
        return b""
    if name.name == "_frombuffer" and len(arguments) == 4 and isinstance(arguments[1], _Kind):
        content, kind, shape, order = arguments
        return _numbers(content, kind, shape, "F" if order == "F" else "C")
    if name.name == "encode" and len(arguments) == 2 and arguments[1] == "latin1":
        return arguments[0].encode("latin1")
    if name.name == "scalar" and len(arguments) == 2 and isinstance(arguments[0], _Kind):
        return np.frombuffer(arguments[1], arguments[0].numpy())[0].item()
    raise Refused(f"it calls {name.name} in a way that numpy does not")


def _number(argument: Any) -> int:
    return int(argument)


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))


def _listed(container: Any) -> list[Any]:
    if not isinstance(container, list):
        raise Refused("it appends to what is no list")
    return container


def _mapped(container: Any) -> dict[Any, Any]:
    if not isinstance(container, dict):
        raise Refused("it sets items of what is no dictionary")
    return container


def _plain(value: Any, depth: int, number: Iterator[int]) -> Any:
    """The value with arrays in place of what stood for them; ``number`` counts what it holds."""
    if depth > 50 or next(number) > MOST:
        raise Refused("it is nested deeper, or holds more, than any motion")
    if isinstance(value, _Array):
        return _plain(value.value, depth + 1, number) if not isinstance(value.value, np.ndarray) else value.value
    if isinstance(value, list | tuple):
        return [_plain(each, depth + 1, number) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each, depth + 1, number) for key, each in value.items()}
    if isinstance(value, _Name | _Kind):
        raise Refused("it holds a type, not data")
    return value
