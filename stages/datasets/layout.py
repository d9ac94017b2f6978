"""What the path of an archive member tells, in any data set: another data set, a label, that it is no picture."""

import re
from collections.abc import Mapping, Sequence

from stages.archives.member import Member
from stages.archives.sniffing import UNSUPPORTED
from stages.datasets.labels import find_code, find_label, harmonise, with_codes
from stages.datasets.parts import find_part, nearest_part
from stages.datasets.picture import Rejected

# How the files of each data set are named, at the start of the name.
FILE_NAMES = {
    "ck48": re.compile(r"(S\d{2,4})_(\d{2,4})_(\d{4,})", re.IGNORECASE),
    "jaffe": re.compile(r"([A-Z]{2})[._ -](AN|DI|FE|HA|NE|SA|SU)\d+[._ -]", re.IGNORECASE),
    "sfew": re.compile(r"([^_-]+)[_-].*?\d{6,}[_-]+\d{6,}"),
    "fer2013": re.compile(r"(Training|PublicTest|PrivateTest)_\d+", re.IGNORECASE),
    "ferplus": re.compile(r"fer\d{7}", re.IGNORECASE),
    "rafdb": re.compile(r"((?:train|test)_\d+)_aligned", re.IGNORECASE),
}


def reject(member: Member, dataset: str) -> Rejected | None:
    """Return why a member is no picture of a data set; None if it can be one."""
    kind = member.kind()
    if kind in UNSUPPORTED:
        return Rejected(member.name, f"a {kind}; provide the image files")
    if kind != "picture":
        return Rejected(member.name, "not a picture")
    if not FILE_NAMES[dataset].match(member.file):
        for other, pattern in FILE_NAMES.items():
            if pattern.match(member.file):
                return Rejected(member.name, f"named as the pictures of {other}")
    return None


def told_label(member: Member, codes: Mapping[str, str] | Sequence[str] = ()) -> str | None:
    """Return the label that a member's folders tell, or None.

    It is that of the innermost folder that names an emotion; otherwise the name of the innermost folder can be a code.

    Args:
        member: the member.
        codes: as in `harmonise`.
    """
    for folder in reversed(member.folders):
        if label := find_label(folder):
            return label
    code = find_code(member.folders[-1]) if member.folders else None
    return with_codes(codes).get(code) if code else None


def folder_label(member: Member, codes: Mapping[str, str] | Sequence[str] = ()) -> str | None:
    """Return the label that a member's folders tell; None if they tell none and it lies in no folder of a class either.

    Args:
        member: the member.
        codes: as in `harmonise`.

    Raises:
        InputError: its folder lies in the folder of an official part, or its name is a number, but it tells no label.
    """
    label = told_label(member, codes)
    if label is None and member.folders:
        folder = member.folders[-1]
        if (nearest_part(member.folders[:-1]) and not find_part(folder)) or (codes and find_code(folder)):
            return harmonise(folder, member.name, codes)
    return label
