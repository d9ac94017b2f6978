"""From one data set's archive to its faces."""

from collections.abc import Iterator
from pathlib import Path

from stages.base.errors import InputError
from stages.datasets.archive import Archive
from stages.datasets.parallel import prepare_all
from stages.datasets.picture import Face, Picture, Rejected
from stages.datasets.readers import READERS


def read_faces(dataset: str, folder: Path, labels: list[str], size: int, channels: int) -> Iterator[Face | Rejected]:
    """Every member of the archives in `folder`, in their order, as a face or as rejected with a reason.

    A face whose label is not among `labels` is rejected unread.
    Raises InputError where an archive is damaged, holds an unknown label, or not one face of this data set.
    """
    reader, archive = READERS[dataset], Archive(folder)
    items = (_wanted(item, labels) for item in reader.read(archive))
    first, found = None, False
    for item in prepare_all(items, reader.crop, size, channels):
        first, found = first or item, found or isinstance(item, Face)
        yield item
    if not found:
        why = f"for example {first.file}: {first.reason}" if first else "it is empty"
        raise InputError(f"{archive}: no face of {dataset} in it ({why}); its layout should be {reader.LAYOUT}")


def _wanted(item: Picture | Rejected, labels: list[str]) -> Picture | Rejected:
    if isinstance(item, Picture) and item.label not in labels:
        return Rejected(item.file, f"label {item.label} is not among data.labels")
    return item
