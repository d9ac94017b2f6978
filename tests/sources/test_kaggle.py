"""Kaggle downloads with the real client, in separate processes, from a Kaggle server on loopback."""

import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from helpers import kaggle_server
from helpers.project import ROOT

RUN = """
import json, sys, time
from pathlib import Path
from stages.base.errors import InputError
from stages.params.sources import Kaggle
from stages.sources import kaggle
kaggle.TIMEOUT = int(sys.argv[3])
time.sleep = lambda seconds, sleep=time.sleep: sleep(seconds / 50)  # shorter waits between retries
try:
    print(json.dumps(kaggle.fetch("ck48", Kaggle(**json.loads(sys.argv[1])), Path(sys.argv[2]))))
except InputError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""
CUT = 5 * 2**19  # 2.5 MiB: the client writes whole MiB
PINNED = {"dataset": "someone/faces", "version": 2}
CHALLENGE = {"competition": "a-challenge"}


def archive(seed: int) -> bytes:
    """A zip of about 4 MiB."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as out:
        out.writestr("noise.bin", random.Random(seed).randbytes(2**22))
    return content.getvalue()


ARCHIVES = [archive(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = kaggle_server.Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


class Process:
    """Runs `kaggle.fetch` in separate processes with their own home folder."""

    def __init__(self, server, home: Path) -> None:
        self.folder, self.home, self.server = home / "folder", home, server
        self.folder.mkdir()
        self.timeout = 20  # seconds
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "KAGGLE_API_TOKEN": kaggle_server.TOKEN,
            **server.environment,
        }

    def command(self, settings: dict) -> dict:
        command = [sys.executable, "-c", RUN, json.dumps(settings), str(self.folder), str(self.timeout)]
        return {"args": command, "cwd": ROOT, "env": self.environment}

    def start(self, **settings) -> subprocess.Popen:
        return subprocess.Popen(**self.command(settings), stderr=subprocess.PIPE, text=True)

    def run(self, settings: dict) -> subprocess.CompletedProcess:
        return subprocess.run(**self.command(settings), capture_output=True, text=True, timeout=60, check=False)

    def fetch(self, **settings) -> dict:
        done = self.run(settings)
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)  # nothing else on stdout

    def refuse(self, **settings) -> str:
        done = self.run(settings)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
        assert not list(self.folder.iterdir())
        return done.stderr

    def wait_for_part(self) -> None:
        """Wait until the cache has all that a server sends before it stalls at `CUT`."""
        end = time.monotonic() + 30
        while sum(path.stat().st_size for path in self.cached()) < 2**21:
            assert time.monotonic() < end
            time.sleep(0.01)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def cached(self) -> list[Path]:
        return [path for path in (self.home / "cache").rglob("*") if path.is_file()]


@pytest.fixture
def kaggle(server):
    """The server's state, with a data set of three versions and a competition."""
    server.kaggle = kaggle_server.Kaggle(
        datasets={"someone/faces": ARCHIVES[:3]},
        competitions={"a-challenge": ARCHIVES[3]},
        files={"a table.csv": b"emotion,pixels\n0,1 2 3\n"},
    )
    yield server.kaggle
    server.kaggle.released.set()


@pytest.fixture
def process(server, kaggle, tmp_path):
    return Process(server, tmp_path)


def test_a_data_set_is_written_unchanged(process, kaggle):
    source = process.fetch(dataset="someone/faces")
    assert source == {
        "source": "kaggle",
        "from": "dataset someone/faces",
        "version": 3,
        "licence": "CC0-1.0",
        "drawn": False,
        "date": "2024-12-03",
    }
    assert process.files() == {"faces.zip": ARCHIVES[2]}
    assert process.cached() == []
    assert dict(kaggle.requests)["DownloadDataset"]["datasetVersionNumber"] == 3


def test_a_pinned_version_is_downloaded(process, kaggle):
    source = process.fetch(**PINNED)
    assert (source["version"], source["date"]) == (2, "2023-12-02")
    assert process.files() == {"faces.zip": ARCHIVES[1]}


