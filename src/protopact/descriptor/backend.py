"""Refusal of protobuf's pure-Python backend."""

from __future__ import annotations

from google.protobuf.internal import api_implementation

from protopact.errors import ConfigError

_BACKEND_NEEDED = "upb"
_VARIABLE = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"


def check_backend() -> None:
    """Raise `ConfigError` unless protobuf runs on upb: the pure-Python backend is 30 to 100 times slower."""
    backend = api_implementation.Type()
    if backend != _BACKEND_NEEDED:
        raise ConfigError(
            f"protobuf runs on its {backend!r} backend; protopact needs {_BACKEND_NEEDED!r}",
            option=_VARIABLE,
            hint=f"unset {_VARIABLE}, or set it to {_BACKEND_NEEDED}, and install protobuf's binary wheel",
        )
