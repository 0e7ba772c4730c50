"""The store keeps what it was given, says what is wrong with a file, and is never silently wrong."""

import json
import multiprocessing
import random
import shutil
import sqlite3
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from harness.merge import merge
from harness.store import Last, Store, StoreError, StoreFull
from harness.storefile import STORED
from harness.trial import COLUMNS, COLUMNS_OF_PLACE, FINAL, OUTCOMES


def row(key="k", outcome="ok", **more):
    """A row with something in every kind of column."""
    return {
        "key": key, "outcome": outcome, "reason": "", "learner": "L", "params": {"b": 1, "a": 0.1}, "tuned": False,
        "difficulty": {"lag": 4}, "score": 0.1 + 0.2, "samples": 2**62, "extra": {"mistakes": 3}, "finished_at": "2030",
        "curve": [{"samples": 1, "score": 0.5, "split": "valid"}], "traceback": "line\n'quote' \x00 \u2603",
    } | more  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "s.db"


@pytest.fixture
def store(path):
    with Store(path) as opened:
        yield opened


def fill(path, n=20):
    with Store(path) as opened:
        opened.put_all(row(f"k{i:03}", curve=[{"samples": j, "score": j / 7} for j in range(20)]) for i in range(n))
        return opened.rows()


# What goes in comes out


def test_a_row_comes_back_as_it_was_given(store):
    given = row()
    assert store.put(given) == 1
    (found,) = store.rows()
    assert found == dict.fromkeys(STORED) | given | {"attempt": 1, "round": 0}
    assert tuple(found) == STORED
    assert {*COLUMNS, *COLUMNS_OF_PLACE} <= found.keys()


def test_attempts_are_numbered_and_the_last_counts(store):
    assert [store.put(row(outcome=outcome)) for outcome in ("timeout", "crashed", "ok")] == [1, 2, 3]
    assert store.last() == store.last(["k", "absent"]) == {"k": Last(3, "ok")}
    assert [r["attempt"] for r in store.rows()] == [1, 2, 3]


@pytest.mark.parametrize("late", OUTCOMES)
def test_a_trial_with_a_result_takes_no_second_one(store, late):
    assert store.put(row()) == 1
    assert store.put(row(outcome=late)) is None
    assert store.last() == {"k": Last(1, "ok")}


def test_asked_again_a_trial_takes_one_result_a_round(store):
    outcomes = ["ok", "timeout", "ok", "ok"]
    numbers = [store.put(row(outcome=outcome), again=again) for outcome, again in zip(outcomes, (0, 1, 0, 0), strict=True)]
    assert numbers == [1, 2, 3, None]


def test_sqlite_itself_refuses_a_second_result(store):
    store.put(row())
    columns = ", ".join(c for c in STORED if c != "attempt")
    with sqlite3.connect(store.path) as db, pytest.raises(sqlite3.IntegrityError, match=r"UNIQUE.*round"):
        db.execute(f"INSERT INTO trial (attempt, sha, {columns}) SELECT 2, sha, {columns} FROM trial")
    db.close()


@pytest.mark.parametrize("bad", [{"outcome": "fine"}, {"score": float("nan")}, {"extra": {"x": float("inf")}}, {"colour": 1}])
def test_a_row_that_makes_no_sense_is_refused_whole(store, bad):
    with pytest.raises(ValueError):
        store.put_all([row("first"), row(**bad)])
    assert store.rows() == []


def test_documents_are_kept(store):
    store.put_claim("logic/xor", {"status": "undecided", "figure": None})
    store.put_claim("logic/xor", {"status": "held", "figure": 0.95})
    store.put_environment("e", {"python": "3.11"})
    store.put_environment("e", {"python": "another"})
    store.put_code("c", {"harness.loop": "abc"})
    assert store.claims() == {"logic/xor": {"status": "held", "figure": 0.95}}
    assert store.environments() == {"e": {"python": "3.11"}}
    assert store.codes() == {"c": {"harness.loop": "abc"}}


def test_a_store_from_before_a_table_was_there_reads_and_takes_it(store):
    store._db.execute('DROP TABLE "check"')
    assert store.checks() == {}
    store.put_checks("Oja", {"run": 20, "passed": 19, "skipped": 2, "failed": 1})
    assert store.checks() == {"Oja": {"run": 20, "passed": 19, "skipped": 2, "failed": 1}}


