"""What a watched array tells of where it is written and read, against what NumPy itself says of that place."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.watched import Heard, Piece, Watched, address_of


class Ear:
    """Notes what it is told, as a tracer would."""

    noted = None

    def __init__(self, piece=None):
        self.writes, self.active, self.closed = [], piece, 0

    def write(self, address, count):
        self.writes.append((address, count))

    def close(self):
        self.closed += 1
        self.active = None


def heard(array, ear, kind=Heard):
    watched = array.view(kind)
    watched.tracer = ear
    return watched


SLICES = st.builds(slice, st.integers(-3, 2), st.none(), st.sampled_from([1, 2, -1]))
PARTS = st.one_of(st.integers(-3, 2), st.builds(np.int64, st.integers(-3, 2)), SLICES)


@given(st.one_of(PARTS, st.tuples(PARTS), st.tuples(PARTS, PARTS), st.just(())), st.booleans(), st.booleans())
def test_an_address_is_that_of_what_the_index_names(index, turned, backwards):
    plain = np.arange(9.0).reshape(3, 3)[:: -1 if backwards else 1]
    plain = plain.T if turned else plain
    watched = heard(plain, Ear(), Watched)
    parts = index if isinstance(index, tuple) else (index,)
    whole = (*parts, *[slice(None)] * (2 - len(parts)))
    exact = tuple(p if isinstance(p, slice) else slice(p, (p + 1) or None) for p in whole)  # a view, whatever it names
    address, one = watched.address(index)
    assert address == address_of(plain[exact])
    assert one == (len(parts) == 2 and not any(isinstance(p, slice) for p in parts))


def test_writes_are_told_through_views_of_views():
    ear, plain = Ear(), np.zeros((3, 4))
    row = heard(plain, ear, Watched).reshape(12)[4:8]
    row[2] = 7.0
    row[1:] = 5.0
    assert ear.writes == [(address_of(plain) + 8 * 6, 1), (address_of(plain) + 8 * 5, 4)]
    assert plain.ravel().tolist() == [0.0] * 5 + [5.0] * 3 + [0.0] * 4


def test_of_weights_that_are_known_to_change_nothing_more_is_told():
    ear, plain = Ear(), np.zeros(6)
    watched = heard(plain, ear, Watched)
    ear.noted = Piece("W", "change", plain[2:4])
    watched[1] = watched[2] = watched[3] = watched[4] = 1.0
    assert [at - address_of(plain) for at, _ in ear.writes] == [8, 32]
    assert plain.tolist() == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize(("kind", "closed"), [(Watched, 0), (Heard, 1)])
def test_a_read_of_what_was_written_ends_a_step_where_reads_are_told(kind, closed):
    plain = np.zeros(4)
    piece = Piece("a", "rate", plain)
    ear = Ear(piece)
    watched = heard(plain, ear, kind)
    piece.mark(address_of(plain) + 8, 1)
    assert watched[0] == watched[2] == watched[3] == 0
    assert ear.closed == 0
    assert watched[1] == 0
    assert ear.closed == closed


@given(st.integers(0, 5), st.integers(0, 5), st.sampled_from([1, 2, -1]), st.booleans())
def test_a_step_ends_at_the_read_of_an_element_that_it_wrote_and_at_no_other(written, read, step, whole):
    plain = np.zeros(6)
    piece = Piece("a", "rate", plain)
    ear = Ear(piece)
    watched = heard(plain, ear)
    watched[written] = 3.0
    assert not ear.writes, "an element of the step at hand is marked at once"
    places = list(range(6)[::step])
    if whole:
        watched[read]
    elif read in places:
        watched[::step][places.index(read)]
    assert ear.closed == (read == written and (whole or read in places))


def test_more_elements_than_there_are_is_all_that_there_are():
    piece = Piece("a", "rate", np.zeros(4))
    piece.mark(piece.start + 16, 9)
    assert [piece.holds(piece.start + 8 * i) for i in range(6)] == [False, False, True, True, False, False]
