"""Fuzz one target for some time, from the recorded corpus: `python tests/fuzz/run.py framing|json|decoder SECONDS`.

Needs atheris. It ends with an error, and writes the input that led there, when a target raises anything.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1]))
with atheris.instrument_imports(include=["protopact", "json"]):
    from fuzz.targets import TARGETS
    from protopact.convert.json import decode, encode, taker, teller  # noqa: F401  (to be instrumented)


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    target, seeds = TARGETS[name]
    with tempfile.TemporaryDirectory() as directory:
        for number, seed in enumerate(seeds()):
            (Path(directory) / f"{number:05}").write_bytes(seed)
        options = [f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, directory], target)
        atheris.Fuzz()


main()
