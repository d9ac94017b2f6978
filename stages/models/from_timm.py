"""Any architecture of the timm library (Wightman, 2019) under its name there."""

from difflib import get_close_matches

import torch
from torch import nn

from stages.base.errors import InputError
from stages.models.download import not_had


def build(name: str, classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """timm's network `name`, such as `convnext_tiny`: images B×channels×size×size to logits B×classes.

    Dropout is timm's `drop_rate`, 0 where it is None. ImageNet weights are those that timm holds best for the name; of
    an RGB first layer it sums the channels where the input is grey, and the last layer is fresh.
    Raises InputError where timm lacks the name or its ImageNet weights, these cannot be had, or `size` is impossible.
    """
    import timm  # two seconds, which the other architectures need not wait

    known = timm.list_models() + timm.list_models(pretrained=True)  # plain names, and names with a tag of weights
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f": did you mean 'timm/{close[0]}'?" if close else "; timm.list_models() names them all"
        raise InputError(f"params.yaml: model: timm has no architecture called {name!r}{hint}")
    config = timm.get_pretrained_cfg(name)
    if imagenet and not config.has_weights:
        raise InputError(f"params.yaml: init: timm has no ImageNet weights for {name!r}; set init: random")
    options = {"in_chans": channels, "num_classes": classes, "drop_rate": dropout or 0.0}
    if config.fixed_input_size:
        options["img_size"] = size
    try:  # on torch's `meta` device, which computes shapes alone
        with torch.device("meta"):
            timm.create_model(name, **options).eval()(torch.empty(1, channels, size, size))
    except (ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120] or "its parts do not fit"
        raise InputError(f"params.yaml: input_size: timm's {name} cannot take {size} pixels ({reason})") from None
    if not imagenet:
        return timm.create_model(name, **options)
    try:
        return timm.create_model(name, pretrained=True, **options)
    except Exception as error:  # of any of three libraries; the network alone was just built, so it is the weights
        raise not_had(name, error) from None