def test_without_a_list_of_versions_only_the_current_one_has_a_date(process, server, kaggle, tmp_path):
    kaggle.version_dates = []
    assert process.fetch(dataset="someone/faces")["date"] == "2025-01-04"
    (tmp_path / "pinned").mkdir()
    assert Process(server, tmp_path / "pinned").fetch(**PINNED)["date"] is None


def test_a_data_set_without_dates_has_none(process, kaggle):
    kaggle.version_dates, kaggle.last_updated = [], None
    assert process.fetch(dataset="someone/faces")["date"] is None


def test_one_file_of_a_data_set(process, kaggle):
    process.fetch(dataset="someone/faces", file="a table.csv")
    assert process.files() == {"a table.csv": kaggle.files["a table.csv"]}


def test_a_competition(process, kaggle):
    source = process.fetch(**CHALLENGE)
    assert (source["from"], source["version"], source["date"]) == ("competition a-challenge", None, None)
    assert source["licence"] == "see https://www.kaggle.com/competitions/a-challenge/rules"
    assert process.files() == {"a-challenge.zip": ARCHIVES[3]}


def test_one_file_of_a_competition(process, kaggle):
    process.fetch(**CHALLENGE, file="a table.csv")
    assert process.files() == {"a table.csv": kaggle.files["a table.csv"]}


def test_a_request_to_a_busy_server_is_repeated(process, kaggle):
    kaggle.refusals["GetDataset"] = [503, 502]
    process.fetch(**PINNED)


@pytest.mark.parametrize("fault", ["drop", "stall"])
def test_a_download_resumes_after_a_broken_connection(process, kaggle, fault):
    kaggle.faults = [(fault, CUT)]
    process.timeout = 4 if fault == "stall" else process.timeout
    process.fetch(**PINNED)
    assert kaggle.ranges()[-1] == f"bytes={2**21}-"
    assert process.files() == {"faces.zip": ARCHIVES[1]}


def test_the_next_run_resumes_the_download_of_a_killed_one(process, kaggle):
    kaggle.faults = [("stall", CUT)]
    running = process.start(**PINNED)
    process.wait_for_part()
    running.kill()
    running.communicate()
    assert process.files() == {}

    process.fetch(**PINNED)
    assert kaggle.ranges()[-1] == f"bytes={2**21}-"
    assert process.files() == {"faces.zip": ARCHIVES[1]}
    assert process.cached() == []


def test_the_next_run_resumes_after_a_lost_connection(process, kaggle):
    kaggle.faults = [("drop", CUT)] + [("drop", 0)] * 4
    assert "will resume where it stopped" in process.refuse(**PINNED)
    process.fetch(**PINNED)
    assert kaggle.ranges()[-1] == f"bytes={2**21}-"
    assert process.files() == {"faces.zip": ARCHIVES[1]}


def test_an_error_page_never_becomes_part_of_the_archive(process, kaggle):
    kaggle.faults = [("drop", CUT), ("status", 503), ("status", 503)]
    assert "is invalid" in process.refuse(**PINNED)
    process.fetch(**PINNED)
    assert process.files() == {"faces.zip": ARCHIVES[1]}


