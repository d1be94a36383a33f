"""Statistics of sets of features that merge exactly, and the distance between two such sets."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Moments:
    """Count, mean and scatter of vectors, in float64. Merged in any order and grouping they are the same to the last
    few bits.

    The scatter is the sum of the outer products of what is left when the mean is taken off, so that large means cost no
    digits; merging follows T. F. Chan et al., "Updating Formulae and a Pairwise Algorithm for Computing Sample
    Variances", 1979.
    """

    count: float  # a sum of weights
    mean: NDArray[np.float64]  # (d,)
    scatter: NDArray[np.float64]  # (d, d)

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> "Moments":
        """Of (n, d) features, n from 1 on."""
        wide = np.asarray(features, np.float64)
        mean = wide.mean(axis=0)
        rest = wide - mean
        return cls(len(wide), mean, rest.T @ rest)

    def merged(self, other: "Moments") -> "Moments":
        count = self.count + other.count
        apart = other.mean - self.mean
        mean = self.mean + apart * (other.count / count)
        return Moments(
            count, mean, self.scatter + other.scatter + np.outer(apart, apart) * (self.count * other.count / count)
        )

    @property
    def covariance(self) -> NDArray[np.float64]:
        """(d, d), of a sample: divided by n - 1, as NumPy's `cov` and all published FIDs do.

        Raises:
            ValueError: for a single vector.
        """
        if self.count < 2:
            raise ValueError("one vector has no covariance")
        return self.scatter / (self.count - 1)


def merged(parts: Iterable[Moments]) -> Moments:
    """All parts in one.

    Raises:
        ValueError: for no parts.
    """
    total: Moments | None = None
    for part in parts:
        total = part if total is None else total.merged(part)
    if total is None:
        raise ValueError("nothing to merge")
    return total


def frechet_distance(one: Moments, other: Moments) -> float:
    """The squared Fréchet distance of two Gaussians: |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); 0 and up.

    D. C. Dowson and B. V. Landau, 1982. The trace of the root is the sum of the roots of the eigenvalues of
    C1^(1/2) C2 C1^(1/2), which is symmetric, so that covariances without full rank need no offset.
    """
    first, second = one.covariance, other.covariance
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ second @ root), 0)).sum()
    apart = one.mean - other.mean
    return float(max(0.0, apart @ apart + np.trace(first) + np.trace(second) - 2 * shared))
