"""From `.proto` text to descriptors, by protoc in contained processes, and back to text.

The way of a text: source (names and texts checked) → workers (protoc in a child process that may die) →
diagnostics (what protoc said) or descriptors → a linked file set. The whole of it is told in `compile.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.door import door

if TYPE_CHECKING:
    from protopact.compiler.compile import compile_files, compile_text
    from protopact.compiler.inside import Inside
    from protopact.compiler.normal import normal_text
    from protopact.compiler.printer import print_compiled, print_file
    from protopact.compiler.python_code import generate
    from protopact.compiler.source import check_import_path, import_paths, load_sources
    from protopact.compiler.workers import Job, Outcome, Workers, default_workers

__all__ = [
    "Inside",
    "Job",
    "Outcome",
    "Workers",
    "check_import_path",
    "compile_files",
    "compile_text",
    "default_workers",
    "generate",
    "import_paths",
    "load_sources",
    "normal_text",
    "print_compiled",
    "print_file",
]

__getattr__ = door(
    __name__,
    {
        "Inside": "inside",
        "Job": "workers",
        "Outcome": "workers",
        "Workers": "workers",
        "check_import_path": "source",
        "compile_files": "compile",
        "compile_text": "compile",
        "default_workers": "workers",
        "generate": "python_code",
        "import_paths": "source",
        "load_sources": "source",
        "normal_text": "normal",
        "print_compiled": "printer",
        "print_file": "printer",
    },
)
