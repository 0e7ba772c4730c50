"""Where machine code is kept, and under what name."""

import numpy as np
import pytest

from harness import jit
from learners.perceptron import Perceptron


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null/below"])
def test_where_no_cache_can_be_written_code_is_kept_for_this_process_alone(place, monkeypatch):
    monkeypatch.setenv("HEBBENCH_CACHE", place)
    folder = jit.cache_folder()
    assert folder == jit.cache_folder()
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
    X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert Perceptron(epochs=20).fit(X, X.prod(axis=1)).score(X, X.prod(axis=1)) == 1


def test_a_folder_that_can_be_written_is_the_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBENCH_CACHE", str(tmp_path / "made" / "anew"))
    assert jit.cache_folder() == tmp_path / "made" / "anew"


def test_code_is_kept_apart_by_form_and_by_all_that_it_reaches():
    reached = jit.sources(Perceptron.learn)
    assert reached == ["learners.perceptron:learn"]
    assert jit.helpers(jit.rebound(Perceptron.learn, {}, "other")) == {}
    exact, fast = (jit.compiled(Perceptron.learn, exact=exact) for exact in (True, False))
    assert exact is not fast
    assert jit.compiled(Perceptron.learn, exact=True) is exact
