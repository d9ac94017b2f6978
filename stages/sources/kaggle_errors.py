"""What Kaggle was asked for, and what a person is told when it does not come."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError as TransportError

from stages.base.errors import InputError

TOKEN = (
    "create a token at https://www.kaggle.com/settings/api, save it as ~/.kaggle/access_token or set KAGGLE_API_TOKEN "
    "(kaggle.json, or KAGGLE_USERNAME and KAGGLE_KEY, do too), and run again"
)


@dataclass(frozen=True)
class Wanted:
    """What to download, and the key of params.yaml that says so."""

    key: str
    kind: str
    slug: str
    version: int | None
    file: str | None

    @property
    def page(self) -> str:
        """Where a person reads about it and accepts its terms."""
        return f"https://www.kaggle.com/{self.kind}s/{self.slug}" + "/rules" * (self.kind == "competition")

    def __str__(self) -> str:
        version = "" if self.version is None else f", version {self.version}"
        return f"{self.kind} {self.slug}{version}" + (f", file {self.file}" if self.file else "")


@contextmanager
def in_one_line(wanted: Wanted) -> Iterator[None]:
    """Turn what the client raises into an InputError that says what to do next."""
    try:
        yield
    except requests.HTTPError as error:
        raise InputError(_refusal(wanted, error.response.status_code)) from None
    except (requests.exceptions.InvalidJSONError, ValueError) as error:
        raise InputError(
            f"what answered for {wanted} is not Kaggle ({type(error).__name__}); check network and proxy, and run again"
        ) from None
    except (requests.RequestException, TransportError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):  # any other trouble with TLS is a broken connection
            raise InputError(
                "Kaggle's TLS certificate is not trusted here: check this machine's clock; behind a proxy that reads "
                "TLS, set REQUESTS_CA_BUNDLE to its certificate"
            ) from None
        raise InputError(
            f"the connection to Kaggle failed ({type(error).__name__}); check the network and run again: "
            f"the download of {wanted} goes on where it stopped"
        ) from None
    except OSError as error:
        raise InputError(f"the download of {wanted} stopped: {error}") from None


def _refusal(wanted: Wanted, status: int) -> str:
    match status:
        case 401:
            return f"Kaggle refuses the credentials (401): {TOKEN}"
        case 403:
            return (
                f"Kaggle gives no access to {wanted} (403): sign in, accept its licence or rules at {wanted.page} and "
                f"run again; where there is no such page, correct {wanted.key} in params.yaml"
            )
        case 404:
            return f"Kaggle has no {wanted} (404): correct {wanted.key} in params.yaml; see {wanted.page}"
        case _:
            return f"Kaggle cannot serve {wanted} now (HTTP {status}); run again later"
