"""Pictures of every mode and depth become upright, opaque pictures of 8 bits, or are rejected."""

import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image, ImageCms

from helpers.archives import image, saved
from stages.datasets.decoding import MAX_PIXELS, decode, from_text, in_size
from stages.datasets.picture import Face, Picture, Rejected, prepare

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pytest shows what `decoding` turns off
GRADIENT = np.add.outer(np.arange(40), np.arange(60) * 3).astype(np.uint8) + 10  # 40×60, from 10 to 226
GREY = Image.fromarray(GRADIENT)
COLOUR = Image.merge("RGB", [GREY, GREY.point(lambda value: 255 - value), GREY])
EXIF_ORIENTATION = 0x0112


def decoded(content: bytes, channels: int = 1) -> np.ndarray:
    return np.asarray(decode(content, channels)).astype(int)


def refused(content: bytes) -> str:
    item = prepare(Picture("a.png", "fear", content), 48, 1)
    assert isinstance(item, Rejected) and item.lost
    return item.reason


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP", "GIF", "PPM", "WEBP", "JPEG", "JPEG2000", "AVIF"])
def test_pictures_of_any_type_are_read(form: str):
    assert np.abs(decoded(saved(GREY, form)) - GRADIENT).mean() < 6
    if form != "GIF":
        assert np.abs(decoded(saved(COLOUR, form), 3) - np.asarray(COLOUR)).mean() < 6


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (GRADIENT.astype(np.uint16) * 257, "PNG"),
        (GRADIENT.astype(np.uint16) * 257, "TIFF"),
        (GRADIENT.astype(np.uint16) * 16, "PNG"),  # 12 bits
        (GRADIENT.astype(np.uint16) * 4, "TIFF"),  # 10 bits
        (GRADIENT.astype(np.uint16), "PNG"),  # 8 bits in 16
        (GRADIENT.astype(np.int32) * 257, "TIFF"),
        (GRADIENT.astype(np.float32), "TIFF"),
        (GRADIENT.astype(np.float32) / 255, "TIFF"),
        (GRADIENT.astype(np.float32) / 127.5 - 1, "TIFF"),
    ],
)
def test_deep_pictures_are_scaled_by_their_range(values: np.ndarray, form: str):
    assert np.abs(decoded(saved(Image.fromarray(values), form)) - GRADIENT).max() <= 1


def test_a_picture_of_any_other_range_is_stretched():
    values = GRADIENT.astype(np.float32) * 1e6 - 5e7
    pixels = decoded(saved(Image.fromarray(values), "TIFF"))
    assert pixels.min() == 0 and pixels.max() == 255 and np.corrcoef(pixels.ravel(), GRADIENT.ravel())[0, 1] > 0.999


def test_a_picture_with_values_that_are_not_finite_is_rejected():
    values = GRADIENT.astype(np.float32)
    values[0, 0] = np.nan
    assert refused(saved(Image.fromarray(values), "TIFF")) == "a picture with values that are not finite"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_orientation_in_exif_data_is_applied(orientation: int, form: str):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored = GREY.transpose(turns[orientation]) if orientation in turns else GREY
    pixels = decoded(saved(stored, form, exif=exif))
    assert pixels.shape == GRADIENT.shape and np.abs(pixels - GRADIENT).mean() < 6


