"""How ids mean pictures: by folder and name, or by a pattern of the path."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

from kitbox.data import matching
from kitbox.errors import some
from kitbox.labelers.places import places

FIRST = 200
"""Ids that are looked for, spread over all."""
_EXAMPLES = 20
_PIECES = 3
"""Parts of a path that an id may be made of, at most."""


@dataclass(frozen=True)
class Way:
    """How ids mean pictures.

    Attributes:
        share: of the ids that were looked for, how many are found.
        options: of the labeler or the test pictures: `folder`, `match`.
        why: comments on them.
    """

    share: float
    options: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()


NONE = Way(0.0)


def find(ids: Sequence[str], paths: Sequence[str]) -> Way:
    """How `ids` mean some of the pictures at `paths`."""
    sought = list(dict.fromkeys(ids))
    sought = sought[:: max(1, len(sought) // FIRST)]
    if not sought or not paths:
        return NONE
    by_name = _by_name(sought, paths)
    if by_name.share >= 0.5:
        return by_name
    return max(by_name, _by_pattern(sought, paths), key=lambda way: way.share)


def _by_name(sought: Sequence[str], paths: Sequence[str]) -> Way:
    found = places(sought, paths)
    if not found:
        return NONE
    best = found[0]
    if 2 * best.hits >= len(sought):
        return Way(best.hits / len(sought), {"folder": best.prefix.rstrip("/")})
    # Over many folders: those below one at the top.
    tops: dict[str, int] = {}
    for place in found:
        top = place.prefix.partition("/")[0]
        tops[top] = tops.get(top, 0) + place.hits
    top = max(tops, key=lambda name: tops[name])
    share = min(1.0, tops[top] / len(sought))
    return Way(share, {"folder": top}, (f"they are in many folders below {top}",))


def _by_pattern(sought: Sequence[str], paths: Sequence[str]) -> Way:
    """Ids that are parts of paths."""
    examples = sought[:: max(1, len(sought) // _EXAMPLES)][:_EXAMPLES]
    for count in range(1, _PIECES + 1):
        per_id = [_holding(one, count, paths) for one in examples]
        known = [found for found in per_id if found]
        if not known or 2 * len(known) < len(examples):
            continue
        tails = [{_tail(path, spans) for path, spans in found} for found in known]
        shared = sorted(set.intersection(*tails)) or [""]
        tail = shared[len(shared) // 2]
        chosen = [
            next(((p, s) for p, s in found if not tail or _tail(p, s) == tail), found[0])
            for found in known
        ]
        pattern = _pattern(chosen)
        if pattern is None:
            continue
        matched = matching.keys(pattern, paths)
        once = [one for one in sought if len(matched.get(one, ())) == 1]
        if 2 * len(once) < len(sought):
            continue
        path = matched[once[0]][0]
        why = [f"the id of {path} is {once[0]}"]
        if len(shared) > 1:
            why.append(
                f"an id has {len(shared)} pictures ({some(shared, 4)}); this one is a guess, "
                "the middle one"
            )
        return Way(len(once) / len(sought), {"match": pattern}, tuple(why))
    return NONE


Spans = tuple[tuple[int, int], ...]


def _holding(one: str, count: int, paths: Sequence[str]) -> list[tuple[str, Spans]]:
    """The paths that hold an id in `count` pieces, and where each piece is."""
    words = one.split("_")
    found = []
    for cuts in combinations(range(1, len(words)), count - 1):
        edges = [0, *cuts, len(words)]
        pieces = ["_".join(words[a:b]) for a, b in pairwise(edges)]
        if not all(pieces):
            continue
        # The last place in the path counts: folders above often begin alike.
        forms = [
            rf"(?<![A-Za-z0-9])0*({re.escape(piece)})(?![A-Za-z0-9])"
            if piece.isdecimal()
            else rf"(?<![A-Za-z0-9])({re.escape(piece)})(?![A-Za-z0-9])"
            for piece in pieces
        ]
        search = (
            re.compile("^.*" + ".*?".join(forms)) if count == 1 else re.compile(".*?".join(forms))
        )
        for path in paths:
            if pieces[-1] in path and (match := search.search(path)):
                found.append((path, tuple(match.span(n + 1) for n in range(count))))
    return found


def _tail(path: str, spans: Spans) -> str:
    """What stands behind the id in a path, numbers of another id's made alike."""
    tail = path[spans[-1][1] :]
    return tail if "/" in tail or not re.search(r"\d", tail) else re.sub(r"\d+", "0", tail)


def _pattern(chosen: Sequence[tuple[str, Spans]]) -> str | None:
    """One regular expression for all the paths and their ids."""
    split = [_segments(path, spans) for path, spans in chosen]
    depths = {len(segments) for segments in split}
    if len(depths) != 1:
        return None
    parts = []
    for place, column in enumerate(zip(*split, strict=True)):
        texts = ["".join(text for text, _ in segment) for segment in column]
        if not any(is_id for _, is_id in column[0]):
            # Folders with numbers are other ones for pictures that are not here yet.
            numbered = 0 < place < len(split[0]) - 1 and re.search(r"\d", texts[0])
            parts.append(re.escape(texts[0]) if len(set(texts)) == 1 and not numbered else "[^/]+")
            continue
        shapes = {tuple(is_id for _, is_id in segment) for segment in column}
        if len(shapes) != 1:
            return None
        made = ""
        for tokens in zip(*column, strict=True):
            made += _token([text for text, _ in tokens], tokens[0][1])
        parts.append(made)
    return f"^{'/'.join(parts)}$"


def _segments(path: str, spans: Spans) -> list[list[tuple[str, bool]]]:
    """The names of a path, each as texts that are the id's or not."""
    segments, start = [], 0
    for name in path.split("/"):
        end, at, tokens = start + len(name), start, []
        for a, b in spans:
            if start <= a and b <= end:
                # Zeros in front of a number are none of it.
                zero = len(path[at:a].rstrip("0")) + at if path[a:b].isdecimal() else a
                tokens += [(path[at:zero], False), (path[zero:a], False), (path[a:b], True)]
                at = b
        tokens.append((path[at:end], False))
        segments.append(tokens)
        start = end + 1
    return segments


def _token(texts: Sequence[str], is_id: bool) -> str:
    """A regular expression for texts at the same place of several paths."""
    forms = {re.sub(r"\d+", "0", text) for text in texts}
    if not is_id:
        if len({*texts}) == 1:
            return re.escape(texts[0])
        if all(re.fullmatch("0*", text) for text in texts):
            return "0*"
        if len(forms) == 1:
            return r"\d+".join(map(re.escape, re.split(r"\d+", texts[0])))
        return "[^/]*?"
    if len(forms) == 1 and re.search(r"\d", texts[0]):
        return "(" + r"\d+".join(map(re.escape, re.split(r"\d+", texts[0]))) + ")"
    return "([^/]+)" if any("_" in text for text in texts) else "([A-Za-z0-9.-]+)"
