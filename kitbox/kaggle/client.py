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
from kitbox.kaggle import advice, keys, upload
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
        self._tokens: dict[Key, str] = {}
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
        trouble: Exception
        while True:
            key = self.keys[len(self._refused)]
            try:
                return self._ask_with(key, request, tries)
            except advice.Refused as refused:
                if refused.status == 401 and key is not ANONYMOUS and self._give_up(key):
                    continue
                trouble = refused
            except (advice.Unreachable, advice.Nonsense) as other:
                trouble = other
            wrong, found, do = self._say(trouble, doing, key, hints or {})
            # Not from the client's own error: its text may hold a signed address.
            raise error(wrong, found=found, do=do) from None

    @property
    def _known(self) -> list[Key]:
        """What must not be shown: the keys, and the tokens that logins bought."""
        return [*self.keys, *(Key(k.place, token=t) for k, t in self._tokens.items())]

    def _give_up(self, key: Key) -> bool:
        """Note that Kaggle does not take the key; whether there is another."""
        if len(self._refused) + 1 == len(self.keys):
            return False
        log.warning("Kaggle does not take the key from %s", key.place)
        self._refused.append(key)
        return True

    def _say(
        self, trouble: Exception, doing: str, key: Key, hints: Mapping[int, str]
    ) -> tuple[str, str, str]:
        """What was wrong, what was found, what to do."""
        if isinstance(trouble, advice.Unreachable):
            return f"Kaggle cannot be reached, while {doing}", str(trouble), advice.OFFLINE
        if not isinstance(trouble, advice.Refused):
            return (
                f"Kaggle gave no answer that makes sense, while {doing}",
                str(trouble),
                "Try again later; update the package `kaggle` if that does not help",
            )
        said = trouble.shown(self._known)
        if key is ANONYMOUS:
            do = hints.get(trouble.status) or advice.general(trouble)
            return f"Kaggle refused {doing}", f"{said}, and no key here", f"{do}. {keys.ADVICE}"
        if trouble.status == 401:
            places = ", ".join(k.place for k in self.keys)
            wrong = f"Kaggle takes none of the keys that are here, while {doing}"
            return wrong, f"{places} ({said})", keys.ADVICE
        do = hints.get(trouble.status) or advice.general(trouble)
        return f"Kaggle refused {doing}", said, do

    def _ask_with(self, key: Key, request: Callable[[Any], T], tries: int) -> T:
        for left in range(tries - 1, -1, -1):
            try:
                with _alone(key), advice.translated():
                    return request(self._api(key))
            except advice.Passing as trouble:
                wait = trouble.wait if trouble.wait is not None else float(2 ** (tries - 1 - left))
                if not left or wait > advice.LONGEST:
                    raise
                said = str(trouble)
                if isinstance(trouble, advice.Refused):
                    said = trouble.shown(self._known)
                log.info("Kaggle: %s; again in %.0f s", said, wait)
            self._sleep(wait)
        raise AssertionError("the last try returns or raises")

    def _api(self, key: Key) -> Any:
        """The client, signed in with the key; a token is asked about once, as the client does."""
        api = self._make()
        if key.token or key.refresh:
            if key not in self._tokens:
                self._tokens[key] = _introspected(api, key.token or _bought(key))
            api.config_values = {"token": self._tokens[key]}
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
            from kaggle.api.kaggle_api_extended import KaggleApi, ResumableUploadResult
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
        upload_trouble = ""  # why the last upload failed

        def build_kaggle_client(self) -> Any:
            return _with_timeout(super().build_kaggle_client())

        def upload_complete(self, path: str, url: str, quiet: bool, resume: bool = False) -> str:
            """The client's own would wait for ever, and prints its reasons."""
            self.upload_trouble = upload.put(path, url, _TIMEOUT)
            done = ResumableUploadResult
            return done.FAILED if self.upload_trouble else done.COMPLETE

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


def _introspected(api: Any, token: str) -> str:
    """The token, if Kaggle knows it and it has not expired.

    Raises:
        Refused: 401, where it is none.
    """
    from kagglesdk.security.types.oauth_service import IntrospectTokenRequest

    asked = IntrospectTokenRequest()
    asked.token = token
    api.config_values = {"token": token}
    unknown = "the token is unknown or has expired"
    with _meaning(unknown), api.build_kaggle_client() as kaggle:
        told = kaggle.security.oauth_client.introspect_token(asked)
    if not told.active:
        raise advice.Refused(401, unknown)
    return token


def _bought(key: Key) -> str:
    """An access token for the refresh token of `kaggle auth login`; nothing is saved.

    Raises:
        Refused: 401, where Kaggle does not take it.
    """
    from kagglesdk import KaggleClient, KaggleCredentials
    from kagglesdk.kaggle_env import get_env

    with _meaning("the login is unknown or has expired"), KaggleClient(env=get_env()) as client:
        asking = _with_timeout(client)
        credentials = KaggleCredentials(client=asking, refresh_token=key.refresh)
        return str(credentials.generate_access_token().token)


@contextlib.contextmanager
def _meaning(unknown: str) -> Iterator[None]:
    """What a token is refused with means 401; the client takes these for the same."""
    try:
        with advice.translated():
            yield
    except advice.Refused as refused:
        if refused.status in (400, 403, 404):
            raise advice.Refused(401, unknown) from None
        raise


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
