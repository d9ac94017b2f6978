"""The one boundary at which errors of the libraries that read archives become errors for people."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stages.archives.names import shorten
from stages.base.errors import InputError


@contextmanager
def damage_as_input_error(name: str, progress: Callable[[], str] = str) -> Iterator[None]:
    """Turn any error of a library into an InputError.

    Args:
        name: name of the archive or of its member, for the message.
        progress: returns what had been read before, for the message.

    Raises:
        InputError: the block raised an exception: the file is damaged, or (an OSError with a number) cannot be read.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # zipfile, tarfile, zlib, bz2 and lzma raise a dozen kinds for bytes that are damaged
        name = shorten(name)
        reason = " ".join((str(error) or type(error).__name__).split())[:120].rstrip(":")
        read = f"; {progress()}" if progress() else ""
        if isinstance(error, OSError) and error.errno:
            raise InputError(f"{name}: {error.strerror} ({error.filename or 'while it was read'}){read}") from None
        raise InputError(
            f"{name}: truncated, damaged or not an archive ({reason}){read}; download or copy the file again"
        ) from None
