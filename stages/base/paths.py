"""Where the outputs of one training run are stored, and where the clone is."""

from dataclasses import dataclass
from pathlib import Path


def clone() -> Path:
    """Return the clone that this process works in.

    `dvc exp run --temp` and the queue work in copies of the clone, <clone>/.dvc/tmp/exps/<name>, which have neither its
    experiments nor what git ignores; in such a copy it is the clone itself.
    """
    folder = Path.cwd()
    for parent in folder.parents:
        if parent.parts[-3:] == (".dvc", "tmp", "exps"):
            return parent.parents[2]
    return folder


@dataclass(frozen=True)
class RunPaths:
    """The paths of one run.

    Attributes:
        model: folder of the trained model.
        curves: folder of the training curves.
        training: JSON file of the training's device, duration and speed, which differ from run to run.
        predictions: folder of the predicted probabilities, one table for each subset of the faces.
        metrics: JSON file of the metrics.
        tables: folder of the tables that DVC and the report plot.
    """

    model: Path
    curves: Path
    training: Path
    predictions: Path
    metrics: Path
    tables: Path

    @classmethod
    def of(cls, folder: str | None) -> "RunPaths":
        """Return the paths of a run stored in `folder`, or those of the main pipeline if it is None."""
        if folder:
            root = Path(folder)
            return cls(
                root / "model",
                root / "training",
                root / "training.json",
                root / "predictions",
                root / "metrics.json",
                root / "tables",
            )
        return cls(
            Path("data/model"),
            Path("plots/training"),
            Path("metrics/training.json"),
            Path("data/predictions"),
            Path("metrics/metrics.json"),
            Path("plots/evaluation"),
        )

    @classmethod
    def benchmark(cls, model: str, fold: int, seed: int) -> "RunPaths":
        """Return the paths of a benchmark run."""
        return cls.of(f"data/benchmark/{model}/{fold}-{seed}")
