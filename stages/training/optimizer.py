"""The optimiser, by its name in timm."""

from torch import nn
from torch.optim import Optimizer

from stages.base.errors import InputError
from stages.base.params import Train, nearest

FUSED = {"adam", "adamw"}  # one kernel for all weights; torch's fused SGD fails where some weights wait frozen


def build(network: nn.Module, recipe: Train) -> Optimizer:
    """An optimiser over the network's weights, without weight decay for biases and normalisation.

    With `layer_decay` below 1 each layer learns slower than the next one towards the head by that factor (Clark et
    al., ELECTRA, 2020). Raises InputError where timm knows no optimiser of that name.
    """
    from timm.optim import create_optimizer_v2, list_optimizers  # two seconds

    if recipe.optimizer not in (known := list_optimizers()):
        raise InputError(f"train.optimizer: {recipe.optimizer!r} is unknown{nearest(recipe.optimizer, known)}")
    optimizer = create_optimizer_v2(
        network,
        opt=recipe.optimizer,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        layer_decay=recipe.layer_decay if recipe.layer_decay < 1 else None,
        **({"fused": True} if recipe.optimizer in FUSED else {}),
    )
    for group in optimizer.param_groups:
        group["lr"] *= group.pop("lr_scale", 1.0)  # every schedule takes it from here
    return optimizer
