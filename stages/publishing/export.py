"""Export the trained model as ONNX → data/export/.

python -m stages.publishing.export
"""

from pathlib import Path

from stages.base.atomic import atomic_output
from stages.base.errors import guard
from stages.base.paths import RunPaths
from stages.models import hardware
from stages.models.saved_model import load
from stages.publishing.graph import Calibrated, face_shape
from stages.publishing.metadata import metadata
from stages.publishing.onnx_file import write_onnx

FOLDER = Path("data/export")


def main() -> None:
    """Write the network with its preprocessing."""
    network, config = load(RunPaths.of(None).model)
    hardware.deterministic(config["seed"])
    calibrated = Calibrated(network, config)
    with atomic_output(FOLDER) as folder:
        folder.mkdir()
        write_onnx(calibrated, face_shape(config), metadata(config), folder / "model.onnx")
    print(f"wrote {FOLDER}/model.onnx")


if __name__ == "__main__":
    guard(main)
