"""What is said where ImageNet weights cannot be downloaded."""

from stages.base.errors import InputError


def not_had(name: str, error: Exception) -> InputError:
    """The InputError for the ImageNet weights of the architecture `name`, whose download ended in `error`."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        f"params.yaml: init: the ImageNet weights of {name} could not be had ({reason}); "
        "connect once to download them, or set init: random"
    )
