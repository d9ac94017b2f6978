"""Reading of the faces of one data set."""

from collections.abc import Collection, Iterator
from pathlib import Path

from stages.base.errors import InputError
from stages.datasets.archive import Archive
from stages.datasets.parallel import prepare_all
from stages.datasets.picture import Face, Picture, Rejected
from stages.datasets.readers import READERS


def read_faces(
    dataset: str, folder: Path, labels: Collection[str], size: int, channels: int
) -> Iterator[Face | Rejected]:
    """Read, crop and resize the faces of a data set.

    Args:
        dataset: a key of `READERS`.
        folder: folder with the data set's archives.
        labels: the labels to keep; images with another label are rejected without being decoded.
        size: side of a face in pixels.
        channels: 1 (grey) or 3 (RGB).

    Yields:
        For each image and each other member of the archives, in archive order: the face, or the reason why it was
        rejected.

    Raises:
        InputError: an archive is damaged, contains an unknown label, or has no face of this data set.
    """
    reader, archive = READERS[dataset], Archive(folder)
    items = (_reject_other_labels(item, labels) for item in reader.read(archive))
    first_rejected, has_faces = None, False
    for item in prepare_all(items, reader.crop, size, channels):
        if isinstance(item, Face):
            has_faces = True
        else:
            first_rejected = first_rejected or item
        yield item
    if not has_faces:
        reason = f"for example {first_rejected.file}: {first_rejected.reason}" if first_rejected else "it is empty"
        raise InputError(f"{archive}: contains no face of {dataset} ({reason}); expected layout: {reader.LAYOUT}")


def _reject_other_labels(item: Picture | Rejected, labels: Collection[str]) -> Picture | Rejected:
    if isinstance(item, Picture) and item.label not in labels:
        return Rejected(item.file, f"label {item.label} is not among data.labels")
    return item
