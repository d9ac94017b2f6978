"""Any architecture of timm, by timm's name."""

import re
from difflib import get_close_matches

import torch
from safetensors import SafetensorError
from torch import nn

from stages.base.errors import InputError
from stages.models.weights import not_had


def build(name: str, classes: int, channels: int, size: int, dropout: float | None, imagenet: bool) -> nn.Module:
    """Timm's network `name`, with `dropout` where timm's `drop_rate` puts it, at timm's own rate where it is None.

    ImageNet weights are timm's default ones; timm sums the stem's kernels over RGB for grey images, and resamples
    position embeddings for images of another size. What is in the cache is not asked for again.
    Raises InputError where timm has no such network, it cannot take images of that size, or weights cannot be had.
    """
    import timm  # two seconds, which the other architectures need not wait

    known = timm.list_models()
    if name not in known:
        close = " or ".join(f"timm/{near}" for near in get_close_matches(name, known, n=3))
        hint = f"did you mean {close}?" if close else "timm.list_models() lists those that there are"
        raise InputError(f"params.yaml: model: timm has no architecture {name!r}: {hint}")
    source = timm.get_pretrained_cfg(name)
    options = {"in_chans": channels, "num_classes": classes, "drop_rate": dropout}
    if source.fixed_input_size:
        options["img_size"] = size
    _check(name, size, source.input_size[-1], options)
    if not imagenet:
        return timm.create_model(name, **options)
    if not (source.hf_hub_id and re.search(r"inw?\d+k", source.tag or "")):  # as timm tags what saw ImageNet
        raise InputError(
            f"params.yaml: init: timm's hub has no ImageNet weights of {name}; take another, or init: random"
        )
    from huggingface_hub.errors import HTTPError

    try:
        overlay = {"file": _fetch(source.hf_hub_id)}
        return timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
    except (OSError, HTTPError, SafetensorError, ValueError, RuntimeError) as error:
        raise not_had(name, error) from None


def _check(name: str, size: int, usual: int, options: dict) -> None:
    """Raise InputError unless the network maps an image of that size to logits, found out without computing them."""
    import timm

    try:
        with torch.device("meta"):
            network = timm.create_model(name, **options).eval()
            shape = network(torch.zeros(1, options["in_chans"], size, size)).shape
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(
            f"params.yaml: input_size: {name} cannot take {size}×{size} images ({reason}); {usual} is its usual size"
        ) from None
    if shape != (1, options["num_classes"]):
        raise InputError(f"params.yaml: model: timm/{name} is no classifier; take another")
    patches = next((m for m in network.modules() if isinstance(m, timm.layers.PatchEmbed)), None)
    if patches is not None:
        whole_patches(name, size, patches.patch_size[0])


def whole_patches(name: str, size: int, patch: int) -> None:
    if size % patch:  # timm would leave the rest of the face out without a word
        right = max(round(size / patch), 1) * patch
        raise InputError(
            f"params.yaml: input_size: {name} cuts faces into patches of {patch} pixels, which {size} is no multiple "
            f"of: {right} is near"
        )


def _fetch(repository: str) -> str:
    """The path of the weights in the hub's cache, where they are downloaded to if they are not there."""
    import huggingface_hub as hub

    try:
        return hub.hf_hub_download(repository, "model.safetensors", local_files_only=True)
    except hub.errors.LocalEntryNotFoundError:
        # Fails at once where there is no hub; a download tries again for half a minute.
        hub.get_hf_file_metadata(hub.hf_hub_url(repository, "model.safetensors"))
        return hub.hf_hub_download(repository, "model.safetensors")
