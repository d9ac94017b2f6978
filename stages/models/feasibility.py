"""Whether a recipe can be trained, found out before its data are made."""

import torch

from stages.base.errors import InputError
from stages.base.suggestions import suggestion
from stages.models.networks import build
from stages.params.data import Data
from stages.params.models import Recipe

COMMON_OPTIMIZERS = ("adamw", "sgd")  # known without the import of timm, which takes seconds


def check_network(recipe: Recipe, data: Data) -> None:
    """Build the recipe's network without memory for its weights.

    Args:
        recipe: the recipe that will be trained.
        data: labels, size and channels of the faces.

    Raises:
        InputError: timm has no such architecture or optimiser, or the network does not take images of that size.
    """
    check_optimizer(recipe.optimizer)
    with torch.device("meta"):
        build(recipe.arch, len(data.labels), data.channels, recipe.input_size or data.size, recipe.dropout)


def check_optimizer(name: str) -> None:
    """Refuse an optimiser that training cannot use.

    timm also lists some of bitsandbytes and apex, which are not among the packages of this project, and AdaHessian,
    which needs second derivatives.

    Raises:
        InputError: there is no such optimiser.
    """
    if name in COMMON_OPTIMIZERS:
        return
    from timm.optim import list_optimizers  # slow to import

    known = list_optimizers(exclude_filters=["bnb*", "fused*", "adahessian"])
    if name not in known:
        raise InputError(f"params.yaml: train.optimizer: {name!r} is unknown{suggestion(name, known)}")
