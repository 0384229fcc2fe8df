"""Nearest neighbours by cosine, and where an unknown class stands among them."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

BLOCK = 1024
"""Pictures that are compared with the gallery at once, so that memory stays small."""


def pack(embeddings: np.ndarray) -> str:
    """Embeddings (G, E) as text."""
    return base64.b64encode(embeddings.astype("<f2").tobytes()).decode()


def unpack(text: str, size: int) -> np.ndarray:
    """Embeddings (G, E) float32 from text, E being `size`."""
    values = np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)
    return values.reshape(-1, size)


def nearest_of_each(
    embeddings: np.ndarray, gallery: np.ndarray, owners: Sequence[int], otherwise: np.ndarray
) -> np.ndarray:
    """Cosines (N, K) of embeddings (N, E) to the nearest of each class in the gallery (G, E).

    Args:
        owners: the class of each of the gallery, ascending.
        otherwise: (N, K), for classes that have none there.
    """
    found = otherwise.clip(-1, 1).astype(np.float32)
    classes, starts = np.unique(np.asarray(owners, np.int64), return_index=True)
    if not len(classes):
        return found
    given, there = _unit(embeddings), _unit(gallery)
    for begin in range(0, len(given), BLOCK):
        cosines = given[begin : begin + BLOCK] @ there.T
        found[begin : begin + BLOCK, classes] = np.maximum.reduceat(cosines, starts, axis=1)
    return found


def average_precision(values: np.ndarray, truth: np.ndarray, top: int) -> np.ndarray:
    """One over the place of the right class among the best `top`, 0 beyond them (N,).

    Args:
        values: (N, K) or, with the unknown class last, (N, K + 1).
        truth: class numbers (N,); -1 is the last column.
    """
    columns = values.shape[1]
    right = np.where(truth < 0, columns - 1, truth)
    own = np.take_along_axis(values, right[:, None], axis=1)
    # Of equal values the first counts as better, as writers have it.
    before = (values == own) & (np.arange(columns) < right[:, None])
    places = (values > own).sum(axis=1) + before.sum(axis=1) + 1
    return np.where(places <= top, 1 / places, 0.0)


def best_threshold(cosines: np.ndarray, truth: np.ndarray, top: int) -> float:
    """The value of the unknown class with the best mean average precision.

    Tried between any two neighbours of the cosines that could change something: each
    picture's best few and its right one. Of equally good ones it is the middle. Where no
    picture is of an unknown class nothing can be learned, and unknown comes last.

    Args:
        cosines: (N, K).
        truth: class numbers (N,), -1 for unknown.
    """
    known = truth >= 0
    if known.all():
        return -1.0
    few = -np.sort(-cosines, axis=1)[:, :top]
    own = np.take_along_axis(cosines[known], truth[known, None], axis=1)
    column = np.arange(cosines.shape[1])
    before = (cosines[known] == own) & (column < truth[known, None])
    places = ((cosines[known] > own) | before).sum(axis=1) + 1  # without the unknown class
    values = np.unique(np.concatenate([few.ravel(), own.ravel()]).astype(np.float64))
    tried = np.concatenate([[-1.0], (values[1:] + values[:-1]) / 2, [1.0]])
    if len(tried) > 500:
        tried = tried[np.linspace(0, len(tried) - 1, 500).round().astype(int)]

    def mean(threshold: float) -> float:
        ours = places + (threshold > own[:, 0])
        others = (few[~known] >= threshold).sum(axis=1) + 1
        both = np.concatenate([ours, others])
        return float(np.where(both <= top, 1 / both, 0.0).mean())

    means = np.array([mean(place) for place in tried])
    best = np.flatnonzero(means >= means.max() - 1e-12)
    return float(tried[best[len(best) // 2]])


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, E) of length 1; means of several are shorter."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-12)
