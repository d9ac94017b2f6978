"""Archives from Kaggle, downloaded with Kaggle's own client: pinned versions, resumed downloads, no unpacking."""

import io
import re
import shutil
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import requests
from filelock import FileLock
from platformdirs import user_cache_path
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from stages.base.errors import InputError
from stages.params.sources import Kaggle
from stages.sources.kaggle_errors import TOKEN_HELP, KaggleTarget, client_errors_as_input_errors
from stages.sources.provenance import Provenance

if TYPE_CHECKING:  # slow to import, and importing `kaggle` signs in
    from kaggle.api.kaggle_api_extended import KaggleApi
    from kagglesdk import KaggleClient

TIMEOUT = 60  # seconds without a byte received
RETRIES = 4  # of a request and of a download, with increasing waits


class Metadata(NamedTuple):
    """What Kaggle states about a data set; None where it states nothing.

    Attributes:
        version: number of the version to download.
        licence: name of the licence.
        date: when this version was published, YYYY-MM-DD (UTC).
    """

    version: int | None = None
    licence: str | None = None
    date: str | None = None


def fetch(dataset: str, settings: Kaggle, folder: Path) -> Provenance:
    """Download the archive of a data set, unchanged, into a folder.

    An incomplete download is kept in the user's cache, and the next run resumes it.

    Args:
        dataset: name of the data set.
        settings: `dataset` ("owner/name") or `competition`, and optionally `version` (of a data set; None for the
            current one) and `file` (path of one file in it; None for all files in one zip file).
        folder: existing, empty folder.

    Returns:
        The provenance. `version` and `date` are None for a competition; `date` is the day on which the version was
        published, or None if Kaggle does not state it.

    Raises:
        InputError: contradictory settings; missing or rejected credentials; a licence that has not been accepted; an
            unknown name, version or file; a failed connection; an incomplete or invalid response; a full disk.
    """
    target = _parse_settings(f"sources.kaggle.{dataset}", settings)
    with client_errors_as_input_errors(target), redirect_stdout(io.StringIO()):  # the client prints to stdout
        api = _sign_in()
        with api.build_kaggle_client() as client:
            client.http_client()._session.mount("https://", _RetryingAdapter())
            metadata = _get_metadata(client, target)
            _download(api, client, target, metadata.version, folder)
    return {
        "source": "kaggle",
        "from": f"{target.kind} {target.slug}",
        "version": metadata.version,
        "licence": metadata.licence or f"see {target.page}",
        "drawn": False,
        "date": metadata.date,
    }


def _parse_settings(key: str, settings: Kaggle) -> KaggleTarget:
    slug = settings.dataset or settings.competition
    if not slug or (settings.dataset and settings.competition):
        raise InputError(f"params.yaml: {key}: set dataset (owner/name) or competition, or use data.source: local")
    kind, form = ("dataset", "owner/name") if settings.dataset else ("competition", "name")
    if not re.fullmatch(r"[\w-]+/[\w-]+" if settings.dataset else r"[\w-]+", slug):
        raise InputError(f"params.yaml: {key}.{kind}: {slug!r} is not of the form {form}, as in the page's address")
    if settings.competition and settings.version is not None:
        raise InputError(f"params.yaml: {key}.version: {settings.version}: competitions have no versions; remove it")
    return KaggleTarget(key, kind, slug, settings.version, settings.file)


def _sign_in() -> "KaggleApi":
    """Return Kaggle's client, signed in with the user's credentials."""
    try:
        from kaggle import api  # signs in when imported; some versions exit the process if this fails

        if not api.get_config_value(api.CONFIG_NAME_AUTH_METHOD):
            api.authenticate()
    except SystemExit:
        raise InputError(f"no Kaggle credentials, or Kaggle no longer accepts them: {TOKEN_HELP}") from None
    return api


class _RetryingAdapter(HTTPAdapter):
    """HTTP adapter with time-outs and retries for the client's API requests, which have neither."""

    def __init__(self) -> None:
        retry = Retry(
            RETRIES,
            status_forcelist=(500, 502, 503, 504),
            allowed_methods=None,  # any: the requests are POSTs
            raise_on_status=False,
            backoff_factor=0.5,
            respect_retry_after_header=False,  # it can be an hour; an error message is better than such a wait
        )
        super().__init__(max_retries=retry)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        return super().send(request, *args, **{**kwargs, "timeout": TIMEOUT})


def _get_metadata(client: "KaggleClient", target: KaggleTarget) -> Metadata:
    """Return what Kaggle states about the target.

    The version is a number even if none is set, so that the downloaded version is the one in the provenance.
    """
    if target.kind == "competition":
        return Metadata()
    from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest  # slow to import

    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = target.slug.split("/")
    response = client.datasets.dataset_api_client.get_dataset(request)
    current = response.current_version_number or None
    if target.version is not None and current and not 1 <= target.version <= current:
        raise InputError(f"Kaggle has no {target}; the current version is {current}; correct {target.key}.version")
    version = target.version or current
    dates = {listed.version_number: listed.creation_date for listed in response.versions}
    date = dates.get(version) or (response.last_updated if version == current else None)
    return Metadata(version, response.license_name, date.date().isoformat() if date else None)


def _request_file(client: "KaggleClient", target: KaggleTarget, version: int | None) -> requests.Response:
    """Request the file, and return the response with its body unread."""
    from kagglesdk.competitions.types import competition_api_service as competitions  # slow to import
    from kagglesdk.datasets.types import dataset_api_service as datasets

    if target.kind == "dataset":
        request = datasets.ApiDownloadDatasetRequest()
        request.owner_slug, request.dataset_slug = target.slug.split("/")
        request.dataset_version_number, request.file_name = version, target.file
        return client.datasets.dataset_api_client.download_dataset(request)
    if target.file:
        request = competitions.ApiDownloadDataFileRequest()
        request.competition_name, request.file_name = target.slug, target.file
        return client.competitions.competition_api_client.download_data_file(request)
    request = competitions.ApiDownloadDataFilesRequest()
    request.competition_name = target.slug
    return client.competitions.competition_api_client.download_data_files(request)


def _download(
    api: "KaggleApi", client: "KaggleClient", target: KaggleTarget, version: int | None, folder: Path
) -> None:
    """Download into the user's cache, and move the file into `folder` when it is complete."""
    name = re.sub(r"[^\w.-]+", "+", f"{target} v{version}")
    cache = user_cache_path("facial-expression-recognition") / "kaggle" / name
    lock = cache.with_name(f"{name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):  # two processes must not write the same file
        response = _request_file(client, target, version)
        served_name = Path(unquote(urlsplit(response.url).path)).name
        file = cache / (served_name if target.file else target.slug.split("/")[-1] + ".zip")
        options = {"quiet": not sys.stderr.isatty(), "max_retries": RETRIES, "timeout": TIMEOUT}
        try:
            api.download_file(response, str(file), client.http_client(), resume=True, **options)
            if file.suffix == ".zip" and not zipfile.is_zipfile(file):
                raise ValueError("not a zip archive")
        except ValueError as error:  # also raised for a wrong length: the client appends error pages to the file
            shutil.rmtree(cache)
            raise InputError(f"the download of {target} is invalid ({error}); run again") from None
        shutil.move(file, folder)
        shutil.rmtree(cache)
        lock.unlink()
