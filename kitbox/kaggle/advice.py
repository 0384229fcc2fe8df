"""What Kaggle's refusals mean, and what to do about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kitbox.kaggle import keys
from kitbox.sources import replies

if TYPE_CHECKING:
    import requests

    from kitbox.kaggle.keys import Key

LONGEST = 60.0
"""A pause (seconds) that Kaggle asks for and gets; a longer one stops the run."""

OFFLINE = (
    "Turn the internet on (in a kernel's settings); where it must stay off, attach the data to "
    "the kernel instead"
)
_GENERAL = {
    400: "Check what was asked for; Kaggle does not say more",
    401: "Give a key that Kaggle knows",
    403: "Open the page at Kaggle with the account of the key, and accept what it asks for",
    404: "Check the name for a slip",
    429: "Kaggle takes only so many requests an hour: wait some minutes and run again",
}


class Refused(Exception):  # noqa: N818 - the client turns it into ours
    """An answer with a status that means no.

    Attributes:
        status: of the answer.
        said: the server's own words.
    """

    def __init__(self, status: int, said: str) -> None:
        self.status, self.said = status, said
        super().__init__(f"{status} {said}".strip())

    def shown(self, known: Sequence[Key]) -> str:
        """Status and words for a message, with no key in them."""
        words = " ".join(keys.hide(self.said, known).split())
        return f"{self.status} {words[:300]}".strip()


class Passing(Exception):  # noqa: N818
    """Trouble that may pass.

    Attributes:
        wait: seconds that Kaggle asks to wait, or None.
    """

    wait: float | None = None


class Later(Refused, Passing):
    """Refused, but not for good (429, 5xx)."""

    def __init__(self, status: int, said: str, wait: float | None) -> None:
        super().__init__(status, said)
        self.wait = wait


class Unreachable(Passing):
    """No answer at all."""


class Nonsense(Exception):  # noqa: N818
    """An answer that the client could not read."""


def general(refused: Refused) -> str:
    """What to do about a refusal of which nothing more is known."""
    if isinstance(refused, Later) and (refused.wait or 0) > LONGEST:
        return f"Kaggle asks to wait {(refused.wait or 0) / 60:.0f} minutes: run again then"
    if refused.status >= 500:
        return "The trouble is Kaggle's; try again later"
    return _GENERAL.get(refused.status, "Look at the page at Kaggle")


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the client raises into one of the exceptions above.

    Their texts hold no address: one of a download is signed, which is a key.
    """
    import requests

    try:
        yield
    except requests.HTTPError as error:
        if error.response is None:
            raise Nonsense(type(error).__name__) from None
        raise _refusal(error, error.response) from None
    except requests.exceptions.SSLError:
        raise Unreachable(
            "its certificate does not hold; check the computer's clock and the proxy"
        ) from None
    except SystemExit:
        raise Nonsense("the client gave up") from None
    # Before OSError: what requests says of bad JSON is both.
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise Nonsense(type(error).__name__) from None
    except OSError as error:
        raise Unreachable(f"the connection failed ({replies.cause(error)})") from None


def _refusal(error: requests.HTTPError, response: requests.Response) -> Refused:
    status = response.status_code
    said = response.reason or ""
    if "json" in response.headers.get("Content-Type", ""):
        try:
            content = response.json()
            # The status may be in the body alone.
            status = int(content.get("code") or status)
            said = str(content.get("message") or said)
        except (ValueError, TypeError, AttributeError):
            pass
    if status == 429 or status >= 500:
        return Later(status, said, replies.pause(response.headers.get("Retry-After", "")))
    return Refused(status, said)
