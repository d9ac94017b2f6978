"""The page that runs a model, built from a small model, on a web server of this machine."""

import os
import threading
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.small_model import write_model
from stages.base.errors import InputError
from stages.models.saved_model import load
from stages.publishing import page, runtime
from stages.publishing.graph import Calibrated, face_shape
from stages.publishing.metadata import metadata
from stages.publishing.onnx_file import write_onnx

SOURCES = {"sources": {"ck48": {"licence": "CC0-1.0", "drawn": True}}}


def build(folder: Path, channels: int) -> None:
    """Write the model and the page, data/model and data/page, into a folder, as the stages do; skip without npm."""
    network, config = load(write_model(folder / "data/model", channels))
    facts = config | SOURCES | {"recipe": config["recipe"] | {"init": "random"}}
    (folder / "data/export").mkdir()
    write_onnx(Calibrated(network, config), face_shape(config), metadata(facts), folder / "data/export/model.onnx")
    with chdir(folder):
        try:
            runtime.main()
        except InputError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        page.main()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
