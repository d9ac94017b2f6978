"""Pictures as readers give them, and their conversion to faces of the pipeline's size and channels."""

import hashlib
from typing import NamedTuple

from stages.datasets.crop import crop_face
from stages.datasets.decoding import decode, from_text, in_mode, in_size


class Picture(NamedTuple):
    """One labelled image of a data set, not yet decoded.

    Attributes:
        file: path within the archive; for a table, its name and line ("fer2013.csv:2").
        label: one of `LABELS`.
        content: the bytes of an image file, or a text with the grey levels (0 to 255) of a square image, row by row
            and separated by spaces; None if the file is too large to read.
        subject: identifier of the person, or "" if unknown.
        sequence: identifier of the video or film, or "" if unknown.
        official: the data set's own part, "train", "val" or "test"; "" if it has none.
        crop: whether the image shows more than a face, which is then cut out.
    """

    file: str
    label: str
    content: bytes | str | None
    subject: str = ""
    sequence: str = ""
    official: str = ""
    crop: bool = False


class Rejected(NamedTuple):
    """A member of an archive that does not become a face.

    Attributes:
        file: path within the archive, as in `Picture`.
        reason: why it does not.
        lost: whether it should have become one, as far as is known: many of them mean that the archive is damaged or
            is not read right.
    """

    file: str
    reason: str
    lost: bool = False


class Face(NamedTuple):
    """A decoded, cropped and resized picture.

    Attributes:
        file: as in `Picture`; so are label, subject, sequence and official.
        crop: how the face was cut out: "detected", "fallback", or "" if the image was not cropped.
        sha256: hash of the decoded pixels before cropping and resizing.
        pixels: uint8 values, H×W (grey) or H×W×3 (RGB), in C order; bytes are faster to send between processes than
            arrays.
    """

    file: str
    label: str
    subject: str
    sequence: str
    official: str
    crop: str
    sha256: str
    pixels: bytes


def prepare(picture: Picture, size: int, channels: int) -> Face | Rejected:
    """Decode a picture, cut out its face where it shows more, and resize it (bicubic, with antialiasing).

    Args:
        picture: the picture.
        size: side of the face in pixels.
        channels: 1 (grey) or 3 (RGB).

    Returns:
        The face, or the reason why the picture cannot be decoded.
    """
    try:
        image = from_text(picture.content) if isinstance(picture.content, str) else decode(picture.content, channels)
    except ValueError as error:
        return Rejected(picture.file, str(error), lost=True)
    image = in_mode("L" if channels == 1 else "RGB", image)
    sha256 = hashlib.sha256(image.tobytes()).hexdigest()
    face, crop = crop_face(image, size, channels) if picture.crop else (in_size(image, size), "")
    return Face(
        picture.file,
        picture.label,
        picture.subject,
        picture.sequence,
        picture.official,
        crop,
        sha256,
        face.tobytes(),
    )