def test_damaged_exif_data_leave_the_picture_as_it_is():
    content = saved(GREY, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    assert decoded(content).shape == GRADIENT.shape


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_what_is_transparent_is_the_mean_of_what_is_not(mode: str, form: str):
    alpha = np.full(GRADIENT.shape, 255, np.uint8)
    alpha[:, :20] = 0
    hidden = np.where(alpha == 0, 255, GRADIENT).astype(np.uint8)
    picture = Image.fromarray(hidden).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    pixels = decoded(saved(picture, form))
    assert np.abs(pixels[:, 20:] - GRADIENT[:, 20:]).max() <= 1
    assert np.abs(pixels[:, :20] - GRADIENT[:, 20:].mean()).max() <= 1


def test_transparent_colours_of_grey_and_palette_pictures():
    values = GRADIENT.copy()
    values[:10] = 255
    rest = GRADIENT[10:].mean()
    grey = decoded(saved(Image.fromarray(values), "PNG", transparency=255))
    assert np.abs(grey[:10] - rest).max() <= 1 and (grey[10:] == GRADIENT[10:]).all()
    palette = Image.fromarray(values).convert("P")
    assert np.abs(decoded(saved(palette, "PNG", transparency=255))[:10] - rest).max() <= 1


def test_a_transparent_picture_of_any_size_takes_less_than_a_gigabyte():
    content = saved(Image.new("RGBA", (1024, 1024), (9, 9, 9, 128)), "PNG")
    tracemalloc.start()
    decode(content, 3)
    peak = tracemalloc.get_traced_memory()[1]  # Pillow's own 12 bytes a pixel are not counted
    tracemalloc.stop()
    assert peak / 2**20 * MAX_PIXELS < 6e8


def test_a_wholly_transparent_picture_is_rejected():
    picture = GREY.convert("LA")
    picture.putalpha(0)
    assert refused(saved(picture, "PNG")) == "a picture that is wholly transparent"


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr", "LAB", "RGB"])
def test_pictures_of_any_mode_are_read(mode: str):
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(COLOUR, *profiles, outputMode="LAB")
    else:
        picture = COLOUR.convert(mode)
    pixels = decoded(saved(picture, "TIFF"), 3)
    if mode not in ("1", "P", "L"):
        assert np.abs(pixels - np.asarray(COLOUR)).mean() < 8
    assert decoded(saved(picture, "TIFF")).shape == GRADIENT.shape


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not a picture, or cut short"),
        (b"<html>", "not a picture, or cut short"),
        (image()[:900], "not a picture, or cut short"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture, or cut short"),
        (saved(Image.new("L", (5000, 5000)), "PNG"), "a picture of 5000x5000 pixels is too large"),
        (None, "larger than any picture of a face"),
    ],
)
def test_what_cannot_be_decoded_is_rejected_with_the_reason(content: bytes | None, reason: str):
    assert refused(content) == reason


def test_a_tiff_tag_of_the_wrong_type_is_rejected_or_read():
    content = saved(GREY.convert("P"), "TIFF")
    directory = struct.unpack_from("<L", content, 4)[0]
    for entry in range(struct.unpack_from("<H", content, directory)[0]):
        for kind in range(1, 14):
            changed = bytearray(content)
            struct.pack_into("<H", changed, directory + 2 + 12 * entry + 2, kind)
            assert isinstance(prepare(Picture("a", "fear", bytes(changed)), 48, 1), Face | Rejected)


@pytest.mark.parametrize("text", ["1 2 3 4", "[1 2 3 4]", "1,2,3,4", "1.0 2.0 3.0 4.0", " 1  2\t3 4 "])
def test_pixels_are_read_in_every_usual_form(text: str):
    assert np.asarray(from_text(text)).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 2 3", "not a square"), ("", "not a square"), ("1 2 3 256", "from 0 to 255"), ("1 2 3 -1", "from 0 to 255"),
        ("1 2 3 x", "whole numbers"), ("1 2 3 1.5", "whole numbers"), ("1 2 3 nan", "whole numbers"),
        ("1 2 3 1e300", "from 0 to 255"), ("1 2 3 99999999999999999999999", "from 0 to 255"),
    ],
)  # fmt: skip
def test_other_text_is_rejected_with_the_reason(text: str, reason: str):
    with pytest.raises(ValueError, match=reason):
        from_text(text)


@pytest.mark.parametrize("picture", [GREY, COLOUR, GREY.transpose(Image.Transpose.ROTATE_90)])
def test_an_oblong_picture_keeps_its_proportions_and_repeats_its_edges(picture: Image.Image):
    square = np.asarray(in_size(picture, 48))
    wide = square if picture.width > picture.height else square.swapaxes(0, 1)
    inside = np.asarray(picture.resize([round(48 * side / 60) for side in picture.size], Image.Resampling.BICUBIC))
    inside = inside if picture.width > picture.height else inside.swapaxes(0, 1)
    assert square.shape[:2] == (48, 48) and (wide[8:40] == inside).all()
    assert (wide[:8] == inside[:1]).all() and (wide[40:] == inside[-1:]).all()


@pytest.mark.parametrize("size", [(1, 4096), (4096, 1), (1, 1), (47, 48)])
def test_a_picture_of_any_shape_becomes_a_square(size: tuple[int, int]):
    assert in_size(Image.new("L", size, 90), 48).tobytes() == bytes([90]) * 48 * 48
