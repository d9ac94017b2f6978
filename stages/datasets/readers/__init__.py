"""The readers, one module for each data set. A new data set needs one module here and one entry in `READERS`."""

from collections.abc import Iterator
from typing import Protocol

from stages.archives.archive import Archive
from stages.datasets.picture import Picture, Rejected
from stages.datasets.readers import ck48, fer2013, ferplus, jaffe, rafdb, sfew


class Reader(Protocol):
    """What each module provides.

    Attributes:
        LAYOUT: the expected paths within the archive, for error messages.
        PUBLISHED: official part ("" if the data set has none) → label → number of images in the distributed
            archive; a part without numbers if they are not known.
    """

    LAYOUT: str
    PUBLISHED: dict[str, dict[str, int]]

    def read(self, archive: Archive) -> Iterator[Picture | Rejected]:
        """Read the images and labels of the data set, one member at a time.

        Args:
            archive: the data set as distributed.

        Yields:
            Each image as a `Picture`, and each other member as `Rejected`. Files that only list labels are read, but
            not yielded.

        Raises:
            InputError: a label is unknown, or the archive is damaged.
        """
        ...


READERS: dict[str, Reader] = {
    "ck48": ck48,
    "jaffe": jaffe,
    "sfew": sfew,
    "fer2013": fer2013,
    "ferplus": ferplus,
    "rafdb": rafdb,
}
