"""What kind of file some bytes begin, decided by content in a fixed order and never by the file's name."""

import tarfile

HEAD = 4096  # bytes that `sniff` needs

CONTAINERS = {
    "zip": (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK", b"PK00PK"),
    "gzip": (b"\x1f\x8b",),
    "bzip2": tuple(b"BZh%d" % level + magic for level in range(1, 10) for magic in (b"1AY&SY", b"\x17rE8P\x90")),
    "xz": (b"\xfd7zXZ\0", b"]\0\0"),
}
UNSUPPORTED = {
    "7z archive": (b"7z\xbc\xaf\x27\x1c",),
    "RAR archive": (b"Rar!\x1a\x07",),
    "Zstandard file": (b"\x28\xb5\x2f\xfd",),
    "LZ4 file": (b"\x04\x22\x4d\x18",),
    "lzip file": (b"LZIP",),
    "compress (.Z) file": (b"\x1f\x9d",),
    "cabinet file": (b"MSCF",),
    "pickle file, which could run code if it were read": tuple(b"\x80" + bytes([n]) for n in range(2, 6)),
    "HDF5 file": (b"\x89HDF\r\n\x1a\n",),
    "Parquet file": (b"PAR1",),
    "NumPy file": (b"\x93NUMPY",),
    "Excel file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",),
    "PDF file": (b"%PDF-",),
    "SQLite file": (b"SQLite format 3\0",),
}
PACKED = ("7z archive", "RAR archive", "Zstandard file", "LZ4 file", "lzip file", "compress (.Z) file", "cabinet file")
PICTURES = (
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51", *(b"P%d" % kind + space for kind in range(1, 7) for space in (b"\n", b" ", b"\r", b"\t")),
)  # fmt: skip
PICTURE_ENDINGS = {
    "png", "jpg", "jpeg", "jpe", "jfif", "tif", "tiff", "bmp", "dib", "gif", "pgm", "ppm", "pbm", "pnm", "webp", "jp2",
    "j2k", "avif",
}  # fmt: skip
UNICODE_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def sniff(head: bytes) -> str:
    """Return the kind of a file from its first `HEAD` bytes.

    Returns:
        A key of `CONTAINERS` or `UNSUPPORTED`, or "empty", "tar", "picture", "text" or "unknown".
    """
    if not head:
        return "empty"
    for kind, marks in (CONTAINERS | UNSUPPORTED).items():
        if head.startswith(marks):
            return kind
    if _is_tar(head):
        return "tar"
    if head.startswith(PICTURES) or (head[:4], head[8:12]) == (b"RIFF", b"WEBP") or head[4:12] == b"ftypavif":
        return "picture"
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "picture"
    return "text" if text_encoding(head) else "unknown"


def text_encoding(head: bytes) -> str | None:
    """Return the encoding of a text from its first bytes; None if it is no text.

    A byte order mark decides; without one, zero bytes in every second place mean UTF-16, and anything else without
    control characters is UTF-8 (`stages.archives.text` reads what is not valid as Latin-1).
    """
    if head.startswith(UNICODE_MARKS):
        if head.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        return "utf-32" if head[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff") else "utf-16"
    if len(head) >= 4:
        even, odd = head[::2], head[1::2]
        if odd.count(0) > 0.8 * len(odd) and 0 not in even:
            return "utf-16-le"
        if even.count(0) > 0.8 * len(even) and 0 not in odd:
            return "utf-16-be"
    return None if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head) else "utf-8"


def _is_tar(head: bytes) -> bool:
    if len(head) >= tarfile.BLOCKSIZE and not any(head):
        return True  # an empty tar is zeros only
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):
        return head[257:262] == b"ustar"  # one with a damaged first header
    return True