def test_the_file_is_as_promised(store):
    store.put(row())
    with sqlite3.connect(store.path) as db:
        tables = dict(db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
        assert {"trial", "claim", "audit", "environment", "meta"} <= tables.keys()
        assert all("STRICT" in sql for sql in tables.values())
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert not [p for p in store.path.parent.iterdir() if p.name.startswith(".")], "the draft was left behind"


# Leases


def test_a_lease_keeps_others_away_until_it_ends(store):
    assert store.lease(["a", "b"], "me", 60) == {"a", "b"}
    assert store.lease(["a", "b", "c"], "you", 60) == {"c"}
    assert store.lease(["a"], "me", 60) == {"a"}
    store.put(row("a"))
    assert store.lease(["a", "b"], "you", 60) == {"a"}
    store.release("me")
    assert store.lease(["b"], "you", 60) == {"b"}


def test_a_lease_runs_out_unless_renewed(store, monkeypatch):
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    store.lease(["a", "b"], "me", 15)
    clock += 10
    store.renew("me", 15)
    clock += 10
    assert store.lease(["a"], "you", 15) == set()
    clock += 6
    assert store.lease(["a"], "you", 15) == {"a"}


def test_a_clock_set_back_locks_no_one_out(store, monkeypatch):
    store.lease(["a"], "me", 15)
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock - 10 * 24 * 3600)
    assert store.lease(["a"], "you", 15) == {"a"}


def test_the_lease_of_a_driver_that_is_gone_is_free_at_once(store):
    store.lease(["a"], "dead", 60)
    assert store.lease(["a"], "you", 60, alive=lambda owner: owner != "dead") == {"a"}


# Against a model


class Model(RuleBasedStateMachine):
    """The store against two dictionaries, through two connections that come and go."""

    keys = st.sampled_from("abc")

    @initialize()
    def begin(self):
        import tempfile

        self.folder = tempfile.mkdtemp()
        self.stores = [Store(f"{self.folder}/s.db"), Store(f"{self.folder}/s.db")]
        self.rows, self.rounds, self.claims, self.leases = {}, {}, {}, {}

    @rule(
        key=keys,
        outcome=st.sampled_from(OUTCOMES),
        which=st.integers(0, 1),
        again=st.booleans(),
        content=st.tuples(
            st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-5, 5),
            st.text(st.characters(exclude_categories=["Cs"])),
        ),
    )
    def put(self, key, outcome, which, again, content):
        score, text = content
        attempts = self.rows.setdefault(key, [])
        settled = any(r[0] in FINAL for r in attempts[self.rounds.get(key, 0) :])
        got = self.stores[which].put({"key": key, "outcome": outcome, "score": score, "reason": text}, again=again)
        self.leases.pop(key, None)
        if settled and again:
            self.rounds[key] = len(attempts)
        if settled and not again:
            assert got is None
        else:
            attempts.append((outcome, score, text))
            assert got == len(attempts)

    @rule(keys=st.sets(keys, min_size=1), owner=st.sampled_from(["me", "you"]), which=st.integers(0, 1))
    def lease(self, keys, owner, which):
        free = {key for key in keys if self.leases.get(key, owner) == owner}
        assert self.stores[which].lease(keys, owner, 1000) == free
        self.leases |= dict.fromkeys(free, owner)

    @rule(owner=st.sampled_from(["me", "you"]), which=st.integers(0, 1))
    def release(self, owner, which):
        self.stores[which].release(owner)
        self.leases = {key: holder for key, holder in self.leases.items() if holder != owner}

    @rule(name=keys, figure=st.floats(0, 1), which=st.integers(0, 1))
    def claim(self, name, figure, which):
        self.stores[which].put_claim(name, {"figure": figure})
        self.claims[name] = {"figure": figure}

    @rule(which=st.integers(0, 1))
    def reopen(self, which):
        self.stores[which].close()
        self.stores[which] = Store(f"{self.folder}/s.db")

    @invariant()
    def agrees(self):
        for store in getattr(self, "stores", []):
            found = {}
            for r in store.rows():
                found.setdefault(r["key"], []).append((r["outcome"], r["score"], r["reason"]))
            assert found == {key: attempts for key, attempts in self.rows.items() if attempts}
            assert store.last(found) == {key: Last(len(tries), tries[-1][0]) for key, tries in found.items()}
            assert store.claims() == self.claims

    def teardown(self):
        for store in getattr(self, "stores", []):
            store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))


# Two writers


def _write(path, start, n):
    with Store(path) as store:
        for i in range(start, start + n):
            store.put(row(f"k{i % 40:02}", outcome="ok" if i % 3 else "timeout"))


