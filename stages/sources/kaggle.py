"""Archives from Kaggle, through Kaggle's own client: versions pinned, downloads resumed, nothing unpacked."""

import io
import re
import shutil
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from filelock import FileLock
from platformdirs import user_cache_path
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from stages.base.errors import InputError
from stages.sources.kaggle_errors import TOKEN, Wanted, in_one_line

TIMEOUT = 60  # seconds without a byte
RETRIES = 4  # of a question, and of a download, after ever longer waits


def fetch(dataset: str, settings, folder: Path) -> dict:
    """Download the archive of `dataset`, as it is served, into the existing, empty `folder`.

    While it is incomplete it stays in the user's cache, so that the next run resumes where a broken one stopped.

    Args:
        dataset: the name of the data set.
        settings: `dataset` ("owner/name") or `competition`, and, or None: `version` (of a data set; the current one
            where None) and `file` (the path of one file in it; everything, in one zip, where None).

    Returns:
        The archive's provenance: source, from, version (None for a competition), licence, drawn.

    Raises:
        InputError: settings that contradict each other, no or refused credentials, a licence not accepted, a wrong
            name, version or file, a broken connection, a body that is not what was announced, a full disk.

    """
    wanted = _read(f"sources.kaggle.{dataset}", settings)
    with in_one_line(wanted), redirect_stdout(io.StringIO()):  # the client chats on stdout
        api = _sign_in()
        with api.build_kaggle_client() as client:
            client.http_client()._session.mount("https://", _Patient())
            version, licence = _describe(client, wanted)
            _download(api, client, wanted, version, folder)
    return {
        "source": "kaggle",
        "from": f"{wanted.kind} {wanted.slug}",
        "version": version,
        "licence": licence or f"see {wanted.page}",
        "drawn": False,
    }


def _read(key: str, settings) -> Wanted:
    if bool(settings.dataset) == bool(settings.competition):
        raise InputError(f"params.yaml: {key}: set dataset (owner/name) or competition, or use data.source: local")
    kind, form = ("dataset", "owner/name") if settings.dataset else ("competition", "name")
    slug = settings.dataset or settings.competition
    if not re.fullmatch(r"[\w-]+/[\w-]+" if settings.dataset else r"[\w-]+", slug):
        raise InputError(f"params.yaml: {key}.{kind}: {slug!r} is not of the form {form}, as in the page's address")
    if settings.competition and settings.version is not None:
        raise InputError(f"params.yaml: {key}.version: {settings.version}: competitions have no versions; remove it")
    return Wanted(key, kind, slug, settings.version, settings.file)


def _sign_in():
    """Kaggle's client with the user's credentials."""
    try:
        from kaggle import api  # signs in as it is imported; some versions end the process where they cannot

        if not api.get_config_value(api.CONFIG_NAME_AUTH_METHOD):
            api.authenticate()
    except SystemExit:
        raise InputError(f"no Kaggle credentials, or none that Kaggle still accepts: {TOKEN}") from None
    return api


class _Patient(HTTPAdapter):
    """Time-outs and retries for the client's questions, all of them POSTs, which it gives neither."""

    def __init__(self) -> None:
        when = {"status_forcelist": (500, 502, 503, 504), "allowed_methods": None, "raise_on_status": False}
        # A server may ask to wait for an hour: better to say so than to sit it out.
        super().__init__(max_retries=Retry(RETRIES, **when, backoff_factor=0.5, respect_retry_after_header=False))

    def send(self, request: requests.PreparedRequest, **options) -> requests.Response:
        return super().send(request, **{**options, "timeout": TIMEOUT})


def _describe(client, wanted: Wanted) -> tuple[int | None, str | None]:
    """Version and licence, where Kaggle tells them.

    The current version is then asked for by its number: what is served and what is written down stay the same.
    """
    if wanted.kind == "competition":
        return None, None
    from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = wanted.slug.split("/")
    about = client.datasets.dataset_api_client.get_dataset(request)
    current = about.current_version_number or None
    if wanted.version is not None and current and not 1 <= wanted.version <= current:
        raise InputError(f"Kaggle has no {wanted}, the current one is {current}; correct {wanted.key}.version")
    return wanted.version or current, about.license_name


def _request(client, wanted: Wanted, version: int | None) -> requests.Response:
    """The answer that carries the file, its body not yet read."""
    from kagglesdk.competitions.types import competition_api_service as competitions
    from kagglesdk.datasets.types import dataset_api_service as datasets

    if wanted.kind == "dataset":
        request = datasets.ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = wanted.slug.split("/")
        request.dataset_version_number, request.file_name = version, wanted.file
        return client.datasets.dataset_api_client.download_dataset(request)
    if wanted.file:
        request = competitions.ApiDownloadDataFileRequest()
        request.competition_name, request.file_name = wanted.slug, wanted.file
        return client.competitions.competition_api_client.download_data_file(request)
    request = competitions.ApiDownloadDataFilesRequest()
    request.competition_name = wanted.slug
    return client.competitions.competition_api_client.download_data_files(request)


def _download(api, client, wanted: Wanted, version: int | None, folder: Path) -> None:
    """Move the complete file into `folder`; what is incomplete stays in the user's cache."""
    name = re.sub(r"[^\w.-]+", "+", f"{wanted} v{version}")
    cache = user_cache_path("facial-expression-recognition") / "kaggle" / name
    lock = cache.with_name(f"{name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):  # two runs at once would write into one file
        response = _request(client, wanted, version)
        served = Path(unquote(urlsplit(response.url).path)).name
        part = cache / (served if wanted.file else wanted.slug.split("/")[-1] + ".zip")
        options = {"quiet": not sys.stderr.isatty(), "max_retries": RETRIES, "timeout": TIMEOUT}
        try:
            api.download_file(response, str(part), client.http_client(), resume=True, **options)
            if part.suffix == ".zip" and not zipfile.is_zipfile(part):
                raise ValueError("it is no zip archive")
        except ValueError as error:  # or of another length than announced: the client writes error pages into a part
            shutil.rmtree(cache)
            raise InputError(f"the download of {wanted} is not usable ({error}); run again") from None
        shutil.move(part, folder)
        shutil.rmtree(cache)
        lock.unlink()
