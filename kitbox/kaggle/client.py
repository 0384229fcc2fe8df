"""The real `kaggle` client, with one key at a time, quiet, and its errors made ours."""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from kitbox.errors import KitboxError, SourceError
from kitbox.kaggle import advice, keys
from kitbox.kaggle.keys import Key

log = logging.getLogger("kitbox")

T = TypeVar("T")

ANONYMOUS = Key("no key")
_TIMEOUT = (15.0, 60.0)  # seconds: to connect, and between two pieces of an answer
_QUIET = {"VERBOSE": None, "VERBOSE_OUTPUT": None}  # the client would print its headers, keys too


class Client:
    """Asks Kaggle, with the first key that it takes.

    Args:
        anonymous: whether to ask without a key where there is none.
        sleep: waits some seconds between tries.

    Raises:
        SourceError: when there is no key, or no working `kaggle` package.
    """

    def __init__(
        self, *, anonymous: bool = False, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.keys: Sequence[Key] = keys.find() or ([ANONYMOUS] if anonymous else [])
        if not self.keys:
            raise SourceError("There is no key to Kaggle here", do=keys.ADVICE)
        self._sleep = sleep
        self._refused: list[Key] = []
        self._make = _load()

    def ask(
        self,
        doing: str,
        request: Callable[[Any], T],
        *,
        hints: Mapping[int, str] | None = None,
        error: type[KitboxError] = SourceError,
        tries: int = 3,
    ) -> T:
        """What `request` gets from the client (a `kaggle` KaggleApi) that it is called with.

        A key that Kaggle does not know (401) gives way to the next one for good.

        Args:
            doing: the words for "Kaggle ... failed while".
            hints: what to do about a status (400, 403, 404) that the caller knows better.
            error: what is raised.
            tries: how often to try what may pass; 1 where a second try could do it twice.
        """
        told = {} if hints is None else hints
        while True:
            key = self.keys[len(self._refused)]
            try:
                return self._ask_with(key, request, tries)
            except advice.Refused as refused:
                if refused.status == 401 and key is not ANONYMOUS:
                    self._refused.append(key)
                    if len(self._refused) < len(self.keys):
                        log.warning("Kaggle does not take the key from %s", key.place)
                        continue
                    places = ", ".join(k.place for k in self._refused)
                    self._refused = []
                    raise error(
                        f"Kaggle takes none of the keys that are here, while {doing}",
                        found=f"{places} ({refused.shown(self.keys)})",
                        do=keys.ADVICE,
                    ) from None
                wrong, found = f"Kaggle refused {doing}", refused.shown(self.keys)
                do = told.get(refused.status) or advice.general(refused)
                if key is ANONYMOUS:
                    found, do = f"{found}, and no key here", f"{do}. {keys.ADVICE}"
            except advice.Unreachable as trouble:
                wrong, found = f"Kaggle cannot be reached, while {doing}", str(trouble)
                do = advice.OFFLINE
            except advice.Nonsense as trouble:
                wrong, found = (
                    f"Kaggle gave no answer that makes sense, while {doing}",
                    str(trouble),
                )
                do = "Try again later; update the package `kaggle` if that does not help"
            # Not from the client's own error: its text may hold a signed address.
            raise error(wrong, found=found, do=do) from None

    def _ask_with(self, key: Key, request: Callable[[Any], T], tries: int) -> T:
        for left in range(tries - 1, -1, -1):
            try:
                with _alone(key), advice.translated():
                    return request(self._api(key))
            except advice.Passing as trouble:
                wait = trouble.wait if trouble.wait is not None else float(2 ** (tries - 1 - left))
                if not left or wait > advice.LONGEST:
                    raise
                log.info("Kaggle: %s; again in %.0f s", trouble, wait)
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _api(self, key: Key) -> Any:
        api = self._make()
        if key.token or key.refresh:
            token = key.token or _access_token(key)
            api.config_values = {"token": token}
        else:
            pair = {"username": key.username, "key": key.secret}
            api.config_values = {} if key is ANONYMOUS else pair
        return api


@functools.lru_cache(maxsize=1)
def _load() -> Callable[[], Any]:
    """Import the client, and make its class time out.

    `import kaggle` signs in at once, with whatever it finds, and up to 2.2.3
    exits the interpreter where it finds nothing. It is imported with a made-up
    pair, which it believes without asking, and taken out of `sys.modules`
    again, so that a notebook's own `import kaggle` signs in for itself.
    """
    mine = "kaggle" not in sys.modules
    made_up = {"KAGGLE_USERNAME": "kitbox", "KAGGLE_KEY": "kitbox"}
    try:
        # The client makes its folder when imported, also in a home that is read-only.
        with (
            tempfile.TemporaryDirectory() as empty,
            _alone(ANONYMOUS),
            _environment({**made_up, "KAGGLE_CONFIG_DIR": empty}),
        ):
            from kaggle.api.kaggle_api_extended import KaggleApi
    except SystemExit:
        raise SourceError("Kaggle's client found no key and gave up", do=keys.ADVICE) from None
    except ImportError as error:
        raise SourceError(
            "The package `kaggle` cannot be imported",
            found=str(error),
            do="Install it: pip install 'kaggle>=2.0,<3' six",
        ) from error
    finally:
        if mine:
            for name in [n for n in sys.modules if n == "kaggle" or n.startswith("kaggle.")]:
                del sys.modules[name]

    class Api(KaggleApi):  # type: ignore[misc,unused-ignore]
        def build_kaggle_client(self) -> Any:
            return _with_timeout(super().build_kaggle_client())

    return Api


def _with_timeout(client: Any) -> Any:
    """The SDK's client, which by itself would wait for an answer for ever."""
    http = client.http_client()
    start = getattr(http, "_init_session", None)
    if start is not None:
        start()
        session = http._session
        session.send = functools.partial(session.send, timeout=_TIMEOUT)
    return client


def _access_token(key: Key) -> str:
    """Buy an access token as `kaggle auth login` does; nothing is saved."""
    from kagglesdk import KaggleClient, KaggleCredentials
    from kagglesdk.kaggle_env import get_env

    with KaggleClient(env=get_env()) as client:
        asking = _with_timeout(client)
        credentials = KaggleCredentials(client=asking, refresh_token=key.refresh)
        return str(credentials.generate_access_token().token)


@contextlib.contextmanager
def _alone(key: Key) -> Iterator[None]:
    """The environment as if `key` were the only one here, and no output.

    The SDK prefers any token that it finds to the pair that it is given. A file
    without a token in it, which is what the null device is, ends its search.
    """
    values: dict[str, str | None] = {**_QUIET, "KAGGLE_API_V1_TOKEN": None}
    if not key.token:
        values["KAGGLE_API_TOKEN"] = os.devnull
    with _environment(values), _output_hidden():
        yield


@contextlib.contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextlib.contextmanager
def _output_hidden() -> Iterator[None]:
    """The client prints its errors, with addresses that are signed."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        yield
