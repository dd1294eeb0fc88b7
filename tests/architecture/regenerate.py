"""Write anew what is made from the code: `just golden`. Read the difference before it is kept."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from architecture.file_map import write_map
from architecture.public_api import public_api
from architecture.reference_pages import write_pages
from architecture.source import REPOSITORY

if __name__ == "__main__":
    (REPOSITORY / "tests" / "golden" / "public_api.txt").write_text(public_api(), encoding="utf-8")
    write_map()
    write_pages()
