"""The command line's reference and the catalogue of errors are today's."""

from __future__ import annotations

import pytest

from architecture.reference_pages import DOCS, PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_made_from_the_code_is_todays(name: str) -> None:
    """Run `just golden` after changing a command or an exception."""
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()
