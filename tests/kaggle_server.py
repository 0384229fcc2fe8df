"""Kaggle's side of the protocol, on this machine, for the real clients.

They reach it as a proxy: `KAGGLE_API_ENVIRONMENT=LOCALHOST` makes them ask
http://localhost/api/v1/SERVICE/METHOD, and `HTTP_PROXY` brings that here.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = 20
HOST = "http://localhost"
STORAGE = "http://storage.invalid"


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), data)
    return content.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz of these files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()


class No(Exception):  # noqa: N818
    """An answer with an error's status."""

    def __init__(self, status: int, message: str = "", **headers: str) -> None:
        self.status, self.message = status, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(message)


@dataclass
class Competition:
    """A competition as the server keeps it."""

    files: dict[str, bytes]
    joined: bool = True
    left: int = 5
    today: int = 0
    limited_by_total: bool = False
    notebooks_only: bool = False


@dataclass
class Kaggle:
    """What the server has, how it misbehaves, and what it was asked."""

    tokens: dict[str, str] = field(default_factory=dict)  # token: user
    pairs: dict[str, str] = field(default_factory=dict)  # user: key
    refreshes: dict[str, str] = field(default_factory=dict)  # refresh token: access token
    competitions: dict[str, Competition] = field(default_factory=dict)
    datasets: dict[str, dict[int, bytes]] = field(default_factory=dict)
    models: dict[str, dict[int, bytes]] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)  # answers of GetSubmission, in turn
    faults: dict[str, list[No]] = field(default_factory=dict)  # by method, each used once
    cuts: list[int] = field(default_factory=list)  # bytes after which a download is cut, each once
    lie: bool = False  # the storage sends other bytes than its sums say
    upload_status: int = 200
    upload_takes: float = 0  # seconds
    submissions: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    signatures: list[str] = field(default_factory=list)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    downloads: list[tuple[str | None, int]] = field(default_factory=list)  # range, status
    lines: list[str] = field(default_factory=list)  # request lines
    port: int = 0

    def count(self, method: str) -> int:
        """How often a method was asked for."""
        return sum(name == method for name, _ in self.asked)

    @property
    def variables(self) -> dict[str, str]:
        """What makes a real client come here."""
        proxy = f"http://127.0.0.1:{self.port}"
        return {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            **dict.fromkeys(("HTTP_PROXY", "http_proxy"), proxy),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ""),
        }

    def user(self, authorization: str) -> str | None:
        """Who asks; None for nobody.

        Raises:
            No: 401 for a key that is not known.
        """
        kind, _, value = authorization.partition(" ")
        if not kind:
            return None
        if kind == "Bearer" and value in self.tokens:
            return self.tokens[value]
        if kind == "Basic":
            user, _, key = base64.b64decode(value).decode().partition(":")
            if self.pairs.get(user) == key:
                return user
        # A careless server repeats what it was sent.
        raise No(401, f"Unauthenticated: {authorization}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kaggle: Kaggle

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.kaggle.lines.append(self.requestline)
        path = urlsplit(self.path).path
        assert self.path.startswith(f"{HOST}/api/v1/"), self.path
        service, method = path.removeprefix("/api/v1/").split("/")
        asked = json.loads(body or b"{}")
        self.kaggle.asked.append((method, asked))
        try:
            if faults := self.kaggle.faults.get(method):
                raise faults.pop(0)
            open_to_all = method in ("IntrospectToken", "GenerateAccessToken")
            sent = "" if open_to_all else self.headers.get("Authorization", "")
            who = self.kaggle.user(sent)
            answer = getattr(_Methods(self.kaggle, who), f"{service.split('.')[0]}_{method}")(asked)
        except No as no:
            said = no.message
            if no.status in (429, 503):  # here, too, it repeats what it was sent
                said = f"{said} {self.headers.get('Authorization', '')}".strip()
            self._json({"code": no.status, "message": said}, no.status, no.headers)
            return
        if isinstance(answer, bytes):
            signature = secrets.token_hex(16)
            self.kaggle.signatures.append(signature)
            name = hashlib.sha256(answer).hexdigest()
            _STORAGE[name] = answer
            address = f"{STORAGE}/storage/{name}/archive.zip?X-Goog-Signature={signature}"
            self.send_response(302)
            self.send_header("Location", address)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._json(answer)

    def do_GET(self) -> None:
        self.kaggle.lines.append(self.requestline)
        split = urlsplit(self.path)
        signature = parse_qs(split.query).get("X-Goog-Signature", [""])[0]
        _, _, name, *_ = split.path.split("/")
        content = _STORAGE.get(name)
        if content is None or signature not in self.kaggle.signatures:
            self._json({"code": 403, "message": "Forbidden"}, 403)
            return
        if self.headers.get("Authorization"):
            self._json({"code": 400, "message": "Only one way to sign in"}, 400)
            return
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        asked, start = self.headers.get("Range"), 0
        if asked and self.headers.get("If-Range", tag) == tag:
            start = int(asked.removeprefix("bytes=").split("-")[0])
        status = 206 if start else 200
        cut = None
        # The client looks where it is led; the bytes go to whoever says that it wants them plain.
        if self.headers.get("User-Agent") == "kitbox":
            self.kaggle.downloads.append((asked, status))
            cut = self.kaggle.cuts.pop(0) if self.kaggle.cuts else None
        self.send_response(status)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Content-Type", "application/zip")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", formatdate(1_700_000_000, usegmt=True))
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()
        self.send_header("x-goog-hash", f"crc32c=AAAAAA==,md5={digest}")
        self.end_headers()
        body = content[start:]
        if self.kaggle.lie:
            body = bytes(len(body))
        self.wfile.write(body[:cut])
        self.close_connection = cut is not None

    def do_PUT(self) -> None:
        self.kaggle.lines.append(self.requestline)
        token = urlsplit(self.path).path.rpartition("/")[2]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.kaggle.upload_status in (200, 201):
            self.kaggle.uploads[token] = body
        time.sleep(self.kaggle.upload_takes)
        self._json({}, self.kaggle.upload_status)

    def _json(
        self, content: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("X-Kaggle-ApiVersion", "99.0.0")  # of which the client says a word
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


_STORAGE: dict[str, bytes] = {}


@dataclass
class _Methods:
    """The methods of Kaggle's services; bytes are answered by the address of a download."""

    kaggle: Kaggle
    who: str | None

    def security_IntrospectToken(self, asked: dict[str, Any]) -> object:  # noqa: N802
        user = self.kaggle.tokens.get(asked["token"])
        return {"active": user is not None, "username": user or "", "userId": 1}

    def users_GenerateAccessToken(self, asked: dict[str, Any]) -> object:  # noqa: N802
        token = self.kaggle.refreshes.get(asked["refreshToken"])
        if token is None:
            raise No(401, "no such login")
        return {"token": token, "expiresIn": 3600}

    def competitions_ListDataFiles(self, asked: dict[str, Any]) -> object:  # noqa: N802
        names = list(self._entered(asked).files.items())
        start = int(asked.get("pageToken") or 0)
        most = min(PAGE, asked.get("pageSize") or PAGE)
        answer: dict[str, Any] = {
            "files": [
                {"name": n, "totalBytes": len(d), "creationDate": "2026-01-02T03:04:05.678Z"}
                for n, d in names[start : start + most]
            ]
        }
        if start + most < len(names):
            answer["nextPageToken"] = str(start + most)
        return answer

    def competitions_DownloadDataFiles(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        return zipped(self._entered(asked).files)

    def competitions_DownloadDataFile(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        return self._entered(asked).files[asked["fileName"]]

    def competitions_GetSubmissionLimits(self, asked: dict[str, Any]) -> object:  # noqa: N802
        found = self._entered(asked)
        return {
            "numToday": found.today,
            "numTotal": found.today,
            "numAllowedNow": found.left,
            "limitedByTotal": found.limited_by_total,
        }

    def competitions_StartSubmissionUpload(self, asked: dict[str, Any]) -> object:  # noqa: N802
        self._entered(asked)
        token = secrets.token_hex(8)
        self.kaggle.uploads[token] = b""
        return {"token": token, "createUrl": f"{STORAGE}/upload/{token}"}

    def competitions_CreateSubmission(self, asked: dict[str, Any]) -> object:  # noqa: N802
        if self._entered(asked).notebooks_only:
            raise No(400, "")
        ref = 1000 + len(self.kaggle.submissions)
        self.kaggle.submissions.append(
            {
                "ref": ref,
                "competition": asked["competitionName"],
                "date": "2026-11-20T10:11:12.130Z",
                "description": asked.get("submissionDescription", ""),
                "fileName": "submission.csv",
                "totalBytes": len(self.kaggle.uploads[asked["blobFileTokens"]]),
                "status": "PENDING",
                "content": self.kaggle.uploads[asked["blobFileTokens"]],
            }
        )
        return {"message": "Successfully submitted", "ref": ref}

    def competitions_GetSubmission(self, asked: dict[str, Any]) -> object:  # noqa: N802
        found = next((s for s in self.kaggle.submissions if s["ref"] == asked["ref"]), None)
        if found is None:
            raise No(404, "no such submission")
        if self.kaggle.scores:
            found |= self.kaggle.scores.pop(0)
        return _public(found)

    def competitions_ListSubmissions(self, asked: dict[str, Any]) -> object:  # noqa: N802
        self._entered(asked)
        mine = [
            _public(s)
            for s in reversed(self.kaggle.submissions)
            if s["competition"] == asked["competitionName"]
        ]
        start = int(asked.get("pageToken") or 0)
        answer: dict[str, Any] = {"submissions": mine[start : start + PAGE]}
        if start + PAGE < len(mine):
            answer["nextPageToken"] = str(start + PAGE)
        return answer

    def datasets_GetDataset(self, asked: dict[str, Any]) -> object:  # noqa: N802
        return {"id": 1, "currentVersionNumber": max(self._dataset(asked))}

    def datasets_DownloadDataset(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        versions = self._dataset(asked)
        wanted = asked.get("datasetVersionNumber") or max(versions)
        if wanted not in versions:
            raise No(404, "Not found")
        return versions[wanted]

    def models_GetModelInstance(self, asked: dict[str, Any]) -> object:  # noqa: N802
        return {"id": 1, "versionNumber": max(self._model(asked))}

    def models_DownloadModelInstanceVersion(self, asked: dict[str, Any]) -> bytes:  # noqa: N802
        versions = self._model(asked)
        if asked["versionNumber"] not in versions:
            raise No(404, "Not found")
        return versions[asked["versionNumber"]]

    def _entered(self, asked: dict[str, Any]) -> Competition:
        if self.who is None:
            raise No(401, "Unauthenticated")
        found = self.kaggle.competitions.get(asked["competitionName"])
        if found is None:
            raise No(404, "Not found")
        if not found.joined:
            raise No(403, "You must accept this competition's rules before you'll be able to do it")
        return found

    def _dataset(self, asked: dict[str, Any]) -> dict[int, bytes]:
        found = self.kaggle.datasets.get(f"{asked['ownerSlug']}/{asked['datasetSlug']}")
        if found is None:
            raise No(403, "Permission 'datasets.get' was denied")
        return found

    def _model(self, asked: dict[str, Any]) -> dict[int, bytes]:
        parts = [asked[n] for n in ("ownerSlug", "modelSlug", "framework", "instanceSlug")]
        found = self.kaggle.models.get("/".join(parts))
        if found is None:
            raise No(404, "Not found")
        return found


def _public(submission: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in submission.items() if k not in ("content", "competition")}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that has heard enough


@contextmanager
def serving() -> Iterator[Kaggle]:
    """A server while the block runs."""
    kaggle = Kaggle()
    handler = type("Handler", (_Handler,), {"kaggle": kaggle})
    server = _Server(("127.0.0.1", 0), handler)
    kaggle.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kaggle
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