def test_writers_at_once_lose_nothing_and_double_nothing(path):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(path, start, 60)) for start in (0, 20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    with Store(path) as store:
        rows = store.rows()
    assert {r["key"] for r in rows} == {f"k{i:02}" for i in range(40)}
    results = [r["key"] for r in rows if r["outcome"] == "ok"]
    assert len(results) == len(set(results))


# Files that are not what they should be


def test_a_store_that_is_not_there(path):
    with pytest.raises(StoreError, match=r"does not exist.*hebbench run"):
        Store(path, create=False)
    assert not path.exists()


@pytest.mark.parametrize("place", ["/proc/x.db", "{file}/x.db", "{folder}/absent/x.db", "{folder}"])
def test_a_place_where_no_file_can_be_made(tmp_path, place):
    (tmp_path / "file").touch()
    place = place.format(file=tmp_path / "file", folder=tmp_path)
    with pytest.raises(StoreError, match=r"cannot be (made|written)|is not a file") as caught:
        Store(place)
    assert place in str(caught.value)
    assert "--store" in str(caught.value)


def test_a_file_that_cannot_be_written_can_be_read(path, monkeypatch):
    given = fill(path)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda where, **k: connect(where.replace("mode=rw", "mode=ro"), **k))
    with pytest.raises(StoreError, match=r"cannot be written .*--store"):
        Store(path)
    with Store(path, create=False) as store:
        assert store.rows() == given
        with pytest.raises(StoreError, match="cannot be written"):
            store.put(row("new"))


def test_a_read_only_mount_can_be_read_but_not_written(tmp_path):
    place = tmp_path / "mount"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", place], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        given = fill(place / "s.db")
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        with pytest.raises(StoreError, match="cannot be written"):
            Store(place / "s.db")
        with pytest.raises(StoreError, match=r"cannot be (made|written)"):
            Store(place / "new.db")
        with Store(place / "s.db", create=False) as store:
            assert store.rows() == given
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_newer_schema_is_refused_and_left_alone(path):
    fill(path)
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"schema 2.*up to 1: update hebbench"):
        Store(path)
    assert path.read_bytes() == before


def test_a_foreign_database_and_a_foreign_file_are_refused_and_left_alone(path):
    for content in (b"", b"key,score\nk,1\n" * 100):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"damaged.*mv .*damaged"):
            Store(path)
        assert path.read_bytes() == content
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    with pytest.raises(StoreError, match="not a hebbench store"):
        Store(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.99])
def test_a_store_cut_short_is_refused_and_left_alone(path, share):
    fill(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match=r"damaged or cut short .*mv "):
        Store(path)
    assert len(path.read_bytes()) == int(len(content) * share)


def test_a_flipped_bit_is_never_silently_wrong(path):
    given = fill(path, 150)
    content = path.read_bytes()
    rng = random.Random(1)
    noticed = 0
    for _ in range(300):
        flipped = bytearray(content)
        place = rng.randrange(len(content))
        flipped[place] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        try:
            with Store(path, create=False) as store:
                found = store.rows()
        except StoreError:
            noticed += 1
        else:
            assert found == given, f"byte {place}"
    assert noticed > 150, "most bits of a store belong to its rows"


def test_a_damaged_row_is_named_and_the_others_can_be_saved(path, tmp_path):
    fill(path, 3)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE trial SET score = 0.9 WHERE key = 'k001'")
    db.close()
    with Store(path) as store, pytest.raises(StoreError, match=r"'k001' does not match its digest; 1 of 3 .*hebbench merge"):
        store.rows()
    merged = merge([path], tmp_path / "saved.db")
    assert (merged.rows, merged.damaged) == (2, [(str(path), "k001")])


def test_a_damaged_document_is_named(path):
    with Store(path) as store:
        store.put_claim("logic/xor", {"figure": 0.5})
        with sqlite3.connect(path) as db:
            db.execute("UPDATE claim SET body = json_set(body, '$.figure', 0.9)")
        db.close()
        with pytest.raises(StoreError, match="claim 'logic/xor'"):
            store.claims()


def test_a_damaged_environment_keeps_no_row_from_being_saved(path, tmp_path):
    fill(path, 3)
    with Store(path) as store:
        store.put_environment("e", {"python": "3.11"})
    with sqlite3.connect(path) as db:
        db.execute("UPDATE environment SET sha = 'x'")
    db.close()
    merged = merge([path], tmp_path / "saved.db")
    assert merged.rows == 3
    assert "environment 'e'" in merged.damaged[0][1]


# Room

FILLER = """
import json, resource, sys
from harness.store import Store, StoreFull
limit, path, acknowledged = int(sys.argv[1]), sys.argv[2], 0
with Store(path) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        for i in range(500):
            store.put({"key": f"k{i:03}", "outcome": "ok", "traceback": "x" * 900})
            acknowledged += 1
    except StoreFull as error:
        print(json.dumps([acknowledged, str(error), len(store.rows())]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.put({"key": "after", "outcome": "ok"})
"""


