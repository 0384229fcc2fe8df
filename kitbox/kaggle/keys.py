"""Keys to Kaggle: every place that its own clients read, and Colab's secrets."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

log = logging.getLogger("kitbox")

_PART = re.compile(r"[!-~]*")  # what a header can carry

ADVICE = (
    "Make a token at https://www.kaggle.com/settings/api and give it as the environment variable "
    "KAGGLE_API_TOKEN, in the file ~/.kaggle/access_token, or as a secret KAGGLE_API_TOKEN in "
    "Colab; an older kaggle.json or KAGGLE_USERNAME with KAGGLE_KEY will do as well"
)
"""How to give a key."""


@dataclass(frozen=True)
class Key:
    """One way to sign in. Its secret parts are in no `repr`.

    Attributes:
        place: where it was found, in words for a message.
        token: an access token, or ''.
        username: of an older pair, or ''.
        secret: that pair's key, or ''.
        refresh: a token of `kaggle auth login` that buys an access token, or ''.
    """

    place: str
    token: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may see, also as it is sent."""
        sent = f"{self.username}:{self.secret}" if self.secret else ""
        coded = base64.b64encode(sent.encode()).decode()
        return tuple(text for text in (self.token, self.secret, self.refresh, coded) if text)

    def __bool__(self) -> bool:
        return bool(self.token or self.refresh or (self.username and self.secret))


def find() -> list[Key]:
    """All keys that are here, in the order in which Kaggle's client would take them.

    A place that is missing, unreadable or broken does not hide the ones after it; where
    what it holds can be no key, such as two lines, a warning names it.
    """
    found: dict[tuple[str, ...], Key] = {}
    for look in _PLACES:
        for given in look():
            if key := _sound(given):
                found.setdefault((key.username, *key.secrets), key)
    return list(found.values())


def hide(text: str, keys: Sequence[Key]) -> str:
    """The text with every secret part of the keys struck out.

    >>> hide("no such key: abc", [Key("here", token="abc")])
    'no such key: ***'
    """
    for secret in sorted((s for key in keys for s in key.secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _sound(key: Key) -> Key:
    """The key without parts that cannot be sent."""
    parts = ("token", "username", "secret", "refresh")
    bad = [part for part in parts if not _PART.fullmatch(getattr(key, part))]
    if bad:
        log.warning(
            "%s holds no key to Kaggle: there are spaces, line ends or characters beyond ASCII "
            "in it",
            key.place,
        )
    return replace(key, **dict.fromkeys(bad, ""))


def _kernel() -> Iterator[Key]:
    path = os.environ.get("KAGGLE_API_V1_TOKEN", "")
    yield Key("the kernel's token file", token=_text(path))


def _variable() -> Iterator[Key]:
    # As the client has it: the token, or the path of a file that holds it.
    given = os.environ.get("KAGGLE_API_TOKEN", "").strip()
    yield Key("KAGGLE_API_TOKEN", token=_text(given) if _is_file(given) else given)


def _token_files() -> Iterator[Key]:
    for name in ("access_token", "access_token.txt"):
        yield Key(f"~/.kaggle/{name}", token=_text(_home(".kaggle", name)))


def _pair() -> Iterator[Key]:
    username, secret = _pair_of(os.environ, "KAGGLE_USERNAME", "KAGGLE_KEY")
    yield Key("KAGGLE_USERNAME and KAGGLE_KEY", username=username, secret=secret)


def _pair_files() -> Iterator[Key]:
    config = os.environ.get("XDG_CONFIG_HOME") or _home(".config")
    folders = [os.environ.get("KAGGLE_CONFIG_DIR", ""), _home(".kaggle"), f"{config}/kaggle"]
    for folder in folders:
        path = os.path.join(folder, "kaggle.json") if folder else ""
        username, secret = _pair_of(_json(path), "username", "key")
        yield (
            Key(
                path,
                username=username or os.environ.get("KAGGLE_USERNAME", "").strip(),
                secret=secret or os.environ.get("KAGGLE_KEY", "").strip(),
            )
            if username or secret
            else Key(path)
        )


def _login() -> Iterator[Key]:
    """What `kaggle auth login` leaves: an access token that expires, and one that buys another."""
    path = _home(".kaggle", "credentials.json")
    kept = _json(path)
    token, refresh = (_plain(kept.get(name)) for name in ("access_token", "refresh_token"))
    try:
        until = datetime.fromisoformat(str(kept.get("access_token_expiration")))
        fresh = (until if until.tzinfo else until.replace(tzinfo=UTC)) > datetime.now(UTC)
    except ValueError:
        fresh = False
    yield Key(path, token=token if fresh else "", refresh=refresh)


def _kagglehub() -> Iterator[Key]:
    """What `kagglehub.login()` keeps in memory."""
    hub = sys.modules.get("kagglehub.config")
    if hub is None:
        return
    try:
        kept = hub.get_kaggle_credentials()
    except Exception:  # noqa: BLE001  kagglehub raises at a broken kaggle.json
        return
    parts = {n: _plain(getattr(kept, n, "")) for n in ("api_key", "username", "key")}
    yield Key("kagglehub's login", parts["api_key"], parts["username"], parts["key"])


def _colab() -> Iterator[Key]:
    if "google.colab" not in sys.modules and not os.environ.get("COLAB_RELEASE_TAG"):
        return
    try:
        from google.colab import userdata  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return

    def secret(name: str) -> str:
        try:
            return _plain(userdata.get(name))
        except Exception:  # noqa: BLE001  a secret that is missing or not granted raises
            return ""

    yield Key("Colab's secret KAGGLE_API_TOKEN", token=secret("KAGGLE_API_TOKEN"))
    username, key = secret("KAGGLE_USERNAME"), secret("KAGGLE_KEY")
    yield Key("Colab's secrets KAGGLE_USERNAME and KAGGLE_KEY", username=username, secret=key)


_PLACES: tuple[Callable[[], Iterator[Key]], ...] = (
    _kernel,
    _variable,
    _token_files,
    _pair,
    _pair_files,
    _login,
    _kagglehub,
    _colab,
)


def _home(*names: str) -> str:
    return os.path.join(os.path.expanduser("~"), *names)


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a NUL in it
        return False


def _text(path: str) -> str:
    """A file's text without space around it, or '' where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip() if _is_file(path) else ""
    except (OSError, ValueError):
        return ""


def _json(path: str) -> Mapping[str, Any]:
    try:
        content = json.loads(_text(path) or "{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _plain(value: object) -> str:
    """A secret as people paste it: without line ends and space around it."""
    return "".join(value.splitlines()).strip() if isinstance(value, str) else ""


def _pair_of(values: Mapping[str, Any], username: str, key: str) -> tuple[str, str]:
    return _plain(values.get(username)), _plain(values.get(key))
