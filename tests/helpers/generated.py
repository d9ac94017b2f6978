"""How many inputs the longer tests generate: FER_FUZZ=200000 pytest -m slow tests/archives/test_fuzzed.py."""

import os

MANY = int(os.environ.get("FER_FUZZ", "5_000"))
