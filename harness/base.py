"""What every learner, biological or engineered, is to the harness.

A learner is three things and nothing else:

* hyperparameters, annotated class attributes made by `hyper(...)`;
* state, named NumPy arrays (or tuples of arrays, one a layer): everything that it remembers;
* kernels, plain functions that name, as parameters, the arrays and hyperparameters that they touch.

      init(task, rng, ...) -> dict   lay out the state; never compiled. task: Sizes, rng: numpy Generator
      respond(signal, out, ...)      activity at one tick of a block: signal (B, *shape), out (B, n_out), in place
      learn(target, ...)             plasticity at a taught tick: target (B, n_out); may name `signal` next
      rest(taught, ...)              after each sequence (optional)
      adapt(...)                     after each taught block: bring the raw change `dW` into `W` (optional)

A kernel cannot touch what it does not name, so its signature bounds the information that the rule uses. It may also name
`noise` (a uint64 counter for each of `streams`, see `harness.noise`) and, in `respond`, `plastic`: whether synapses may
change where plasticity cannot be told from activity in time.
"""

from __future__ import annotations

import collections
import dataclasses
import difflib
import inspect
import io
import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

import numpy as np

from harness import jit, loop, noise
from harness.declare import Can, Population, Sizes, Synapse, check_hyper, hyper
from harness.state import Array, Layout, State, finite, pieces, stem
from harness.trace import Event, Script, Tracer

GIVEN = dict(init=2, respond=2, learn=1, rest=1, adapt=0)
"""The kernels, and how many arguments the harness itself gives to each."""
TOKENS = 32
"""Tokens into which a vector is cut, at most, for a learner of whole sequences."""


class Probe(NamedTuple):
    """What one sample did: the response (ticks, n_out), every array before and after, and the trace where it was asked for."""

    response: Array
    before: dict[str, Array]
    after: dict[str, Array]
    trace: list[Event]

    def change(self, name: str) -> Array:
        """The change that the rule asks for: `dW` where it writes one, what became of `W` where it does not."""
        raw = "d" + name
        return self.after[raw] if raw in self.after else self.after[name] - self.before[name]


