"""A writer of Python functions, for converters that are specialised for one message type.

Code is written line by line, compiled once, and runs at the speed of code that a person would write for that type:

    source = Source("to_dict orders.v1.Order")
    names = source.bind({0: "NEW"}, "names")                # an object that the code uses: gives its global's name
    with source.block("def read(message):"):
        state = source.local("state")                       # a name that nothing else in this source has
        source.line(f"{state} = {attribute('message', field.name)}")
        source.line(f"return {{{literal(field.name)}: {names}.get({state}, {state})}}")
    read = source.build()["read"]                           # an object, so far as a type checker can tell

Names come from schemas, and schemas from anywhere: a `json_name` may be any text at all. So text from outside stands
in code in two forms only: as `literal(text)`, and as an attribute by `attribute` and `assignment`, which fall back to
`getattr` and `setattr` where the name is no plain identifier. All else is handed over by `bind`.

Several sources may share one namespace, `Source(title, namespace)`: then functions of one call those of another by
name, and one that is not written yet can be a stand-in that writes it when it is first called, since the global is
looked up at each call. Tracebacks and debuggers show the lines of built code, for as long as the namespace lives.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import linecache
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_NO_NAME = re.compile(r"\W+", re.ASCII)
_RESERVED = frozenset((*keyword.kwlist, *keyword.softkwlist, *dir(builtins)))
_numbers = itertools.count(1)

Literal: TypeAlias = str | bytes | int | bool | None
"""What can stand in code as it is."""


class Namespace:
    """What generated functions know by name: functions, and objects that are bound; what is only to live is `held`.

    `globals` is a plain dict, since the interpreter is quick with those only; it holds this namespace in turn, so
    that the namespace lives as long as any function in it.
    """

    def __init__(self) -> None:
        """Begin with nothing but the builtins."""
        self.globals: dict[str, object] = {"__builtins__": builtins.__dict__, "__namespace__": self}
        self.sources: list[Source] = []
        self.held: list[object] = []
        self._names: dict[int, str] = {}

    def __getitem__(self, name: str) -> object:
        """Give the function or bound object of a name."""
        return self.globals[name]

    def bind(self, value: object, hint: str) -> str:
        """Make an object known to the code and give the name of its global; the same object keeps its name."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = self.fresh(hint)
            self.globals[name] = value  # which keeps the object alive, and so its id its own
        return name

    def fresh(self, hint: str) -> str:
        """Give a global's name that is not taken, as like the hint as an identifier can be; it is taken now."""
        name = _unlike(hint, self.globals)
        self.globals[name] = None
        return name


class Source:
    """The code of some functions in the making; `title` names it in tracebacks, as `<protopact TITLE #1>`."""

    def __init__(self, title: str, namespace: Namespace | None = None) -> None:
        """Begin an empty source, in a namespace of its own unless one is given."""
        self.namespace = Namespace() if namespace is None else namespace
        self._title = " ".join(title.split())
        self._lines: list[str] = []
        self._indent = ""
        self._locals: set[str] = set()

    def line(self, text: str = "") -> None:
        """Add one line at the present depth."""
        self._lines.append(f"{self._indent}{text}" if text else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a head such as `if x:`; the lines that follow inside stand below it."""
        self.line(head)
        outer, self._indent = self._indent, f"{self._indent}    "
        try:
            yield
        finally:
            self._indent = outer

    def bind(self, value: object, hint: str) -> str:
        """Make an object known to the code and give the name of its global; the same object keeps its name."""
        return self.namespace.bind(value, hint)

    def local(self, hint: str) -> str:
        """Give a local variable's name that nothing in this source has, as like the hint as an identifier can be."""
        name = _unlike(hint, self._locals, self.namespace.globals)
        self._locals.add(name)
        return name

    def __str__(self) -> str:
        """Give the code as it stands."""
        return "\n".join([*self._lines, ""])

    def build(self) -> Namespace:
        """Compile and run the code, and give its namespace, in which the functions now stand."""
        file_name, text = f"<protopact {self._title} #{next(_numbers)}>", str(self)
        code = compile(text, file_name, "exec", dont_inherit=True)
        linecache.cache[file_name] = (len(text), None, text.splitlines(keepends=True), file_name)
        exec(code, self.namespace.globals)  # noqa: S102  (our own code: names from outside stand in it as literals only)
        finalize(self.namespace, linecache.cache.pop, file_name, None)
        self.namespace.sources.append(self)
        return self.namespace


def literal(value: Literal) -> str:
    """Give a value as it stands in code; of text and bytes, not of types derived from them, whose repr is theirs."""
    if type(value) not in {str, bytes, int, bool, type(None)}:
        raise TypeError(f"{type(value).__name__} has no literal")
    return ascii(value)


def attribute(owner: str, name: str) -> str:
    """Give the expression that reads an attribute of any name, a keyword's too."""
    return f"{owner}.{name}" if _is_plain(name) else f"getattr({owner}, {literal(name)})"


def assignment(owner: str, name: str, value: str) -> str:
    """Give the statement that sets an attribute of any name, a keyword's too."""
    return f"{owner}.{name} = {value}" if _is_plain(name) else f"setattr({owner}, {literal(name)}, {value})"


def _is_plain(name: str) -> bool:
    return _IDENTIFIER.match(name) is not None and not keyword.iskeyword(name) and name != "__debug__"


def _unlike(hint: str, *taken: Container[str]) -> str:
    stem = _NO_NAME.sub("_", hint).strip("_")
    if not _IDENTIFIER.match(stem) or stem in _RESERVED:
        stem = f"x_{stem}"
    candidates = itertools.chain((stem,), (f"{stem}_{number}" for number in itertools.count(2)))
    return next(name for name in candidates if not any(name in names for names in taken))
