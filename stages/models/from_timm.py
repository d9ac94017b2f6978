"""Architectures of the timm library (Wightman, PyTorch Image Models, 2019), by timm's names."""

import re
from difflib import get_close_matches
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from stages.base.errors import InputError
from stages.models.weights import download_error


def build(name: str, classes: int, channels: int, size: int, dropout: float | None, pretrained: bool) -> nn.Module:
    """Return timm's network `name`.

    With `pretrained` the weights are timm's default ones, from the local cache or else from timm's hub. For grey images
    timm sums the kernels of the first convolution over RGB; position embeddings are resampled to the image size.

    Args:
        name: a name in `timm.list_models()`.
        classes: number of classes.
        channels: channels of the images.
        size: height and width of the images in pixels.
        dropout: timm's `drop_rate`, 0 to 1; None for timm's default.
        pretrained: whether to load ImageNet weights into all layers but the classifier.

    Raises:
        InputError: timm has no such network, it does not support the size, or there are no weights to load.
    """
    import timm  # slow to import; several architectures do not need it

    known = timm.list_models()
    if name not in known:
        close = " or ".join(f"timm/{model}" for model in get_close_matches(name, known, n=3))
        hint = f"did you mean {close}?" if close else "timm.list_models() returns all names"
        raise InputError(f"params.yaml: model: timm has no architecture {name!r}: {hint}")
    source = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
    options: dict[str, Any] = {"in_chans": channels, "num_classes": classes, "drop_rate": dropout}
    if source.fixed_input_size:
        options["img_size"] = size
    _check_size(name, size, source.input_size[-1], options)
    if not pretrained:
        return timm.create_model(name, **options)
    if not (source.hf_hub_id and re.search(r"inw?\d+k", source.tag or "")):  # timm's tags of training on ImageNet
        raise InputError(
            f"params.yaml: init: timm's hub has no ImageNet weights of {name}; choose another one, or init: random"
        )
    from huggingface_hub.errors import HTTPError  # slow to import, and needed for a download only

    try:
        overlay = {"file": _weights_file(source.hf_hub_id)}
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except (OSError, HTTPError, SafetensorError, ValueError, RuntimeError) as error:
        raise download_error(name, error) from None


def check_patches(name: str, size: int, patch: int) -> None:
    """Raise InputError if images of this size cannot be cut into whole patches; timm would ignore the rest silently."""
    if size % patch:
        nearest = max(round(size / patch), 1) * patch
        raise InputError(
            f"params.yaml: input_size: {name} cuts images into patches of {patch} pixels, and {size} is not a multiple "
            f"of {patch}; {nearest} is the nearest one"
        )


def _check_size(name: str, size: int, default: int, options: dict[str, Any]) -> None:
    """Raise InputError unless the network maps images of this size to logits. Nothing is computed (meta device)."""
    import timm  # slow to import

    try:
        with torch.device("meta"):
            network = timm.create_model(name, **options).eval()
            shape = network(torch.zeros(1, options["in_chans"], size, size)).shape
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"params.yaml: input_size: {name} does not support {size}×{size} images ({reason}); "
            f"its default size is {default}"
        ) from None
    if shape != (1, options["num_classes"]):
        raise InputError(f"params.yaml: model: timm/{name} is not a classifier; choose another model")
    patches = next((module for module in network.modules() if isinstance(module, timm.layers.PatchEmbed)), None)
    if patches is not None:
        check_patches(name, size, patches.patch_size[0])


def _weights_file(repository: str) -> str:
    """Return the path of the weights in the hub's local cache, after a download if they are not in it yet."""
    import huggingface_hub as hub  # slow to import

    try:
        return hub.hf_hub_download(repository, "model.safetensors", local_files_only=True)
    except hub.errors.LocalEntryNotFoundError:
        # Without a connection this fails at once, while a download is retried for half a minute.
        hub.get_hf_file_metadata(hub.hf_hub_url(repository, "model.safetensors"))
        return hub.hf_hub_download(repository, "model.safetensors")
