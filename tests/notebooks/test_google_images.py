"""Lists of addresses, and a model that finds what does not belong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd

from notebooks import shapes
from notebooks.conftest import Run

RIGHT, WRONG = 30, 4
CLASSES = shapes.PHOTOS[0], shapes.PHOTOS[1], shapes.PHOTOS[4]


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[str]:
    """A web server on this machine; what it does not have is a 404."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            content = files.get(self.path, b"")
            self.send_response(200 if content else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def site() -> dict[str, bytes]:
    """Pictures of three classes; in each list some are of the next class, and some are nothing."""
    photos = shapes.photos(RIGHT + WRONG)
    files = {}
    for place, name in enumerate(CLASSES):
        other = CLASSES[(place + 1) % len(CLASSES)]
        files |= {f"/{name}/{n}.jpg": one for n, one in enumerate(photos[name][:RIGHT])}
        files |= {f"/{name}/wrong-{n}.jpg": one for n, one in enumerate(photos[other][RIGHT:])}
        files[f"/{name}/copy.jpg"] = photos[name][0]
        files[f"/{name}/page.jpg"] = b"<!DOCTYPE html><html><body>Log in</body></html>"
        files[f"/{name}/gone.jpg"] = b""
    return files


def test_google_images(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "google_images"
    folder.mkdir()
    files = site()
    with serving(files) as base:
        for name in CLASSES:
            addresses = [f"{base}{path}" for path in files if path.startswith(f"/{name}/")]
            (folder / f"{name}.txt").write_text("\n".join(addresses))
        lists = {name: f"{name}.txt" for name in CLASSES}
        done = run(
            "google_images",
            {
                "SOURCE": {
                    "use": "urls",
                    "lists": lists,
                    "allow_private": ["127.0.0.1/32"],
                    "wait": 0,
                },
                "SIZE": 96,
                "BATCH": 12,
                "EPOCHS_HEAD": 4,
                "EPOCHS_ALL": 2,
            },
            but="127.0.0.1",
        )
    manifest = pd.read_csv(next((tmp_path / "cache" / "urls").glob("*/manifest.csv")))
    assert len(manifest) == len(files)
    fates = manifest["address"].str.rpartition("/")[2].groupby(manifest["status"]).agg(set)
    assert fates["failed"] == {"page.jpg", "gone.jpg"}
    assert "copy.jpg" in fates["duplicate"] | {"0.jpg"}
    for word in ("duplicate", "failed", "404", "no picture that can be read"):
        assert word in done.text(), word

    planted = set(manifest.loc[manifest["address"].str.contains("/wrong-"), "file"].dropna())
    left_out = set(pd.read_csv(folder / "exclude.csv")["image"])
    assert len(planted) >= 3 * WRONG - 2
    # The server's port is part of the addresses, these name the files, and the names split them:
    # of the dozen 4 to 10 were found.
    assert len(left_out & planted) >= 3
    assert len(left_out - planted) <= len(left_out) * 0.6
    assert f"{len(left_out)} of " in done.text("again")
    # Two thirds would be chance.
    assert done.number(r"(?m)^ *2 +2 +\S+ +\S+ +\S+ +([\d.]+) ", "all") < 0.4
    for cell in ("batch", "rate", "worst", "confusion"):
        assert done.pictures(cell) == 1, cell
    assert 1 <= done.pictures("look-at-suspects") <= 5
    assert (folder / "model").is_dir()
