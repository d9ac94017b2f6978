"""Reading of pictures in which faces are looked for."""

from pathlib import Path

import numpy as np

from stages.base.errors import InputError, cause
from stages.datasets.decoding import decode

MAX_BYTES = 2**28
MAX_PIXELS = 2**26  # more than the cameras of telephones have


def read_picture(path: Path) -> np.ndarray:
    """Return a picture, upright and opaque: uint8, H×W×3, RGB.

    Raises:
        InputError: there is no such file, it is no picture, or it is too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"has more than {MAX_BYTES:,} bytes")
        return np.asarray(decode(path.read_bytes(), 3, MAX_PIXELS))
    except OSError as error:
        raise InputError(cause(error)) from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None
