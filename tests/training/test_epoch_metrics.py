"""The metrics of an epoch equal scikit-learn's."""

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from stages.evaluation.metrics import classification_metrics, macro_auroc
from stages.training.epoch_metrics import epoch_metrics


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_metrics_equal_scikit_learns(classes: int, ties: bool, absent: bool) -> None:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, classes - absent, 500)
    logits = (2 * np.eye(classes)[targets] + rng.normal(size=(500, classes)) * 2).astype(np.float32)
    logits = logits.round() if ties else logits
    shares = torch.from_numpy(logits).double().softmax(1).numpy()
    expected = classification_metrics(targets, logits.argmax(1)) | macro_auroc(targets, shares)
    expected["loss"] = log_loss(targets, shares, labels=range(classes))
    found = epoch_metrics(torch.from_numpy(logits), torch.from_numpy(targets))
    assert found == pytest.approx(expected, abs=1e-12)


def test_one_class_has_no_auroc() -> None:
    found = epoch_metrics(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([1, 1]))
    assert "auroc" not in found and found["accuracy"] == 0.5
