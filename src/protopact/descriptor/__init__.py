"""Descriptors: file sets, private pools, message indexes, the canonical form and the built-in files.

Everything here works on descriptors alone: no `.proto` text is read and no process is started. Needs protobuf's upb
backend and refuses the pure-Python one with `ConfigError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protopact.descriptor.backend import check_backend
from protopact.door import door

if TYPE_CHECKING:
    from protopact.descriptor.canonical import canonical_file, derived_json_name
    from protopact.descriptor.file_sets import FileSet
    from protopact.descriptor.indexes import message_at, message_index, message_names
    from protopact.descriptor.pools import message_class, message_descriptor, pool_of
    from protopact.descriptor.tags import field_tags, options_in_pool, reparsed_options
    from protopact.descriptor.well_known import BUILT_IN_FILES, built_in_file, is_built_in

__all__ = [
    "BUILT_IN_FILES",
    "FileSet",
    "built_in_file",
    "canonical_file",
    "derived_json_name",
    "field_tags",
    "is_built_in",
    "message_at",
    "message_class",
    "message_descriptor",
    "message_index",
    "message_names",
    "options_in_pool",
    "pool_of",
    "reparsed_options",
]

check_backend()

__getattr__ = door(
    __name__,
    {
        "BUILT_IN_FILES": "well_known",
        "FileSet": "file_sets",
        "built_in_file": "well_known",
        "canonical_file": "canonical",
        "derived_json_name": "canonical",
        "field_tags": "tags",
        "is_built_in": "well_known",
        "message_at": "indexes",
        "message_class": "pools",
        "message_descriptor": "pools",
        "message_index": "indexes",
        "message_names": "indexes",
        "options_in_pool": "tags",
        "pool_of": "pools",
        "reparsed_options": "tags",
    },
)
