"""Any architecture of the timm library (Wightman, 2019) under its name there."""

from difflib import get_close_matches

from torch import nn

from stages.base.errors import InputError


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
    sized = {"img_size": size} if config.fixed_input_size else {}
    try:
        return timm.create_model(
            name, imagenet, in_chans=channels, num_classes=classes, drop_rate=dropout or 0.0, **sized
        )
    except OSError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"params.yaml: init: the ImageNet weights of {name!r} could not be had ({reason}); "
            "connect once to download them, or set init: random"
        ) from None
    except (AssertionError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"params.yaml: input_size: timm cannot build {name!r} for {size} pixels ({reason})"
        ) from None
