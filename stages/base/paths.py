"""Where a training and what is told of it are kept: the pipeline's own run, or one of several beside it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """The paths of one run: its model, training curves, predictions, figures, and the tables that are plotted."""

    model: Path
    curves: Path
    predictions: Path
    figures: Path
    tables: Path

    @classmethod
    def of(cls, folder: str | None) -> "Places":
        """Those of a run in a folder of its own, or with None those of the pipeline's."""
        if folder:
            own = Path(folder)
            return cls(own / "model", own / "training", own / "predictions", own / "metrics.json", own / "tables")
        return cls(
            Path("data/model"),
            Path("plots/training"),
            Path("data/predictions"),
            Path("metrics/metrics.json"),
            Path("plots/evaluation"),
        )

    @classmethod
    def benchmark(cls, model: str, fold: int, seed: int) -> "Places":
        """Those of a run of the benchmark."""
        return cls.of(f"data/benchmark/{model}/{fold}-{seed}")
