"""Get ONNX Runtime Web, in the version that web/package-lock.json pins → data/runtime.

    python -m stages.publishing.runtime

npm checks the hash of each package, and runs none of their scripts.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.npm import npm

RUNTIME, SOURCES = Path("data/runtime"), Path(__file__).parent / "web"
NEEDED = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


def main() -> None:
    """Write the files that the page needs."""
    with TemporaryDirectory() as temporary:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, temporary)
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=Path(temporary))
        with atomic_output(RUNTIME) as folder:
            folder.mkdir()
            for name in NEEDED:
                shutil.copy(Path(temporary) / "node_modules/onnxruntime-web/dist" / name, folder)
    print(f"wrote {RUNTIME}")


if __name__ == "__main__":
    guard(main)
