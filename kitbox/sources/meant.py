"""What a word that is no source's name may have been meant for."""

from __future__ import annotations

import os
import re

from kitbox.sources.known import KNOWN

_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|zip|tar\.\w+)$", re.IGNORECASE)


def meant(word: str) -> str:
    """A sentence that names the source for a folder, an archive or an address; '' for others.

    >>> meant("PETS")
    "The data set 'PETS' is written `source: {use: untar, url: PETS}`"
    """
    if word in KNOWN:
        return _told("data set", word, "untar", "url")
    if re.match(r"https?://", word):
        return _told("archive", word, "untar", "url")
    try:
        path = os.path.expanduser(word) if word.strip() else ""
        if os.path.isdir(path):
            return _told("folder", word, "folder", "path")
        if os.path.isfile(path) and _ARCHIVE.search(path):
            return _told("archive", word, "untar", "url")
    except ValueError:  # a null character
        return ""
    return ""


def _told(what: str, word: str, use: str, option: str) -> str:
    # In quotes where YAML would read another value.
    plain = re.fullmatch(r"(https?://)?[\w./~%-]*[^\W\d][\w./~%-]*", word)
    text = word if plain else "'" + word.replace("'", "''") + "'"
    return f"The {what} '{word}' is written `source: {{use: {use}, {option}: {text}}}`"
