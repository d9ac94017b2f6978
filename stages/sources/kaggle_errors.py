"""What is downloaded from Kaggle, and the error messages if this fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError as TransportError

from stages.base.errors import InputError

TOKEN_HELP = (
    "create a token at https://www.kaggle.com/settings/api, save it as ~/.kaggle/access_token or set KAGGLE_API_TOKEN "
    "(kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY, also work), then run again"
)


@dataclass(frozen=True)
class KaggleTarget:
    """A data set or competition on Kaggle, or one file of it.

    Attributes:
        key: the key of params.yaml with these settings.
        kind: "dataset" or "competition".
        slug: "owner/name" of a data set, or the name of a competition, as in the address of its page.
        version: version of a data set; None for the current one.
        file: path of one file; None for all files in one zip file.
    """

    key: str
    kind: str
    slug: str
    version: int | None
    file: str | None

    @property
    def page(self) -> str:
        """Address of the page that describes it and where its terms can be accepted."""
        return f"https://www.kaggle.com/{self.kind}s/{self.slug}" + "/rules" * (self.kind == "competition")

    def __str__(self) -> str:
        version = "" if self.version is None else f", version {self.version}"
        return f"{self.kind} {self.slug}{version}" + (f", file {self.file}" if self.file else "")


@contextmanager
def client_errors_as_input_errors(target: KaggleTarget) -> Iterator[None]:
    """Convert the errors of Kaggle's client into an InputError that says what to do."""
    try:
        yield
    except requests.HTTPError as error:
        status = None if error.response is None else error.response.status_code
        raise InputError(_describe_status(target, status)) from None
    except (requests.exceptions.InvalidJSONError, ValueError) as error:
        raise InputError(
            f"the response for {target} is not from Kaggle ({type(error).__name__}); check the network and proxy, then "
            "run again"
        ) from None
    except (requests.RequestException, TransportError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):  # other TLS errors are connection failures
            raise InputError(
                "Kaggle's TLS certificate is not trusted: check the clock of this machine; behind a proxy that "
                "decrypts TLS, set REQUESTS_CA_BUNDLE to the proxy's certificate"
            ) from None
        raise InputError(
            f"the connection to Kaggle failed ({type(error).__name__}); check the network and run again: "
            f"the download of {target} will resume where it stopped"
        ) from None
    except OSError as error:
        raise InputError(f"the download of {target} failed: {error}") from None


def _describe_status(target: KaggleTarget, status: int | None) -> str:
    match status:
        case 401:
            return f"Kaggle rejects the credentials (401): {TOKEN_HELP}"
        case 403:
            return (
                f"Kaggle denies access to {target} (403): sign in, accept its licence or rules at {target.page} and "
                f"run again; if there is no such page, correct {target.key} in params.yaml"
            )
        case 404:
            return f"Kaggle has no {target} (404): correct {target.key} in params.yaml; see {target.page}"
        case _:
            return f"Kaggle cannot serve {target} at the moment (HTTP {status}); run again later"
