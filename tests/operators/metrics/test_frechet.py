import numpy as np
import pytest
import scipy.linalg

from operators.metrics.frechet import Moments, frechet_distance, merged

NUMBERS = np.random.default_rng(0)
FEATURES = NUMBERS.normal(1000, 3, (500, 12)) @ NUMBERS.normal(size=(12, 12))
OTHERS = NUMBERS.normal(1001, 4, (300, 12)) @ NUMBERS.normal(size=(12, 12))


@pytest.mark.parametrize("parts", [1, 2, 7, 64, 500])
def test_merged_parts_are_one_pass(parts: int) -> None:
    whole = Moments.of(FEATURES)
    pieces = [Moments.of(part) for part in np.array_split(FEATURES, parts)]
    NUMBERS.shuffle(pieces)
    found = merged(pieces)
    assert found.count == 500
    assert found.mean == pytest.approx(FEATURES.mean(axis=0), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(FEATURES, rowvar=False), rel=1e-9, abs=1e-9)
    assert frechet_distance(found, Moments.of(OTHERS)) == pytest.approx(
        frechet_distance(whole, Moments.of(OTHERS)), rel=1e-9
    )


def test_the_published_formula() -> None:
    """With SciPy's root of the product, as pytorch-fid and torch-fidelity have it."""
    from torch import from_numpy
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    one, other = np.cov(FEATURES, rowvar=False), np.cov(OTHERS, rowvar=False)
    apart = FEATURES.mean(axis=0) - OTHERS.mean(axis=0)
    theirs = apart @ apart + np.trace(one + other - 2 * np.real(scipy.linalg.sqrtm(one @ other)))
    ours = frechet_distance(Moments.of(FEATURES), Moments.of(OTHERS))
    assert ours == pytest.approx(theirs, rel=1e-9)
    statistics = [fid_features_to_statistics(from_numpy(features)) for features in (FEATURES, OTHERS)]
    assert ours == pytest.approx(
        fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"], rel=1e-9
    )


def test_fewer_vectors_than_dimensions() -> None:
    few, others = NUMBERS.normal(size=(5, 40)), NUMBERS.normal(size=(6, 40))
    assert frechet_distance(Moments.of(few), Moments.of(few)) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(Moments.of(few), Moments.of(few + 2)) == pytest.approx(160)
    assert frechet_distance(Moments.of(few), Moments.of(others)) == pytest.approx(
        frechet_distance(Moments.of(others), Moments.of(few))
    )


def test_one_vector_is_no_set() -> None:
    with pytest.raises(ValueError, match="covariance"):
        frechet_distance(Moments.of(FEATURES[:1]), Moments.of(OTHERS))
    with pytest.raises(ValueError, match="nothing"):
        merged([])