@pytest.mark.parametrize("extra", range(0, 200_000, 21_500))
def test_a_full_disk_keeps_every_acknowledged_row_and_writing_goes_on(path, extra):
    Store(path).close()
    limit = path.stat().st_size + extra
    done = subprocess.run([sys.executable, "-c", FILLER, str(limit), path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    acknowledged, message, left = json.loads(done.stdout)
    assert left == acknowledged
    assert "make room and run again" in message
    with Store(path) as store:
        assert [r["key"] for r in store.rows()] == ["after", *(f"k{i:03}" for i in range(acknowledged))]


def test_no_room_to_make_a_store_leaves_nothing(path):
    code = f"""
import resource
from harness.store import Store, StoreFull
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    Store({str(path)!r})
except StoreFull:
    print("full")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "full\n", done.stderr
    assert list(path.parent.iterdir()) == []


def test_full_is_a_kind_of_store_error():
    assert issubclass(StoreFull, StoreError)
    assert issubclass(StoreError, ValueError)


# Merging


def test_shards_merge_into_what_one_store_would_hold(tmp_path):
    for name, keys in (("a", "ac"), ("b", "bd"), ("all", "abcd")):
        with Store(tmp_path / f"{name}.db") as store:
            store.put_all(row(key, outcome="timeout") for key in keys)
            store.put_all(row(key) for key in keys)
            store.put_environment("e", {"python": "3.11"})
            store.put_code(f"c{name}", {"part": "1"})
    merged = merge([tmp_path / "b.db", tmp_path / "a.db"], tmp_path / "m.db")
    assert merged == (8, 0, [], [], [])
    with Store(tmp_path / "m.db") as one, Store(tmp_path / "all.db") as other:
        assert one.rows() == other.rows()
        assert one.environments() == other.environments()
        assert one.codes() == {"ca": {"part": "1"}, "cb": {"part": "1"}}


def test_a_result_found_twice_is_kept_once_and_stands_last(tmp_path):
    with Store(tmp_path / "a.db") as store:
        store.put(row(finished_at="2031", host="a"))
    with Store(tmp_path / "b.db") as store:
        store.put(row(outcome="timeout", finished_at="2033"))
        store.put(row(finished_at="2032", host="b"))
    for order in ("ab", "ba"):
        merged = merge([tmp_path / f"{name}.db" for name in order], tmp_path / f"{order}.db")
        assert (merged.rows, merged.duplicates, merged.disagreements) == (2, 1, [])
        with Store(tmp_path / f"{order}.db") as store:
            assert [(r["outcome"], r["host"]) for r in store.rows()] == [("timeout", None), ("ok", "a")]


def test_checks_and_audits_are_carried_over_and_of_two_that_differ_those_of_the_last_store(tmp_path):
    said = {"a": [("one", 1), ("both", 1), ("same", 3)], "b": [("other", 2), ("both", 2), ("same", 3)]}
    for name, documents in said.items():
        with Store(tmp_path / f"{name}.db") as store:
            for learner, number in documents:
                store.put_checks(learner, dict(run=number))
                store.put_audit(learner, dict(seed=number, criteria=[]))
    for first, last, kept in ("a", "b", 2), ("b", "a", 1):
        sources = [tmp_path / f"{name}.db" for name in (first, last)]
        merged = merge(sources, tmp_path / f"{first}{last}.db")
        assert merged.replaced == [(kind, "both", *map(str, sources)) for kind in ("check", "audit")]
        with Store(tmp_path / f"{first}{last}.db") as store:
            assert store.checks() == {learner: dict(run=n) for learner, n in dict(one=1, other=2, same=3, both=kept).items()}
            assert {learner: a["seed"] for learner, a in store.audits().items()} == dict(one=1, other=2, same=3, both=kept)


def test_results_that_disagree_are_named_and_both_kept(tmp_path):
    for name, score in (("a", 0.5), ("b", 0.75)):
        with Store(tmp_path / f"{name}.db") as store:
            store.put(row(score=score, finished_at=name))
    merged = merge([tmp_path / "b.db", tmp_path / "a.db"], tmp_path / "m.db")
    assert merged.disagreements == [("k", "score", (0.5, 0.75))]
    with Store(tmp_path / "m.db") as store:
        assert [r["score"] for r in store.rows()] == [0.5, 0.75]


def test_merging_never_overwrites(tmp_path):
    for name in "ab":
        fill(tmp_path / f"{name}.db", 2)
    with pytest.raises(StoreError, match="never overwritten"):
        merge([tmp_path / "a.db"], tmp_path / "b.db")
