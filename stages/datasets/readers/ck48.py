"""CK+: the last three frames of each labelled sequence, as CK+48 (cropped to the face, 48×48 pixels) or as full frames.

Lucey et al., "The Extended Cohn-Kanade Dataset (CK+): A complete dataset for action unit and emotion-specified
expression", CVPR Workshops 2010.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath

from stages.archives.archive import Archive
from stages.archives.member import Member
from stages.base.errors import InputError
from stages.datasets.labels import harmonise, unknown_label
from stages.datasets.layout import FILE_NAMES, reject, told_label
from stages.datasets.picture import Picture, Rejected
from stages.datasets.readers.face_table import read_header

LAYOUT = (
    "CK+48/<emotion>/S010_004_00000017.png, or cohn-kanade-images/S010/004/S010_004_00000017.png with "
    "Emotion/S010/004/S010_004_00000017_emotion.txt; S010 is the subject"
)
PUBLISHED = {
    "": {"anger": 135, "contempt": 54, "disgust": 177, "fear": 75, "happy": 207, "sadness": 84, "surprise": 249},
}
CODES = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
PEAK_FRAMES = 3  # of a sequence, which runs from neutral to the peak of the emotion; CK+48 has the same ones
NAME = FILE_NAMES["ck48"]


def read(archive: Archive) -> Iterator[Picture | Rejected]:
    """Read the images of CK+.

    Label: in CK+48, the name of the folder; in the authors' own archives, the code in the sequence's `_emotion.txt`,
    and then the face is cut out of the frame. Subject: first part of the file name (`S010`). Sequence: first two parts
    of the file name (`S010_004`). Official part: none.

    Args:
        archive: the data set as distributed.

    Yields:
        Each image as a `Picture`, and each other member as `Rejected`.

    Raises:
        InputError: a label is unknown, or the archive is damaged.
    """
    emotions, peaks = _read_sequences(archive)
    for member in archive:
        if _is_emotion_file(member):
            if _sequence(member) not in peaks:
                yield Rejected(member.name, "a label of a sequence without pictures", lost=True)
            continue
        if rejected := reject(member, "ck48"):
            if member.kind() == "text" and read_header(member).pixels is not None:
                rejected = Rejected(member.name, "a table that tells no subject, so that it cannot be split", lost=True)
            yield rejected
        elif not (match := NAME.match(member.file)):
            yield Rejected(member.name, f"no subject is known: not named as {LAYOUT}", lost=True)
        elif label := told_label(member):
            yield Picture(member.name, label, member.read(), match[1].upper(), _sequence(member))
        elif not emotions:
            raise InputError(_without_label(member))
        elif _sequence(member) not in emotions:
            yield Rejected(member.name, "a frame of a sequence without a label")
        elif _frame(member) not in peaks[_sequence(member)]:
            yield Rejected(member.name, f"not one of the last {PEAK_FRAMES} frames of its sequence")
        else:
            sequence = _sequence(member)
            yield Picture(member.name, emotions[sequence], member.read(), match[1].upper(), sequence, crop=True)


def _read_sequences(archive: Archive) -> tuple[dict[str, str], dict[str, list[int]]]:
    """Return sequence → label as the authors' text files state it, and sequence → numbers of its last frames."""
    emotions: dict[str, str] = {}
    peaks: defaultdict[str, list[int]] = defaultdict(list)
    for member in archive:
        if _is_emotion_file(member):
            text = " ".join(field for _, row in member.rows(archive.limits.members) for field in row)
            emotions[_sequence(member)] = harmonise(text, member.name, CODES)
        elif NAME.match(member.file) and member.kind() == "picture":
            frames = peaks[_sequence(member)]
            peaks[_sequence(member)] = heapq.nlargest(PEAK_FRAMES, {*frames, _frame(member)})
    return emotions, peaks


def _without_label(member: Member) -> str:
    folder = member.folders[-1] if member.folders else ""
    if not folder or folder.isdigit():
        return f"{member.name}: no label is here; put Emotion_labels.zip of CK+ beside it, in one folder"
    return f"{member.name}: {unknown_label(folder)}"


def _is_emotion_file(member: Member) -> bool:
    path = PurePosixPath(member.file.lower())
    return bool(NAME.match(member.file)) and path.suffix == ".txt" and path.stem.endswith("_emotion")


def _sequence(member: Member) -> str:
    match = NAME.match(member.file)
    assert match is not None
    return f"{match[1].upper()}_{match[2]}"


def _frame(member: Member) -> int:
    match = NAME.match(member.file)
    assert match is not None
    return int(match[3])
