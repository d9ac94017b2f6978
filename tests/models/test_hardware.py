import subprocess
import sys
from pathlib import Path

from helpers.project import ENVIRONMENT, ROOT

IMPORTS = """
from stages.models import hardware
assert hardware.device().type == "cpu" and hardware.device_name(hardware.device())
from torch.utils.benchmark import Timer  # looks for a CUDA toolkit
"""


def test_a_cuda_toolkit_without_a_gpu_gives_no_warning(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"CUDA_HOME": str(tmp_path), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""
