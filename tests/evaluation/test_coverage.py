"""How often intervals contain the true value, on simulated test sets with the groups of the real data sets."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from helpers.populations import CLASSES, Parts, sampled
from stages.evaluation.intervals import confidence_intervals, confusion_metrics, f1_intervals, group_confusions

SETS = 1500
SKILLS = {"poor": 0.75, "medium": 1.95, "good": 3.5, "near-perfect": 4.7, "nearer": 5.15, "nearly always right": 5.6}


def true_values(parts: Parts, skill: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Return accuracy, and F1 and AUROC of each class, if each group were 3,000 groups."""
    many = {dataset: 3000 * groups for dataset, groups in parts.items()}
    truth, logits, *_ = next(sampled(np.random.default_rng(0), many, skill, 1))
    shares = softmax(logits, 1)
    found = confusion_metrics(group_confusions(truth, shares.argmax(1), np.zeros_like(truth), CLASSES)[0])
    some = np.random.default_rng(0).permutation(len(truth))[:200_000]
    areas = [
        roc_auc_score(truth[some] == label, shares[some, label]) if (truth == label).any() else np.nan
        for label in range(CLASSES)
    ]
    return float(found["accuracy"]), found["f1"], np.array(areas)


@pytest.mark.slow
@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("parts", [
    {"ck48": 12}, {"sfew": 12}, {"jaffe": 12}, {"ck48": 24}, {"sfew": 24}, {"ck48-": 22, "jaffe": 2, "sfew": 24},
    {"sfew": 66}, {"ck48": 118},
], ids=lambda parts: "+".join(f"{groups} {dataset}" for dataset, groups in parts.items()))  # fmt: skip
def test_93_to_97_percent_of_intervals_contain_the_true_value(parts: Parts, skill: str) -> None:
    accuracy, f1, areas = true_values(parts, SKILLS[skill])
    covered = {name: [] for name in ("accuracy", "macro_f1", "auroc", "f1")}
    perfect = 0
    for truth, logits, groups, datasets in sampled(np.random.default_rng(1), parts, SKILLS[skill], SETS):
        shares, present = softmax(logits, 1), np.unique(truth)
        true = {"accuracy": accuracy, "macro_f1": f1[present].mean(), "auroc": areas[present].mean()}
        found = confidence_intervals(truth, shares, groups, datasets)
        for name, value in true.items():
            covered[name].append(found[name]["low"] <= value <= found[name]["high"])
        of_classes = f1_intervals(truth, shares, groups, datasets)
        covered["f1"] += [bounds["low"] <= f1[label] <= bounds["high"] for label, bounds in of_classes.items()]
        perfect += found["accuracy"]["high"] == 1
    shares = {name: round(float(np.mean(values)), 3) for name, values in covered.items() if values}
    print(skill, f"accuracy {accuracy:.3f}, macro-F1 {np.nanmean(f1):.3f}, no mistake {perfect / SETS:.2f}", shares)
    assert min(shares[name] for name in ("accuracy", "macro_f1")) >= 0.93
