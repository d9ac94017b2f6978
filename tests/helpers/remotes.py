"""DVC remotes on loopback: an S3 server (SeaweedFS) and an SSH server (OpenSSH)."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

KEY, SECRET = "tester", "for this test alone"
SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def ports(count: int) -> list[int]:
    """Return different free ports; the ports 10,000 above them are free too, because SeaweedFS also uses these."""
    with ExitStack() as stack:
        free = []
        for port in range(20000, 50000):
            if len(free) == count:
                break
            try:
                for number in (port, port + 10000):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", number))
            except OSError:
                continue
            free.append(port)
    return free


def stop(process: subprocess.Popen) -> None:
    """Kill a process and its children."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


class S3:
    """A SeaweedFS server that stores its objects in a folder. It can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "identities.json").write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": KEY,
                            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                            "actions": ["Admin"],
                        }
                    ]
                }
            )
        )
        self.ports = dict(zip(("master", "volume", "filer", "s3"), ports(4), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['s3']}"
        self.client = get_session().create_client(
            "s3",
            "us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"max_attempts": 1}, connect_timeout=2, read_timeout=10),
        )

    def start(self) -> None:
        """Start the server, and wait until it has a readable and writable bucket `faces`."""
        command = [
            "weed",
            "server",
            f"-dir={self.folder}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=20",
            f"-s3.config={self.folder / 'identities.json'}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *(f"-{name}.port={port}" for name, port in self.ports.items()),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        for _ in range(300):
            try:
                self._check()
                return
            except (BotoCoreError, ClientError):
                time.sleep(0.2)
        raise TimeoutError((self.folder / "log").read_text()[-2000:])

    def _check(self) -> None:
        with suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket="faces")
        self.client.put_object(Bucket="faces", Key="probe", Body=b"x")
        self.client.get_object(Bucket="faces", Key="probe")["Body"].read()

    def kill(self) -> None:
        stop(self.process)

    def objects(self) -> set[str]:
        """Return the keys of the stored objects."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="faces")
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])} - {"probe"}


@contextmanager
def s3(folder: Path) -> Iterator[S3]:
    """Run an S3 server that stores its objects in a new folder."""
    server = S3(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def ssh(folder: Path) -> Iterator[tuple[int, Path]]:
    """Run an SSH server; yield its port and the private key file for it."""
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "config").write_text(
        f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\nPidFile none\nStrictModes no\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # the system service creates it; only root's sshd needs it
    (port,) = ports(1)
    command = [SSHD, "-D", "-e", "-f", folder / "config", "-o", f"ListenAddress=127.0.0.1:{port}"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        else:
            raise TimeoutError((folder / "log").read_text())
        yield port, folder / "user"
    finally:
        stop(process)
