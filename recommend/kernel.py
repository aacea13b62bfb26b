"""The inner loops of factorisation: objective and gradient in one pass over the ratings; ridge regressions.

Compiled by numba for each number of factors, which the loops know when they are compiled, and run on as many
threads as told. Compiled code is kept on disk where there is a place for it.

The threads are Python's own, with the lock released: OpenMP's would die when a web server forks, numba's own
when two of its threads fit at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic
from scipy.sparse import csr_array

Reals = npt.NDArray[np.floating[Any]]
Loop = TypeVar("Loop", bound=Callable[..., Any])

FAST = ("contract", "reassoc", "nsz", "arcp")  # all but what takes NaN and infinity for impossible
LANES = 64  # of one vector: longer ones take long to compile
AHEAD = 12  # ratings: how early an item's factors are asked for, as they lie anywhere
LINE = 64  # bytes that come at once
WORTH_A_THREAD = 200_000  # ratings times factors; below, starting a thread costs more than it saves


class Rows(NamedTuple):
    """A sparse matrix by rows: the ratings of users, or transposed those of items."""

    starts: npt.NDArray[np.int64]  # (rows + 1,)
    columns: npt.NDArray[np.int32]  # (ratings,)
    values: Reals  # (ratings,)
    width: int  # number of columns

    @classmethod
    def of(cls, matrix: csr_array, values: Reals) -> Rows:
        """Those of a matrix, with other values than its own."""
        starts = matrix.indptr.astype(np.int64, copy=False)
        columns = matrix.indices.astype(np.int32, copy=False)
        return cls(starts, columns, np.ascontiguousarray(values), matrix.shape[1])

    def transposed(self) -> Rows:
        shape = (len(self.starts) - 1, self.width)
        by_column = csr_array((self.values, self.columns, self.starts), shape=shape).tocsc()
        return Rows(by_column.indptr.astype(np.int64), by_column.indices, by_column.data, shape[0])


def cores() -> int:
    return len(os.sched_getaffinity(0))


def compiled(loop: Loop) -> Loop:
    options: Any = {"nogil": True, "fastmath": set(FAST), "error_model": "numpy"}
    made: Any = njit(**options)(loop)
    with suppress(RuntimeError):  # installed read-only, and no home to keep it in
        made.enable_caching()
    return made  # type: ignore[no-any-return]


# Vectors. The compiler doesn't see by itself that loops over factors may be done on many at once, as arrays
# might overlap: four times the speed. Arrays are flat; `factors` is a tuple as long as the vectors.


def _declared(module: Any, kind: Any, name: str) -> Any:
    return module.globals.get(name) or ir.Function(module, kind, name)


class _Vectors:
    """Writes machine code for k numbers at a time, in pieces of LANES."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any) -> None:
        self.context, self.builder, self.types, self.args = context, builder, signature.args, args
        self.bits = signature.args[0].dtype.bitwidth
        self.real = ir.FloatType() if self.bits == 32 else ir.DoubleType()
        k = len(signature.args[-1])
        self.pieces = [(begin, min(LANES, k - begin)) for begin in range(0, k, LANES)]

    def pointer(self, array: int, start: int, begin: int, lanes: int) -> Any:
        data = self.context.make_array(self.types[array])(self.context, self.builder, self.args[array]).data
        at = self.builder.add(self.args[start], ir.Constant(ir.IntType(64), begin))
        kind = ir.VectorType(self.real, lanes)
        return self.builder.bitcast(self.builder.gep(data, [at]), kind.as_pointer())

    def load(self, pointer: Any) -> Any:
        return self.builder.load(pointer, align=self.bits // 8)

    def store(self, value: Any, pointer: Any) -> None:
        self.builder.store(value, pointer, align=self.bits // 8)

    def everywhere(self, scalar: Any, lanes: int) -> Any:
        nothing = ir.Constant(ir.VectorType(self.real, lanes), ir.Undefined)
        first = self.builder.insert_element(nothing, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        return self.builder.shuffle_vector(first, nothing, zeros)

    def total(self, vector: Any, lanes: int, beginning: Any) -> Any:
        kind = ir.FunctionType(self.real, [self.real, ir.VectorType(self.real, lanes)])
        name = f"llvm.vector.reduce.fadd.v{lanes}f{self.bits}"
        function = _declared(self.builder.module, kind, name)
        return self.builder.call(function, [beginning, vector], fastmath=FAST)


def _dot(_: Any, a: Any, i: Any, b: Any, j: Any, factors: Any) -> Any:
    """The product a[i : i + k] . b[j : j + k]."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _Vectors(context, builder, signature, args)
        total = ir.Constant(vectors.real, 0.0)
        for begin, lanes in vectors.pieces:
            left = vectors.load(vectors.pointer(0, 1, begin, lanes))
            right = vectors.load(vectors.pointer(2, 3, begin, lanes))
            total = vectors.total(builder.fmul(left, right, flags=FAST), lanes, total)
        return total

    return a.dtype(a, types.int64, b, types.int64, factors), write


def _add(_: Any, a: Any, i: Any, times: Any, b: Any, j: Any, factors: Any) -> Any:
    """Adds times b[j : j + k] to a[i : i + k]."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors = _Vectors(context, builder, signature, args)
        for begin, lanes in vectors.pieces:
            into = vectors.pointer(0, 1, begin, lanes)
            addend = vectors.load(vectors.pointer(3, 4, begin, lanes))
            product = builder.fmul(vectors.everywhere(args[2], lanes), addend, flags=FAST)
            vectors.store(builder.fadd(vectors.load(into), product, flags=FAST), into)
        return context.get_dummy_value()

    return types.void(a, types.int64, a.dtype, b, types.int64, factors), write


def _fetch(_: Any, a: Any, i: Any) -> Any:
    """Asks memory for a[i], which will be wanted soon."""

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        function = _declared(builder.module, kind, "llvm.prefetch.p0")
        to_write, near, of_data = (ir.Constant(word, number) for number in (1, 3, 1))
        builder.call(function, [builder.bitcast(builder.gep(data, [args[1]]), byte), to_write, near, of_data])
        return context.get_dummy_value()

    return types.void(a, types.int64), write


dot: Any = intrinsic(_dot)
add: Any = intrinsic(_add)
fetch: Any = intrinsic(_fetch)


# Objective and gradient


@compiled
def _pass(
    starts: Any, columns: Any, values: Any, x: Any, x_gradient: Any, theta: Any, items: Any,
    first: int, last: int, lambda_: float, factors: Any,
) -> float:  # fmt: skip
    """What some users and their ratings add to J; fills their gradient.

    `items` is this thread's own, each item's factors with their gradient (less the penalty's) beside it.
    """
    k, line, end = len(factors), LINE // items.itemsize, starts[last]
    for item in range(theta.shape[0]):
        for factor in range(k):
            items[item * 2 * k + factor] = theta[item, factor]
            items[item * 2 * k + k + factor] = 0
    taste, gradient = np.empty(k, items.dtype), np.empty(k, items.dtype)
    squares = penalty = 0.0
    for user in range(first, last):
        for factor in range(k):
            taste[factor], gradient[factor] = x[user, factor], 0
            penalty += x[user, factor] ** 2
        for rating in range(starts[user], starts[user + 1]):
            soon = np.int64(columns[min(rating + AHEAD, end - 1)]) * 2 * k
            for at in range(soon, soon + 2 * k, line):
                fetch(items, at)
            here = np.int64(columns[rating]) * 2 * k
            residual = dot(items, here, taste, 0, factors) - values[rating]
            squares += residual * residual
            add(gradient, 0, residual, items, here, factors)
            add(items, here + k, residual, taste, 0, factors)
        for factor in range(k):
            x_gradient[user, factor] = gradient[factor] + lambda_ * x[user, factor]
    return (squares + lambda_ * penalty) / 2


class Objective:
    """J = 1/2 sum over ratings of (y - x.theta)^2 + lambda/2 (||X||^2 + ||Theta||^2), and its gradient.

    Called with X (users, k) and Theta (items, k) unrolled one after the other, float64; inside, it computes
    in the type of the values of `rows`.
    """

    def __init__(self, rows: Rows, categories: int, lambda_: float, threads: int) -> None:
        self.rows, self.k, self.lambda_ = rows, categories, lambda_
        self.users = len(rows.starts) - 1
        self.shares = shares(rows.starts, categories, threads)
        self.items = [np.empty(rows.width * 2 * categories, rows.values.dtype) for _ in self.shares]

    def parts(self, unrolled: Reals) -> tuple[Reals, Reals]:
        """X and Theta, or their gradients: views."""
        x, theta = np.split(unrolled, [self.users * self.k])
        return x.reshape(-1, self.k), theta.reshape(-1, self.k)

    def __call__(self, unrolled: Reals) -> tuple[float, Reals]:
        gradient = np.empty_like(unrolled)
        (x, theta), (x_gradient, theta_gradient) = self.parts(unrolled), self.parts(gradient)

        def work(share: int) -> float:
            parts = (*self.rows[:3], x, x_gradient, theta, self.items[share], *self.shares[share])
            return _pass(*parts, self.lambda_, (0,) * self.k)

        value = sum(in_threads(work, len(self.shares))) + self.lambda_ / 2 * float(np.vdot(theta, theta))
        np.multiply(theta, self.lambda_, out=theta_gradient)
        for items in self.items:
            theta_gradient += items.reshape(-1, 2 * self.k)[:, self.k :]
        return value, gradient


# Ridge regressions


@compiled
def _ridges(
    starts: Any, columns: Any, values: Any, theta: Any, solved: Any,
    first: int, last: int, lambda_: float, factors: Any,
) -> None:  # fmt: skip
    """Solves (A + lambda) x = b of each row by Cholesky's method without roots, whole rows of A at a time.

    A is the sum of theta theta' and b that of theta y, over what the row has rated.
    """
    k, end = len(factors), starts[last]
    line = LINE // theta.itemsize
    a, b = np.empty(k * k, theta.dtype), np.empty(k, theta.dtype)
    x, one = np.empty(k, theta.dtype), theta.dtype.type(1)
    for row in range(first, last):
        a[:] = 0
        b[:] = 0
        x[:] = 0
        for rating in range(starts[row], starts[row + 1]):
            soon = np.int64(columns[min(rating + AHEAD, end - 1)]) * k
            for at in range(soon, soon + k, line):
                fetch(theta, at)
            here = np.int64(columns[rating]) * k
            for factor in range(k):
                add(a, factor * k, theta[here + factor], theta, here, factors)
            add(b, 0, values[rating], theta, here, factors)
        for factor in range(k):
            a[factor * k + factor] += theta.dtype.type(lambda_)
        for pivot in range(k):
            inverse = one / a[pivot * k + pivot]
            for factor in range(pivot + 1, k):
                times = -a[factor * k + pivot] * inverse
                add(a, factor * k, times, a, pivot * k, factors)
                b[factor] += times * b[pivot]
        for factor in range(k - 1, -1, -1):  # what is not solved yet is 0 in x
            x[factor] = (b[factor] - dot(a, factor * k, x, 0, factors)) / a[factor * k + factor]
        for factor in range(k):
            solved[row, factor] = x[factor]


def ridges(rows: Rows, theta: Reals, lambda_: float, threads: int) -> Reals:
    """(rows, k) each row's x that minimises J while Theta (columns, k) is kept; 0 without ratings."""
    k = theta.shape[1]
    flat = np.ascontiguousarray(theta, rows.values.dtype).ravel()
    solved = np.empty((len(rows.starts) - 1, k), flat.dtype)
    divided = shares(rows.starts, k * k, threads)

    def work(share: int) -> None:
        _ridges(*rows[:3], flat, solved, *divided[share], float(lambda_), (0,) * k)

    in_threads(work, len(divided))
    return solved


# Threads


def shares(starts: npt.NDArray[np.int64], cost: int, threads: int) -> list[tuple[int, int]]:
    """The rows of each thread, as many ratings each as can be; fewer threads where there is little to do."""
    rows, ratings = len(starts) - 1, int(starts[-1])
    wanted = max(1, min(threads or cores(), rows, ratings * cost // WORTH_A_THREAD))
    cuts = np.searchsorted(starts, np.arange(1, wanted) * ratings / wanted)
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), rows], strict=True))


def in_threads(work: Callable[[int], Any], count: int) -> list[Any]:
    """What `work` says for 0, 1, … count - 1; the first of them is done by this thread."""
    if count == 1:
        return [work(0)]
    with ThreadPoolExecutor(count - 1) as others:
        waiting = [others.submit(partial(work, share)) for share in range(1, count)]
        return [work(0), *(one.result() for one in waiting)]
