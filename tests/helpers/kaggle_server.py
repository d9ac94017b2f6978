"""A Kaggle server on loopback, for tests with Kaggle's unmodified client.

The client connects over TLS to api.kaggle.com and to the storage host to which it is redirected, and reads proxies and
certificates from the environment, as `requests` does. This server is such a proxy: it answers for both hosts, with a
self-signed certificate. `environment` has the variables that direct a process to it.
"""

import datetime
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

API, STORAGE = "api.kaggle.com", "storage.googleapis.com"
TOKEN = "a-token-of-the-tests"
USER, KEY = "someone", "a-key-of-the-tests"


@dataclass
class Kaggle:
    """Content of the server, the failures to simulate, and the requests received."""

    datasets: dict[str, list[bytes]] = field(default_factory=dict)  # owner/name → its versions, from 1
    version_dates: list[str] = field(
        default_factory=lambda: [
            f"{year}-12-0{number}T23:30:00.1234567Z" for number, year in enumerate((2022, 2023, 2024), 1)
        ]
    )
    last_updated: str | None = "2025-01-04T00:00:00Z"
    files: dict[str, bytes] = field(default_factory=dict)  # single files of data sets and competitions
    competitions: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, list[int]] = field(default_factory=dict)  # request name → statuses of the first responses
    pages: dict[str, bytes] = field(default_factory=dict)  # request name → response of another server in Kaggle's place
    faults: list[tuple[str, int]] = field(
        default_factory=list
    )  # of the next GETs: drop or stall after so many bytes, or a status
    hangs_up: bool = False  # close connections before the TLS handshake
    requests: list[tuple[str, dict]] = field(default_factory=list)  # name and fields, or "GET" and headers
    released: threading.Event = field(default_factory=threading.Event)

    def ranges(self) -> list[str | None]:
        """Return the Range header of each GET."""
        return [fields.get("Range") for name, fields in self.requests if name == "GET"]


class Server(ThreadingHTTPServer):
    """Serves `kaggle` on a free port of loopback until `close` is called."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.kaggle = Kaggle()
        self.certificate = folder / "kaggle.pem"
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certify(self.certificate)
        self.tls.load_cert_chain(self.certificate)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that direct a process to this server."""
        port = self.server_address[1]
        return {"HTTPS_PROXY": f"http://127.0.0.1:{port}", "REQUESTS_CA_BUNDLE": str(self.certificate), "NO_PROXY": ""}

    def close(self) -> None:
        self.kaggle.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: socket.socket, client_address: tuple) -> None:
        """Print nothing: clients that disconnect or distrust the certificate are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        if self.server.kaggle.hangs_up:
            return
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False  # also if CONNECT came as HTTP/1.0

    def do_POST(self) -> None:
        kaggle = self.server.kaggle
        name = self.path.rpartition("/")[2]
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kaggle.requests.append((name, fields))
        credentials = self.headers.get("Authorization", "")
        if kaggle.refusals.get(name):
            status = kaggle.refusals[name].pop(0)
            self._json(status, {"code": status, "message": "Refused"})
        elif name in kaggle.pages:
            self._answer(200, {"Content-Type": "text/html"}, kaggle.pages[name])
        elif name == "IntrospectToken":
            self._json(200, {"active": fields["token"] == TOKEN, "username": USER})
        elif self.headers["Host"] != API or not credentials.startswith(("Basic ", f"Bearer {TOKEN}")):
            self._json(401, {"code": 401, "message": "Unauthenticated"})
        else:
            answers = {
                "GetDataset": self._get_dataset,
                "DownloadDataset": self._download_dataset,
                "DownloadDataFiles": self._download_competition,
                "DownloadDataFile": self._download_competition_file,
            }
            answers[name](fields)

    def _get_dataset(self, fields: dict) -> None:
        versions = self.server.kaggle.datasets.get(f"{fields['ownerSlug']}/{fields['datasetSlug']}")
        if versions is None:
            return self._json(404, {"code": 404, "message": "Not found"})
        listed = [
            {"versionNumber": n, "creationDate": date} for n, date in enumerate(self.server.kaggle.version_dates, 1)
        ]
        content = {"currentVersionNumber": len(versions), "licenseName": "CC0-1.0", "versions": listed}
        if self.server.kaggle.last_updated:
            content["lastUpdated"] = self.server.kaggle.last_updated
        return self._json(200, content)

    def _download_dataset(self, fields: dict) -> None:
        versions = self.server.kaggle.datasets[f"{fields['ownerSlug']}/{fields['datasetSlug']}"]
        version = fields.get("datasetVersionNumber", len(versions))
        archive = f"{fields['ownerSlug']}/{fields['datasetSlug']}/{version}/archive.zip"
        self._redirect(f"file/{fields['fileName']}" if "fileName" in fields else archive)

    def _download_competition(self, fields: dict) -> None:
        self._redirect(f"competition/{fields['competitionName']}/archive.zip")

    def _download_competition_file(self, fields: dict) -> None:
        self._redirect(f"file/{fields['fileName']}")

    def _redirect(self, path: str) -> None:
        signature = len(self.server.kaggle.requests)  # differs between requests
        self._answer(302, {"Location": f"https://{STORAGE}/{path}?X-Goog-Signature={signature}"}, b"")

    def do_GET(self) -> None:
        kaggle = self.server.kaggle
        kaggle.requests.append(("GET", dict(self.headers)))
        body = self._stored()
        if "Authorization" in self.headers:  # the storage rejects a signed address together with credentials
            return self._answer(400, {}, b"<Error/>")
        if body is None:
            return self._answer(404, {}, b"<Error/>")
        fault, after = kaggle.faults.pop(0) if kaggle.faults else (None, 0)
        if fault == "status":
            return self._answer(after, {}, b"<Error/>")
        tag, start, status = f'"{hash(body):x}"', 0, 200
        if "Range" in self.headers and self.headers.get("If-Range") == tag:
            start, status = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-")), 206
        headers = {"Accept-Ranges": "bytes", "ETag": tag, "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return self._answer(status, headers, body[start:], fault, after)

    def _stored(self) -> bytes | None:
        kaggle = self.server.kaggle
        match unquote(self.path.partition("?")[0]).strip("/").split("/"):
            case ["file", *name]:
                return kaggle.files.get("/".join(name))
            case ["competition", name, _]:
                return kaggle.competitions.get(name)
            case [owner, name, version, _]:
                return kaggle.datasets[f"{owner}/{name}"][int(version) - 1]
            case _:
                return None

    def _json(self, status: int, content: dict) -> None:
        self._answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _answer(self, status: int, headers: dict, body: bytes, fault: str | None = None, after: int = 0) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if fault is None:
            self.wfile.write(body)
            return
        self.wfile.write(body[:after])
        self.wfile.flush()
        if fault == "stall":
            self.server.kaggle.released.wait()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


def _certify(path: Path) -> None:
    """Write a self-signed certificate for both hosts and its private key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Kaggle of the tests")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(API), x509.DNSName(STORAGE)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
