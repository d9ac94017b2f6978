"""Refuse a wrong params.yaml in one line, before DVC looks up what it names → data/checked.txt, always the same.

The first stages depend on what it writes, so that they wait for it, and do not run again when it does.
"""

from pathlib import Path

from stages.base import params
from stages.base.atomic import atomic_output
from stages.base.errors import guard


def main() -> None:
    params.load()
    with atomic_output(Path("data/checked.txt")) as path:
        path.write_text("params.yaml is as it should be\n")


if __name__ == "__main__":
    guard(main)
