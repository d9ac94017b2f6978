"""Decoding of images of any kind, and of pixels that are written as text, to 8 bits a channel."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms, ImageOps

# By Pillow's own decoders; formats that call other programs (EPS) or are recognised by little are left out.
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "DIB", "GIF", "PPM", "WEBP", "JPEG2000", "AVIF")
MAX_PIXELS = 2**24  # checked before decoding: a small file can claim any size
DEEP = ("I", "F")  # Pillow's modes with more than 8 bits a channel, and those that begin with "I;16"

warnings.filterwarnings("ignore", module="PIL")  # about damaged pictures, which are rejected with a reason


def decode(content: bytes | None, channels: int, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Return the image in a file, upright and opaque, in mode L (1 channel) or RGB (3 channels).

    Args:
        content: the bytes of the file; None if it is too large to read.
        channels: 1 (grey) or 3 (RGB).
        max_pixels: largest number of pixels.

    Raises:
        ValueError: this is no image, or one that Pillow cannot decode; the message says why.
    """
    if content is None:
        raise ValueError("larger than any picture of a face")
    with _pillow_errors_as_value_error():
        image: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
    if image.width * image.height > max_pixels:
        raise ValueError(f"a picture of {image.width}x{image.height} pixels is too large")
    with _pillow_errors_as_value_error():
        image.load()
        if "exif" in image.info:  # of a TIFF file, Pillow itself applies the orientation
            with suppress(Exception):  # damaged EXIF data: the image is left as it is
                ImageOps.exif_transpose(image, in_place=True)
        if image.mode in DEEP or image.mode.startswith("I;16"):
            image = _from_deep(np.asarray(image))
        elif image.mode == "LAB":
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, ImageCms.createProfile("LAB"), srgb, outputMode="RGB") or image
        elif image.has_transparency_data:
            image = _opaque(image, channels)
        return in_mode("L" if channels == 1 else "RGB", image)


def in_mode(mode: str, image: Image.Image) -> Image.Image:
    """Return the image in a mode; without a copy if it is in it."""
    return image if image.mode == mode else image.convert(mode)


def in_size(image: Image.Image, size: int) -> Image.Image:
    """Return the image with `size`×`size` pixels, resized with antialiasing; without a copy if it has them.

    An oblong image keeps its proportions: it is centred, and its outermost pixels are repeated on both sides.
    """
    if image.size == (size, size):
        return image
    width, height = (max(round(side * size / max(image.size)), 1) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    if width == height:
        return resized
    left, top = (size - width) // 2, (size - height) // 2
    margins = [(top, size - height - top), (left, size - width - left)]
    pixels = np.asarray(resized)
    return Image.fromarray(np.pad(pixels, margins + [(0, 0)] * (pixels.ndim - 2), mode="edge"))


@contextmanager
def _pillow_errors_as_value_error() -> Iterator[None]:
    try:
        yield
    except _Refused as error:
        raise ValueError(str(error)) from None
    except Image.DecompressionBombError:
        raise ValueError("a picture of far too many pixels") from None
    except Exception:  # Pillow raises a dozen kinds for bytes that are damaged
        raise ValueError("not a picture, or cut short") from None


class _Refused(Exception):  # noqa: N818 (not an error of the program)
    """An image that is decoded, but shows nothing."""


def from_text(content: str) -> Image.Image:
    """Return a square image from its grey levels, 0 to 255, row by row and separated by spaces.

    Raises:
        ValueError: the text is something else; the message says what.
    """
    with warnings.catch_warnings(action="error"):  # NumPy only warns about text that is not a number
        try:
            numbers = np.fromstring(content, dtype=np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            numbers = _from_other_text(content)
    side = int(len(numbers) ** 0.5)
    if side == 0 or side * side != len(numbers):
        raise ValueError(f"{len(numbers)} pixels are not a square")
    if numbers.min() < 0 or numbers.max() > 255:
        raise ValueError("its pixels are not all from 0 to 255")
    return Image.fromarray(numbers.astype(np.uint8).reshape(side, side))


def _from_other_text(content: str) -> np.ndarray:
    """Return numbers that are written with brackets, commas or decimal points, if they are whole numbers."""
    try:
        numbers = np.array(re.sub(r"[\[\](),;]", " ", content).split(), dtype=float)
    except ValueError:
        numbers = np.array([np.nan])
    if not np.array_equal(numbers, np.round(numbers)):
        raise ValueError("its pixels are not all whole numbers")
    return numbers


def _from_deep(values: np.ndarray) -> Image.Image:
    """Return an image of more than 8 bits as one of 8 bits, by the range that its values are in."""
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise _Refused("a picture with values that are not finite")
    low, high = values.min(), values.max()
    whole = np.array_equal(values, np.round(values))
    if low < 0 and low >= -1 and high <= 1 and not whole:
        values = (values + 1) / 2 * 255
    elif low < 0 or high > 65535:
        values = (values - low) / max(high - low, 1e-12) * 255
    elif high <= 1 and not whole:
        values = values * 255
    elif high > 255:  # 10 or 12 bits, as cameras give them, if no value needs more; a face is never that dark in 16
        bits = next(bits for bits in (10, 12, 16) if high < 2**bits)
        values = values / (2**bits - 1) * 255
    return Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))


def _opaque(image: Image.Image, channels: int) -> Image.Image:
    """Return an image without transparency: composed on the mean colour of what is opaque in it."""
    image = image.convert("RGBA" if channels == 3 or image.mode not in ("L", "LA", "La") else "LA")
    *colours, alpha = image.split()
    share = np.asarray(alpha) / 255
    if not share.any():
        raise _Refused("a picture that is wholly transparent")
    bands = [_on_its_mean(band, share) for band in colours]
    return bands[0] if len(bands) == 1 else Image.merge("RGB", bands)


def _on_its_mean(band: Image.Image, share: np.ndarray) -> Image.Image:
    composed = np.asarray(band) * share
    composed += composed.sum() / share.sum() * (1 - share)
    return Image.fromarray(np.round(composed, out=composed).astype(np.uint8))
