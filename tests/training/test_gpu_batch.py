import math

import pytest
import torch

from helpers.project import ROOT
from stages.params.models import load_recipe
from stages.training.gpu_batch import for_device

RECIPE = load_recipe("cnn5", ROOT / "params.yaml").model_copy(update={"batch_size": 32, "gpu_batch_size": 256})
GPU = torch.device("cuda")


@pytest.mark.parametrize("faces, size", [(28_709, 256), (12_271, 128), (3199, 32), (3200, 64), (20, 32), (10**9, 256)])
def test_a_gpu_gets_larger_batches_and_a_higher_rate(faces: int, size: int) -> None:
    recipe = for_device(RECIPE, GPU, faces)
    assert recipe.batch_size == size and recipe.lr == pytest.approx(RECIPE.lr * math.sqrt(size / 32))
    assert recipe.accumulation == 1


def test_a_cpu_and_a_recipe_without_a_size_for_gpus_keep_the_batch() -> None:
    assert for_device(RECIPE, torch.device("cpu"), 28_709) == RECIPE
    without = RECIPE.model_copy(update={"gpu_batch_size": None})
    assert for_device(without, GPU, 28_709) == without


def test_the_parts_of_a_batch_that_is_accumulated_keep_their_size() -> None:
    recipe = for_device(RECIPE.model_copy(update={"accumulation": 4}), GPU, 28_709)
    assert recipe.batch_size / recipe.accumulation == 8