@dataclass_transform(kw_only_default=True, field_specifiers=(hyper,))
@dataclasses.dataclass(kw_only=True, eq=False, repr=False)
class Learner:
    """Base of all learners. A subclass lists hyperparameters, declares its parts, and binds `init`, `respond`, `learn`."""

    random_state: int | None = 0
    bits: int = hyper(default=32, doc="precision of every float; 64 never re-orders a sum", choices=(32, 64), fit=True)

    family: ClassVar[str] = "biological"
    source: ClassVar[tuple[str, ...]] = ()
    can: ClassVar[Can] = Can()
    synapses: ClassVar[tuple[Synapse, ...]] = ()
    populations: ClassVar[tuple[Population, ...]] = ()
    projections: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs (pre, post) of populations joined by synapses of one constant strength, which no array holds."""
    streams: ClassVar[tuple[str, ...]] = ("noise",)
    """One stream of noise for each of these populations."""
    homeostatic: ClassVar[tuple[str, ...]] = ()
    """Arrays that move even with every rate at 0: thresholds, normalised weights."""
    audited: ClassVar[dict[str, Any]] = {}
    """Settings at which an audit is quick: small sizes, short times, few steps; the rule must be what it is at its defaults.

    `ticks` among them is the length of the sequence that an audit shows: for one that takes vectors too, but lives in time.
    """
    shown: ClassVar[int | None] = None
    """Signals that the harness shows in training, at most, or one pass if that is more; None leaves it to the task."""
    once: ClassVar[bool] = False
    """It takes all training data at once, in one call of `live`; passes and their order mean nothing to it."""
    compile_loop: ClassVar[bool] = True
    """Whether the loop is compiled around the kernels. Kernels that take 50 us or more a block need it not."""
    cut: ClassVar[float] = 0.0
    """A lone output above this names the second class."""

    hears: ClassVar[bool] = False
    """Whether `learn` names the signal beside the target."""

    _named: ClassVar[dict[str, list[str]]] = {}
    _loops: ClassVar[dict[tuple[bool, bool, bool], Any]] = {}

    init: ClassVar[Any]
    respond: ClassVar[Any]
    learn: ClassVar[Any]
    rest: ClassVar[Any] = staticmethod(loop.rest)
    adapt: ClassVar[Any] = staticmethod(loop.adapt)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in GIVEN:
            function = cls.__dict__.get(name)
            if inspect.isfunction(function):
                jit.kernel(function)
                setattr(cls, name, staticmethod(function))
        dataclasses.dataclass(kw_only=True, eq=False, repr=False)(cls)
        cls._named = {k: _parameters(getattr(cls, k), k, cls.__name__) for k in GIVEN if hasattr(cls, k)}
        cls.hears = cls._named.get("learn", [""])[:1] == ["signal"]
        if cls.hears:
            cls._named["learn"] = cls._named["learn"][1:]
        cls._loops = {}

    # ------------------------------------------------------------------ parameters, as scikit-learn knows them

    @classmethod
    @cache
    def hypers(cls) -> dict[str, dataclasses.Field[Any]]:
        """The hyperparameters by name, as they were declared."""
        return {f.name: f for f in dataclasses.fields(cls) if f.metadata}

    @classmethod
    def names(cls, kernel: str) -> list[str]:
        """The arrays, hyperparameters and flags that a kernel names."""
        return cls._named[kernel]

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - the name is scikit-learn's
        """Every constructor argument by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; an unknown name is a ValueError that says what there is."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}.{hint}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = {f.name: f.default for f in dataclasses.fields(self)}
        shown = (f"{k}={v!r}" for k, v in self.get_params().items() if repr(v) != repr(defaults[k]))
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "layout_")

    @property
    def dtype(self) -> Any:
        """The float type of the state."""
        return np.float64 if self.bits == 64 else np.float32

    # ------------------------------------------------------------------ life

    def begin(self, task: Sizes, seeds: dict[str, int] | None = None) -> Self:
        """Forget everything and lay out fresh state. `seeds` are those for `init` and `noise`; else `random_state` gives them."""
        for name, field in self.hypers().items():
            check_hyper(type(self).__name__, field, getattr(self, name))
        if self.can.whole:
            task = task._replace(shape=(task.n_ticks, *task.shape), n_ticks=1)
        self.task_ = task._replace(block=int(getattr(self, "block", 1)))
        self.seeds_ = seeds or self._seeds()
        rng = np.random.default_rng(self.seeds_["init"])
        named = pieces(self.init(self.task_, rng, *self.named("init", {})))
        if any("noise" in names for names in self._named.values()):
            counters = [noise.seed(self.seeds_["noise"], stream) for stream in self.streams]
            named["noise"] = np.array(counters, np.uint64)
        self.layout_ = self._laid(named)
        return self

    def _laid(self, named: dict[str, Array]) -> Layout:
        return Layout(named, self.dtype, frozenset(stem(s.array) for s in self.synapses))

    def _seeds(self) -> dict[str, int]:
        root: Any = np.random.SeedSequence().entropy if self.random_state is None else self.random_state
        if not hasattr(root, "__index__"):
            raise ValueError(f"{type(self).__name__}.random_state={root!r} must be a whole number or None.")
        return {axis: noise.seed(axis, int(root)) for axis in ("init", "order", "noise")}

    @classmethod
    def signals(cls, X: Array) -> Array:
        """Signals (n, ticks, *shape) as this learner takes them.

        To a learner of whole sequences a lone vector is a sequence of tokens: its values, in the fewest equal pieces that
        make at most 32 tokens, the last filled up with 0.
        """
        if not (cls.can.whole and X.shape[1] == 1 and X.ndim == 3):
            return X
        n, _, d = X.shape
        width = -(-d // TOKENS)
        ticks = -(-d // width)
        tokens = np.zeros((n, ticks * width), X.dtype)
        tokens[:, :d] = X[:, 0]
        return tokens.reshape(n, ticks, width)

    def live(
        self, X: Array, Y: Array | None = None, taught: Array | None = None, *, orders: Array | None = None,
        plastic: bool | None = None, stop: bool = False, python: bool = False,
    ) -> Array:  # fmt: skip
        """Respond to X (n, ticks, *shape); learn from Y (n, ticks, n_out) at the ticks that `taught` (ticks,) marks.

        `orders` (epochs, m) says which rows come, and when; left out, each once, in turn. `plastic` is what a kernel that
        names it is told; left out, it is whether there is a Y. `stop`: an epoch without a miss is the last; `missed_` then
        holds the misses of each epoch. `python` runs the kernels as Python. Returns the responses (n, ticks, n_out), of
        the last epoch where there were several.
        """
        task, T = self.task_, self.task_.n_ticks
        K, n = task.n_out, len(X)
        online = "block" not in self.hypers()
        x = np.require(X, self.dtype, ["C", "W"])
        out = np.zeros((n * T if online or Y is None or python else 0, K), self.dtype)
        marks = np.full(T, Y is not None) if taught is None else np.require(taught, bool, ["W"])
        y = np.zeros((0, K), self.dtype) if Y is None else np.require(Y, self.dtype, ["C", "W"]).reshape(n * T, K)
        if Y is None and marks.any():
            raise ValueError("taught= marks ticks, but there is no Y to be told at them.")
        rows = np.arange(n)[None] if orders is None else np.require(orders, np.int64, ["C", "W"])
        told = Y is not None if plastic is None else plastic
        missed = np.zeros(len(rows), np.int64)
        if online:
            x, y, answer = x.reshape(n * T, 1, *task.shape), y[:, None], out[:, None]
        else:
            x, answer = x.reshape(n * T, math.prod(task.shape)), out
        arguments = (x, y, marks, bool(marks.any()), rows, stop, self.dtype(self.cut), answer, missed, *self._block,
                     *(self.named(k, {"plastic": told}) for k in ("respond", "learn", "rest", "adapt")))  # fmt: skip
        run = self._loop(python=python)
        if python:
            with np.errstate(over="ignore"):  # the counters of noise wrap round
                lived = run(*arguments)
        else:
            lived = run(*arguments)
        self.missed_ = missed[:lived]
        return out.reshape(-1, T, K)

    def prepare(self) -> float:
        """Compile what `live` will run, or load it, without running it; return the seconds that took. Call after `begin`."""
        before = jit.Clock.seconds
        x = np.zeros((1, *self.task_.shape), self.dtype)
        y = np.zeros((1, self.task_.n_out), self.dtype)
        marks, rows, flat = np.ones(1, bool), np.zeros((1, 1), np.int64), x.reshape(1, -1)
        online = "block" not in self.hypers()
        with jit.alone():
            named = [self.named(k, {"plastic": True}) for k in ("respond", "learn", "rest", "adapt")]
            run = self._loop(python=False)
            if self.compile_loop:
                X, Y = (x[:, None], y[:, None]) if online else (flat, y)
                jit.prepare(run, (X, Y, marks, True, rows, False, self.dtype(0), Y, rows[0], *self._block, *named))
            else:
                given = dict(respond=(x, y), learn=(y, x) if self.hears else (y,), rest=(True,), adapt=())
                for (kernel, first), values in zip(given.items(), named, strict=True):
                    jit.prepare(run.__globals__[kernel], (*first, *values))
                helpers = dict(
                    gather=(flat, rows[0], 1, 0, flat), scatter=(y, rows[0], 1, 0, y), missed=(y[0], y[0], y.dtype.type(0))
                )
                for helper, values in helpers.items():
                    jit.prepare(run.__globals__[helper], values)
        return jit.Clock.seconds - before

    @property
    def _block(self) -> tuple[tuple[Array, ...], ...]:
        """For learners in blocks, the arrays of the block at hand: signal, its flat view, answer, target."""
        if "block" not in self.hypers():
            return ()
        task = self.task_
        B, D = task.block, math.prod(task.shape)
        signal = np.zeros((B, *task.shape), self.dtype)
        return ((signal, signal.reshape(B, D), np.zeros((B, task.n_out), self.dtype), np.zeros((B, task.n_out), self.dtype)),)

    def observe(self, X: Array, Y: Array) -> dict[str, float]:  # noqa: ARG002 - for learners that have something to say
        """Figures of its own that a learner adds to its learning curve, by name, on signals and targets as `live` takes them."""
        return {}

    def _loop(self, *, python: bool) -> Any:
        """The harness's loop, bound to this learner's kernels."""
        cls = type(self)
        exact, blocked = self.dtype is np.float64, "block" in self.hypers()
        lone = not blocked and self.task_.n_ticks == self.task_.n_out == 1
        key = (python, exact, lone)
        if key not in cls._loops:
            form = loop.blockwise if blocked else loop.online
            name = f"{form.__name__}{'_lone' * lone}_{cls.__module__}_{cls.__qualname__}"
            name = name.replace(".", "_").replace("<locals>", "local")
            kernels = {k: getattr(cls, k) for k in ("respond", "learn", "rest", "adapt")}
            flags = {"HEARS": cls.hears, "LONE": lone}
            if python:
                cls._loops[key] = jit.rebound(form, kernels | flags, name)
            else:
                cls._loops[key] = jit.bound(form, name, kernels, flags, exact, compile_loop=cls.compile_loop)
        return cls._loops[key]

    def named(self, kernel: str, extra: State) -> tuple[Any, ...]:
        """The values of a kernel's parameters, by name: state, hyperparameters, and what the harness knows."""
        arrays = self.layout_.arrays if kernel != "init" else {}
        found: list[Any] = []
        for name in self._named[kernel]:
            if name in arrays:
                found.append(arrays[name])
            elif name in extra:
                found.append(extra[name])
            else:
                found.append(self._scalar(kernel, name, arrays, extra))
        return tuple(found)

    def _scalar(self, kernel: str, name: str, arrays: State, extra: State) -> Any:
        """A hyperparameter as its kernel sees it: a choice by index, a float in the precision of the state."""
        hypers = self.hypers()
        if name not in hypers:
            names = [*arrays, *extra, *hypers]
            near = difflib.get_close_matches(name, names, 1)
            raise TypeError(
                f"{type(self).__name__}.{kernel} asks for {name!r}, which is neither a hyperparameter nor in the state "
                f"({', '.join(names)})." + (f" Did you mean {near[0]!r}?" if near else ""),
            )
        value, field = getattr(self, name), hypers[name]
        if field.metadata["choices"]:
            return field.metadata["choices"].index(value)
        if isinstance(field.default, bool):
            return bool(value)
        return int(value) if isinstance(field.default, int) else self.dtype(value)

    # ------------------------------------------------------------------ looking inside

    def arrays(self) -> dict[str, Array]:
        """Every array of the state by its own name (`W`, or `W[0]`, `W[1]`), as views: writing to one writes to the learner."""
        return self.layout_.pieces

    def wiring(self) -> list[Synapse]:
        """Every synapse array by its own name, layer by layer."""
        return [Synapse(*e) for e in self._expanded(self.synapses)]

    def activity(self) -> list[Population]:
        """Every population by its own name: those declared, and what the synapses name beside them."""
        declared = [Population(*p) for p in self._expanded(self.populations)]
        names = {p.array for p in declared}
        plain = dict.fromkeys(n for s in self.wiring() for n in (s.pre, s.post) if n in self.arrays() and n not in names)
        return [*declared, *(Population(name) for name in plain)]

    def _expanded(self, declared: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
        return _expanded(declared, tuple(self.layout_.pieces))

    def fork(self, **changes: Any) -> Self:
        """A twin with the same state but for `changes`: the harness's scalpel. `fork(**{"W[0]": A})`, `fork(block=1)`.

        With another `block`, arrays that the old one shaped are scratch and are laid out anew.
        """
        params = self.get_params()
        twin = type(self)(**params | {k: v for k, v in changes.items() if k in params})
        twin.__dict__.update({k: v for k, v in vars(self).items() if k.endswith("_") and k != "layout_"})
        now = self.layout_.copy()
        if getattr(twin, "block", 1) != getattr(self, "block", 1):
            twin.task_ = self.task_._replace(block=int(twin.block))  # type: ignore[attr-defined]
            fresh = pieces(self.init(twin.task_, np.random.default_rng(0), *twin.named("init", {})))
            now |= {k: v for k, v in fresh.items() if v.shape != now[k].shape}
        if unknown := changes.keys() - now.keys() - params.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(now)}.")
        for name in changes.keys() & now.keys():
            array = np.asarray(changes[name])
            if array.shape != now[name].shape:
                raise ValueError(f"{name} has shape {array.shape}, but {type(self).__name__} needs {now[name].shape}.")
            now[name] = array
        twin.layout_ = twin._laid(now)
        return twin

    def probe(
        self, x: Array, y: Array | None = None, taught: Array | None = None, *, trace: bool = False, script: Script | None = None,
        state: State | None = None,
    ) -> Probe:  # fmt: skip
        """What one sample, x (ticks, *shape) and y (ticks, n_out), would do, with other arrays where `state` names them.

        Leaves the learner as it was.

        With `trace` or a `script` of interventions the kernels run as Python, and each write to a population or a synapse
        is recorded in order.
        """
        twin = self.fork(**({"block": 1} if "block" in self.hypers() else {}), **(state or {}))
        before = twin.layout_.copy()
        told = None if y is None else np.asarray(y)[None]
        if not trace and script is None:
            out = twin.live(np.asarray(x)[None], told, taught, orders=np.zeros((1, 1), np.int64))
            if not len(out):
                out = self.fork(block=1, **(state or {})).live(np.asarray(x)[None])
            return Probe(out[0], before, twin.layout_.copy(), [])
        tracer = Tracer(twin.layout_, twin.activity(), twin.wiring(), script or Script())
        with tracer:
            out = twin.live(np.asarray(x)[None], told, taught, python=True)
        return Probe(out[0], before, twin.layout_.copy(), tracer.events)

    def finite(self) -> bool:
        """Whether every number of the state is finite."""
        layout = self.layout_
        return all(finite(a) for a in layout.pieces.values())

    @property
    def state_bytes(self) -> int:
        """Bytes of all that is remembered."""
        return self.layout_.nbytes

    # ------------------------------------------------------------------ keeping

    def snapshot(self) -> bytes:
        """All that the learner is, as bytes: the arrays as .npz and a header in JSON. No pickle."""
        file = io.BytesIO()
        self._write(file)
        return file.getvalue()

    def restore(self, data: bytes) -> Self:
        """Become again what `snapshot` or `save` kept, of the same class."""
        self.__dict__.update(type(self)._read(io.BytesIO(data), "the snapshot").__dict__)
        return self

    def save(self, path: str | Path) -> None:
        """Write what `snapshot` gives to a file."""
        Path(path).write_bytes(self.snapshot())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        return cls._read(io.BytesIO(Path(path).read_bytes()), str(path))

    def _header(self) -> dict[str, Any]:
        return dict(learner=type(self).__name__, params=self.get_params(), task=self.task_._asdict(), seeds=self.seeds_)

    def _write(self, file: io.BytesIO) -> None:
        header = np.frombuffer(json.dumps(self._header()).encode(), np.uint8)
        np.savez(file, allow_pickle=False, header=header, **self.layout_.pieces)

    @classmethod
    def _read(cls, file: io.BytesIO, name: str) -> Self:
        with np.load(file, allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            if header["learner"] != cls.__name__:
                held = header["learner"]
                raise ValueError(f"{name} holds a {held}, not a {cls.__name__}; load it with {held}.load.")
            self = cls(**header["params"])
            self._take_header(header)
            self.layout_ = self._laid({k: arrays[k] for k in arrays.files if k != "header"})
        return self

    def _take_header(self, header: dict[str, Any]) -> None:
        task = header["task"]
        self.task_ = Sizes(**task | {"shape": tuple(task["shape"])})
        self.seeds_ = header["seeds"]

    def __getstate__(self) -> dict[str, Any]:
        """What copying within a process carries: arrays as plain copies, since views would lose their common memory."""
        state = {k: v for k, v in vars(self).items() if k != "layout_"}
        return state | ({"layout_": self.layout_.copy()} if hasattr(self, "layout_") else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        layout = state.pop("layout_", None)
        self.__dict__.update(state)
        if layout is not None:
            self.layout_ = self._laid(layout)


def _parameters(function: Any, kernel: str, owner: str) -> list[str]:
    """The names that a kernel asks for beyond what the harness gives it."""
    names = list(inspect.signature(function).parameters)
    if len(names) < GIVEN[kernel]:
        given = f"{owner}.{kernel}({', '.join(names)})"
        raise TypeError(f"{given} must take at least {GIVEN[kernel]} parameters; see harness.learner.")
    return names[GIVEN[kernel] :]


@cache
def _expanded(declared: tuple[Any, ...], names: tuple[str, ...]) -> tuple[tuple[Any, ...], ...]:
    """Declarations with `[l]` written out for every layer that has an array, and `[-1]` for the last layer of all."""
    found = []
    count = collections.Counter(map(stem, names))
    for entry in declared:
        layers = range(len(names)) if "[l]" in entry[0] else range(1)
        for layer in layers:
            one = tuple(_layer(part, layer, count[stem(part)]) if isinstance(part, str) else part for part in entry)
            if one[0] not in names:
                break
            found.append(one)
    return tuple(found)


def _layer(name: str, layer: int, layers: int) -> str:
    """`a[l+1]` for layer 2 is `a[3]`; `a[-1]` of 4 layers is `a[3]`."""
    name = name.replace("[-1]", f"[{layers - 1}]")
    return re.sub(r"\[l([+-]\d+)?\]", lambda m: f"[{layer + int(m[1] or 0)}]", name)
