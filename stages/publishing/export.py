"""Export the trained model as ONNX and compare it with the original → data/export/, metrics/export.json.

    python -m stages.publishing.export

`model.onnx` computes in float32. `model-int8.onnx` is written if it is clearly faster and about as good.
"""

from pathlib import Path

import numpy as np

from stages.base.atomic import atomic_output
from stages.base.errors import InputError, guard
from stages.base.files import write_json
from stages.base.paths import RunPaths
from stages.evaluation.metrics import classification_metrics
from stages.faces.subsets import subsets_of
from stages.faces.table import SPLIT_COLUMNS, Selection, open_faces, read_index
from stages.models import hardware
from stages.models.saved_model import WEIGHTS, load
from stages.publishing.comparison import parity, probabilities
from stages.publishing.graph import Calibrated, face_shape
from stages.publishing.latency import latencies
from stages.publishing.metadata import metadata
from stages.publishing.onnx_file import open_onnx, write_onnx
from stages.publishing.quantization import left_out, write_quantized

MODEL, FOLDER = RunPaths.of(None).model, Path("data/export")
CALIBRATION = 256  # training faces


def main() -> None:
    """Write both files, compare their predictions and their speed, and keep the second one if it is worth having."""
    network, config = load(MODEL)
    index = read_index(Path("data/split/index.csv"), *SPLIT_COLUMNS)
    table = open_faces(Path("data/merged/faces.npy"), index)
    if table.shape[1:] != face_shape(config):
        raise InputError(f"{MODEL}: was trained on faces of another form than data/merged has; run: dvc repro")
    chosen = subsets_of(config, index, "test", "validation")
    parts = {"test": chosen.test, "validation": chosen.validation}
    faces = {name: Selection((table, rows.id.to_numpy())) for name, rows in parts.items()}
    truth = {name: rows.label.map(config["labels"].index).to_numpy() for name, rows in parts.items()}
    calibration = chosen.train.sample(min(CALIBRATION, len(chosen.train)), random_state=0).id.to_numpy()

    hardware.deterministic(config["seed"])
    calibrated = Calibrated(network, config)
    with atomic_output(FOLDER) as folder:
        folder.mkdir()
        files = {"onnx": folder / "model.onnx", "int8": folder / "model-int8.onnx"}
        write_onnx(calibrated, face_shape(config), metadata(config), files["onnx"])
        found = {"test": {"onnx": probabilities(open_onnx(files["onnx"]), faces["test"])}}
        metrics: dict = parity(probabilities(calibrated.predict, faces["test"]), found["test"]["onnx"])

        write_quantized(files["onnx"], table[np.sort(calibration)], files["int8"])
        found["test"]["int8"] = probabilities(open_onnx(files["int8"]), faces["test"])
        found["validation"] = {
            name: probabilities(open_onnx(path), faces["validation"]) for name, path in files.items()
        }
        for part, outputs in found.items():
            scores = {name: classification_metrics(truth[part], output.argmax(1)) for name, output in outputs.items()}
            metrics[part] = {name: round(score["macro_f1"], 6) for name, score in scores.items()}
        alone = {name: open_onnx(path, threads=1) for name, path in files.items()}
        metrics["milliseconds"] = latencies({"torch": calibrated.predict, **alone}, faces["test"][:1])
        metrics["bytes"] = {name: path.stat().st_size for name, path in ({"torch": MODEL / WEIGHTS} | files).items()}
        metrics["device"] = hardware.device_name(hardware.CPU)
        if reason := left_out(metrics["milliseconds"], metrics["validation"]):
            metrics["int8_left_out"] = reason
            files["int8"].unlink()
    write_json(metrics, Path("metrics/export.json"))
    print(f"{metrics['faces']} test faces: no probability differs by more than {metrics['largest_difference']:.2g}")
    for name, milliseconds in metrics["milliseconds"].items():
        print(f"{name}: {milliseconds} ms a face, {metrics['bytes'][name] / 1e6:.2f} MB")
    print(f"model-int8.onnx is left out: {reason}" if reason else f"{FOLDER} has model.onnx and model-int8.onnx")


if __name__ == "__main__":
    guard(main)
