"""Reading a pickle without running anything but what is trusted.

Python's own unpickler calls what the file names. This one knows the same language, but makes only plain objects, calls
only functions and classes from a table, and sets attributes only of objects for which that is safe.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from .names import HARMLESS, READ, explain
from .rebuild import set_attributes

__all__ = ["run"]

MOST = 5  # the last version of the language
ATOMS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
FIXED: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False, "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple, "EMPTY_DICT": dict, "EMPTY_SET": set,
}  # fmt: skip
OF_MARKED: dict[str, Callable[[list[Any]], Any]] = {
    "TUPLE": tuple, "LIST": list, "FROZENSET": frozenset, "DICT": lambda items: dict(zip(items[::2], items[1::2])),
}  # fmt: skip
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
GETS, PUTS = {"GET", "BINGET", "LONG_BINGET"}, {"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"}


def run(source: Any, trusted: Mapping[tuple[str, str], Any], persistent_load: Callable[[Any], Any]) -> Any:
    """The object that a pickle describes.

    Args:
        source: bytes, or a file, which is read up to the end of the pickle.
        trusted: what the pickle may name, by module and name.
        persistent_load: makes the object of a persistent id.

    Raises:
        pickle.UnpicklingError: the pickle names something else, or does with it what is not safe, or is no pickle.
    """
    machine = _Machine(trusted)
    for described in _described(source, machine):
        machine.stack.append(persistent_load(described))  # what this raises is told as it is
    return machine.stack.pop()


def _described(source: Any, machine: _Machine) -> Iterator[Any]:
    """Run the pickle; gives the persistent ids that it comes to."""
    import pickletools

    try:
        for op, arg, _ in pickletools.genops(source):
            if op.name == "BINPERSID":
                yield machine.stack.pop()
            elif machine.step(op.name, arg):
                return
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, OverflowError, UnicodeError) as error:
        raise pickle.UnpicklingError(
            f"load: the pickle is damaged, or uses an object in a way that is not allowed: {error}"
        ) from error
    raise pickle.UnpicklingError("load: the pickle ends before it is complete")


class _Machine:
    def __init__(self, trusted: Mapping[tuple[str, str], Any]) -> None:
        self._trusted = trusted
        self.stack: list[Any] = []
        self._outer: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self._callable: dict[int, Any] = {}  # by id: what the pickle has named, and thereby may call
        self._theirs = [value for key, value in trusted.items() if key not in READ and key not in HARMLESS]

    def step(self, name: str, arg: Any) -> bool:
        """Do one instruction; returns whether it was the last."""
        stack = self.stack
        if name in ATOMS:
            stack.append(arg)
        elif name in GETS:
            stack.append(self._memo[int(arg)])
        elif name in PUTS:
            self._memo[len(self._memo) if arg is None else int(arg)] = stack[-1]
        elif name in FIXED:
            stack.append(FIXED[name]())
        elif name == "MARK":
            self._outer.append(stack)
            self.stack = []
        elif name in SHORT_TUPLES:
            count = SHORT_TUPLES[name]
            if len(stack) < count:
                raise IndexError("a tuple of more than there is")
            stack[-count:] = [tuple(stack[-count:])]
        elif name in OF_MARKED:
            self.stack = self._outer.pop()
            self.stack.append(OF_MARKED[name](stack))
        elif name == "STOP":
            if not stack or self._outer:
                raise IndexError("it ends within an object")
            return True
        elif name == "PROTO":
            if arg > MOST:
                raise ValueError(f"protocol {arg} is not known")
        elif name != "FRAME":
            method = getattr(self, "_" + name.lower(), None)
            if method is None:
                raise pickle.UnpicklingError(f"load: weights_only=True does not allow the instruction {name}")
            method(arg)
        return False

    def _marked(self) -> list[Any]:
        items, self.stack = self.stack, self._outer.pop()
        return items

    # Containers

    def _append(self, arg: Any) -> None:
        item = self.stack.pop()
        self._listed([item])

    def _appends(self, arg: Any) -> None:
        items = self._marked()
        self._listed(items)

    def _listed(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) not in (list, deque):
            raise TypeError(f"appends to a {type(target).__name__}")
        target.extend(items)

    def _setitem(self, arg: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set(((key, value),))

    def _setitems(self, arg: Any) -> None:
        items = self._marked()
        self._set(zip(items[::2], items[1::2], strict=True))

    def _set(self, pairs: Any) -> None:
        target = self.stack[-1]
        if type(target) not in (dict, OrderedDict, Counter, defaultdict) and not self._is_theirs(target):
            raise TypeError(f"sets items of a {type(target).__name__}")
        for key, value in pairs:
            target[key] = value

    def _additems(self, arg: Any) -> None:
        items = self._marked()
        if type(self.stack[-1]) is not set:
            raise TypeError(f"adds to a {type(self.stack[-1]).__name__}")
        self.stack[-1].update(items)

    def _pop(self, arg: Any) -> None:
        self.stack.pop()

    def _pop_mark(self, arg: Any) -> None:
        self._marked()

    def _dup(self, arg: Any) -> None:
        self.stack.append(self.stack[-1])

    # Names and calls

    def _global(self, arg: str) -> None:
        module, _, name = arg.partition(" ")
        self._name(module, name)

    def _stack_global(self, arg: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._name(str(module), str(name))

    def _name(self, module: str, name: str) -> None:
        found = self._trusted.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(
                explain(module, name)
                or f"load: weights_only=True refuses '{module}.{name}', which the file names and which might run any "
                f"code. If you trust it: serialization.add_safe_globals([{name}]); if you trust the whole file: "
                "load(..., weights_only=False)"
            )
        self._callable[id(found)] = found
        self.stack.append(found)

    def _reduce(self, arg: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        if id(function) not in self._callable or not callable(function) or type(args) is not tuple:
            raise TypeError(f"calls {type(function).__name__}")
        self.stack.append(function(*args))

    def _newobj(self, arg: Any) -> None:
        self.stack.append({})
        self._newobj_ex(arg)

    def _newobj_ex(self, arg: Any) -> None:
        options, args, kind = self.stack.pop(), self.stack.pop(), self.stack.pop()
        if id(kind) not in self._callable or not isinstance(kind, type):
            raise TypeError(f"makes an instance of {kind!r}")
        self.stack.append(kind.__new__(kind, *args, **options))

    def _build(self, state: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is OrderedDict:
            set_attributes(target, state)
        elif not self._is_theirs(target):
            raise TypeError(f"sets the state of a {type(target).__name__}")
        elif hasattr(type(target), "__setstate__"):
            target.__setstate__(state)
        else:
            own, slots = state if isinstance(state, tuple) else (state, None)
            vars(target).update(own or {})
            for name, value in (slots or {}).items():
                setattr(target, name, value)

    def _is_theirs(self, target: Any) -> bool:
        """Whether the user trusts the class of an object."""
        kind = type(target)
        return kind in self._theirs or (isinstance(target, np.dtype) and np.dtype in self._theirs)
