"""Reading of the faces of one data set."""

from collections.abc import Collection, Iterator
from pathlib import Path

from stages.archives.archive import Archive
from stages.base.errors import InputError
from stages.datasets.parallel import prepare_all
from stages.datasets.picture import Face, Picture, Rejected
from stages.datasets.readers import READERS
from stages.params.data import Data


def read_faces(dataset: str, folder: Path, data: Data) -> Iterator[Face | Rejected]:
    """Read, crop and resize the faces of a data set.

    Args:
        dataset: a key of `READERS`.
        folder: folder with the data set's archives; `source.json` in it is none.
        data: section `data`. Images with a label that is not in it are rejected without being decoded.

    Yields:
        For each image and each other member of the archives, in archive order: the face, or the reason why it was
        rejected.

    Raises:
        InputError: an archive is damaged, contains an unknown label or more than `data.limits` allow, or has no face of
            this data set.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "source.json")
    reader, archive = READERS[dataset], Archive(*files, limits=data.limits)
    items = (_reject_other_labels(item, data.labels) for item in reader.read(archive))
    first_rejected, rejected, has_faces = None, 0, False
    for item in prepare_all(items, data.size, data.channels):
        if isinstance(item, Face):
            has_faces = True
        else:
            first_rejected = first_rejected if first_rejected and first_rejected.lost >= item.lost else item
            rejected += 1
            if rejected > data.limits.rejected:
                raise InputError(
                    f"{archive}: more than {data.limits.rejected:,} files or rows that are no faces, for example "
                    f"{item.file}: {item.reason}; if it is the right archive, raise data.limits.rejected"
                )
        yield item
    if not has_faces:
        reason = f"for example {first_rejected.file}: {first_rejected.reason}" if first_rejected else "it is empty"
        raise InputError(f"{archive}: contains no face of {dataset} ({reason}); expected layout: {reader.LAYOUT}")


def _reject_other_labels(item: Picture | Rejected, labels: Collection[str]) -> Picture | Rejected:
    if isinstance(item, Picture) and item.label not in labels:
        return Rejected(item.file, f"label {item.label} is not among data.labels")
    return item