def test_two_simultaneous_downloads_do_not_interfere(process, server, kaggle, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    kaggle.faults = [("drop", CUT), ("drop", CUT)]
    second = Process(server, other)
    second.environment = process.environment
    (process.home / ".kaggle").mkdir()  # two clients that create it at the same time can fail
    running = second.start(**PINNED)
    process.fetch(**PINNED)
    assert running.communicate(timeout=60)[1] == ""
    assert process.files() == second.files() == {"faces.zip": ARCHIVES[1]}


def test_signing_in_with_a_key_file(process, kaggle):
    del process.environment["KAGGLE_API_TOKEN"]
    folder = process.home / "config"
    folder.mkdir()
    (folder / "kaggle.json").write_text(json.dumps({"username": kaggle_server.USER, "key": kaggle_server.KEY}))
    process.environment["KAGGLE_CONFIG_DIR"] = str(folder)
    process.fetch(**PINNED)
    assert "IntrospectToken" not in dict(kaggle.requests)


@pytest.mark.parametrize("token", [None, "an-old-token"])
def test_missing_or_rejected_credentials(process, token):
    if token is None:
        del process.environment["KAGGLE_API_TOKEN"]
    else:
        process.environment["KAGGLE_API_TOKEN"] = token
    error = process.refuse(**PINNED)
    assert "no Kaggle credentials" in error and "https://www.kaggle.com/settings/api" in error


@pytest.mark.parametrize(
    ("request_name", "status", "settings", "words"),
    [
        ("IntrospectToken", 401, PINNED, "rejects the credentials (401): create a token"),
        ("DownloadDataset", 401, PINNED, "rejects the credentials (401): create a token"),
        ("GetDataset", 403, PINNED, "accept its licence or rules at https://www.kaggle.com/datasets/someone/faces "),
        ("DownloadDataFiles", 403, CHALLENGE, "https://www.kaggle.com/competitions/a-challenge/rules"),
        ("DownloadDataset", 404, PINNED, "no dataset someone/faces, version 2 (404): correct sources.kaggle.ck48"),
        ("GetDataset", 503, PINNED, "HTTP 503"),
        ("DownloadDataFiles", 429, CHALLENGE, "HTTP 429"),
    ],
)
def test_an_error_status_gives_a_message_that_says_what_to_do(process, kaggle, request_name, status, settings, words):
    kaggle.refusals[request_name] = [status] * 9
    assert words in process.refuse(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dataset": "someone/elses"}, "no dataset someone/elses (404): correct sources.kaggle.ck48"),
        ({"dataset": "someone/faces", "version": 4}, "the current version is 3; correct sources.kaggle.ck48.version"),
        ({"dataset": "someone/faces", "version": 0}, "the current version is 3; correct sources.kaggle.ck48.version"),
        ({"dataset": "someone/faces", "file": "b.csv"}, "no dataset someone/faces, file b.csv (404)"),
        ({"dataset": "faces"}, "'faces' is not of the form owner/name"),
        ({"competition": "c", "version": 1}, "competitions have no versions"),
        ({}, "sources.kaggle.ck48: set dataset (owner/name) or competition"),
    ],
)
def test_invalid_settings_raise_input_error(process, settings, words):
    assert words in process.refuse(**settings)


def test_no_network(process):
    process.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
    assert "the connection to Kaggle failed" in process.refuse(**PINNED)


def test_a_connection_closed_by_the_server(process, kaggle):
    kaggle.hangs_up = True
    assert "the connection to Kaggle failed" in process.refuse(**PINNED)


def test_an_untrusted_certificate(process):
    del process.environment["REQUESTS_CA_BUNDLE"]
    assert "TLS certificate is not trusted" in process.refuse(**PINNED)


def test_a_response_from_another_server(process, kaggle):
    kaggle.pages["GetDataset"] = b"<html>Welcome to the hotel's network</html>"
    assert "is not from Kaggle" in process.refuse(**PINNED)


def test_an_unwritable_cache(process):
    process.environment["XDG_CACHE_HOME"] = "/dev/null"
    error = process.refuse(**PINNED)
    assert "dataset someone/faces, version 2 failed" in error and "/dev/null" in error


def test_a_download_that_is_not_an_archive(process, kaggle):
    kaggle.competitions["a-challenge"] = b"<html>Please sign in</html>"
    assert "not a zip archive" in process.refuse(**CHALLENGE)
    kaggle.competitions["a-challenge"] = ARCHIVES[3]
    process.fetch(**CHALLENGE)
    assert process.files() == {"a-challenge.zip": ARCHIVES[3]}
