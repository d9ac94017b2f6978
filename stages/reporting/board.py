"""What the page of the benchmark tells, from the leaderboard."""

from itertools import pairwise

import pandas as pd

from stages.reporting.chart import Chart
from stages.reporting.contest import costs, ranges

MERITS = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}
SPEED = "inference_images_per_second"


def board(found: dict) -> dict:
    """What the page's templates name, from the `found` of metrics/benchmark.json: models, neighbours, charts, drawn.

    A neighbour has `better` and `worse`, and by merit the difference, where there are enough groups of faces with low,
    high and p_holm.
    """
    models = found["models"]
    pairs = zip(pairwise(models), found["neighbours"].values(), strict=True)
    neighbours = [{"better": better, "worse": worse, **pair} for (better, worse), pair in pairs]
    return {"models": models, "neighbours": neighbours, "charts": _charts(models, neighbours),
            "drawn": found["drawn_faces"]}  # fmt: skip


def _charts(models: dict, neighbours: list[dict]) -> dict[str, list[Chart]]:
    sure = all("interval" in row["validation"] for row in models.values())
    with_bars = ", with their intervals" if sure else ""
    crossing = "Where a bar crosses the dashed line, the order of the two may be chance." if sure else ""
    return {
        "scores": [
            ranges(title, _scores(models, merit), False, note=f"Of all out-of-fold faces{with_bars}.")
            for merit, title in MERITS.items()
        ],
        "differences": [
            ranges(f"{title}: better less next", _differences(neighbours, merit), True, note=crossing)
            for merit, title in MERITS.items()
        ] if neighbours else [],
        "costs": [
            costs("Accuracy and computation", _costs(models, "flops", "FLOPs"), "FLOPs of one image"),
            costs("Accuracy and speed", _costs(models, SPEED, "images/s"), "images/s in inference"),
        ],
    }  # fmt: skip


def _rows(what: str, rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[what, "value", "low", "high"]).astype(dict.fromkeys(("low", "high"), float))


def _scores(models: dict, merit: str) -> pd.DataFrame:
    return _rows("model", [(name, *_range(row["validation"], merit)) for name, row in models.items()])


def _range(part: dict, merit: str) -> tuple[float, float | None, float | None]:
    interval = part.get("interval", {}).get(merit, {})
    return part[merit], interval.get("low"), interval.get("high")


def _differences(neighbours: list[dict], merit: str) -> pd.DataFrame:
    rows = []
    for pair in neighbours:
        found = pair[merit]
        rows.append((f"{pair['better']} − {pair['worse']}", found["difference"], found.get("low"), found.get("high")))
    return _rows("pair", rows)


def _costs(models: dict, name: str, unit: str) -> pd.DataFrame:
    rows = [(model, row["cost"][name], *_range(row["validation"], "accuracy")) for model, row in models.items()]
    table = pd.DataFrame(rows, columns=["model", unit, "accuracy", "low", "high"])
    return table.astype(dict.fromkeys(("low", "high"), float))
