"""An export holds what the store holds, in the promised columns, and can be opened by a spreadsheet without harm."""

import csv
import io
import json
import string
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import export as module
from harness import results
from harness.export import CURVE_COLUMNS, export, frame, latest, rows
from harness.store import Store
from harness.trial import COLUMNS, COLUMNS_OF_PLACE

CURVE = [{"samples": 1, "operations": 5, "seconds": 0.25, "score": 0.1, "split": "valid"}, {"samples": 2, "score": None}]


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "s.db") as opened:
        opened.put({"key": "b", "outcome": "timeout", "reason": "no result within 3 s", "train_s": 3.5, "finished_at": "2030"})
        opened.put(
            {
                "key": "b", "outcome": "ok", "learner": "MLP", "params": {"z": 1, "a": [0.1]}, "difficulty": {}, "tuned": False,
                "score": 0.1 + 0.2, "samples": 1000, "seed_data": 2**60 + 1, "curve": CURVE, "extra": {"mistakes": 3},
            }
        )  # fmt: skip
        opened.put({"key": "a", "outcome": "error", "reason": '=cmd|"calc"', "learner": "é☃", "tuned": True})
        yield opened


def read(text):
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_csv_has_every_attempt_in_the_promised_columns(store):
    text = export(store, "csv")
    header, *lines = read(text)
    assert header == [*COLUMNS, *COLUMNS_OF_PLACE]
    assert [(line[0], line[1], line[2]) for line in lines] == [("a", "1", "error"), ("b", "1", "timeout"), ("b", "2", "ok")]
    cells = dict(zip(header, lines[2], strict=True))
    assert (cells["score"], cells["params"], cells["tuned"]) == ("0.30000000000000004", '{"a":[0.1],"z":1}', "false")
    assert (cells["seed_data"], cells["chance"], cells["difficulty"]) == (str(2**60 + 1), "", "{}")
    assert dict(zip(header, lines[0], strict=True))["reason"] == '\'=cmd|"calc"'
    assert text.endswith("\n")
    assert "\r" not in text


def test_the_deterministic_export_knows_neither_time_nor_place_nor_attempt(store):
    before = export(store, "csv", deterministic=True)
    header, *lines = read(before)
    assert header == [c for c in COLUMNS if c != "attempt"]
    assert [line[:2] for line in lines] == [["a", "error"], ["b", "ok"]]
    store.put(
        {"key": "a", "outcome": "error", "reason": '=cmd|"calc"', "learner": "é☃", "tuned": True, "host": "x", "infer_s": 9.0}
    )
    assert export(store, "csv", deterministic=True) == before


def test_json_says_the_same(store):
    found = json.loads(export(store, "json"))
    assert found == {"schema": 1, "rows": rows(store)}
    assert list(found["rows"][0]) == [*COLUMNS, *COLUMNS_OF_PLACE]
    assert found["rows"][2]["score"] == 0.1 + 0.2
    assert found["rows"][2]["chance"] is None
    assert len(json.loads(export(store, "json", deterministic=True))["rows"]) == 2


def test_curves_are_those_of_the_last_attempts(store):
    assert read(export(store, "csv", curves=True)) == [
        list(CURVE_COLUMNS),
        ["b", "1", "5", "0.25", "0.1", "valid"],
        ["b", "2", "", "", "", ""],
    ]
    assert read(export(store, "csv", curves=True, deterministic=True))[1] == ["b", "1", "5", "0.1", "valid"]


def test_an_empty_store_exports_its_header(tmp_path):
    with Store(tmp_path / "s.db") as empty:
        assert read(export(empty, "csv")) == [[*COLUMNS, *COLUMNS_OF_PLACE]]
        assert results(empty).shape == (0, len(COLUMNS) + len(COLUMNS_OF_PLACE))


def test_a_data_frame_of_results(store):
    found = results(store)
    assert list(found.columns) == [*COLUMNS, *COLUMNS_OF_PLACE]
    assert found.key.tolist() == ["a", "b"]
    assert found.params[1] == {"a": [0.1], "z": 1}
    assert found.tuned.tolist() == [True, False]
    assert (found.score.dtype, found.chance.dtype, found.attempt.dtype) == (
        np.dtype("float64"),
        np.dtype("float64"),
        np.dtype("int64"),
    )
    assert np.isnan(found.score[0])
    pd.testing.assert_frame_equal(found, results(store.path))
    assert results(store, extra=True).extra[1] == {"mistakes": 3}


def test_latest_and_frame_go_together(store):
    assert len(frame(store.rows())) == 3
    assert [row["attempt"] for row in latest(store.rows())] == [1, 2]


def test_importing_the_package_loads_neither_pandas_nor_sqlite():
    code = "import harness, sys; print(sorted({'pandas', 'sqlite3', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_any_text_survives_a_csv_reader_but_for_the_quote_that_disarms_it(text):
    ((first, found, last),) = read(f"a,{module._cell(text)},b\n")
    assert (first, last) == ("a", "b")
    assert found in {text, f"'{text}"}


@given(st.sampled_from(["", " ", "\t", "\n", " \r "]), st.sampled_from("=+-@"), st.text(string.printable))
def test_no_cell_begins_a_formula(space, sign, rest):
    cell = module._harmless(space + sign + rest)
    assert cell.startswith("'") or module._NUMBER.match(cell)


@pytest.mark.parametrize("text", ["-2.5", "+1e-3", "12", "learner", "a=b", "-.5"])
def test_numbers_and_words_stay_as_they_are(text):
    assert module._harmless(text) == text


@pytest.mark.parametrize("text", ["=1+1", "-2.5\n", "+cmd()", "@SUM(A1)", "\tx", "-1-1", "+inf", "\n=1"])
def test_formulas_are_disarmed(text):
    assert module._harmless(text) == "'" + text
