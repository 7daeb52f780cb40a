"""Checks of the verbs on rows: add_noise, linspace, batch, fold, pick, sums, concat, unstack."""

from __future__ import annotations

import numpy as np
import pytest

from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, ROUNDING, Harness, eighths, order_one

_SHAPES = [(4,), (4, 3), (4, 2, 3), (4, 2, 2, 3)]


class RowChecks(Harness):
    """Interpolating, gathering, adding and summing rows."""

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_add_noise(self, dtype: str) -> None:
        """``rows + scale * noise`` with a signed scale per row, rounded once to the dtype."""
        with self.numbers(dtype):
            x, noise = eighths(3, 2, 2), order_one(3, 2, 2, seed=1)
            scale = np.array([0.5, -0.25, 0.0])
            wide = "float64" if dtype == "float64" else "float32"
            found = self.backend.add_noise(
                self.native(x, dtype), self.native(noise), self.native(scale, wide)
            )
            expect.equal(self.backend.dtype(found), dtype, "dtype")
            wanted = x + scale[:, None, None] * noise
            expect.close(self.host(found), wanted, ROUNDING[dtype], "noisy rows")
            expect.same(self.host(found)[2], x[2], "row without noise")

    @pytest.mark.parametrize("dtype", FLOATS)
    @pytest.mark.parametrize("shared", [False, True], ids=["own baseline", "shared baseline"])
    def test_linspace(self, dtype: str, shared: bool) -> None:
        """Both ends exact in every bit; the points between on the straight line."""
        with self.numbers(dtype):
            # Thirds, since no dtype holds them: b + (x - b) would miss x by a rounding.
            x = self.native(np.linspace(-7, 9, 12).reshape(4, 3) / 3, dtype)
            start = self.native(np.linspace(5, -1, 3 if shared else 12).reshape(-1, 3) / 7, dtype)
            alpha = np.array([0.0, 1.0, 0.25, 0.5])
            wide = "float64" if dtype == "float64" else "float32"
            found = self.backend.linspace(start, x, self.native(alpha, wide))
            expect.equal(self.backend.dtype(found), dtype, "dtype")
            b, e, points = (self.host(t).astype(np.float64) for t in (start, x, found))
            b = np.broadcast_to(b, e.shape)
            expect.same(points[0], b[0], "point at alpha = 0")
            expect.same(points[1], e[1], "point at alpha = 1")
            at = alpha[:, None]
            expect.close(points, b * (1 - at) + e * at, ROUNDING[dtype], "points")

    @pytest.mark.parametrize("integer", ["int32", "int64"])
    @pytest.mark.parametrize("shape", _SHAPES, ids=str)
    def test_batch(self, shape: tuple[int, ...], integer: str) -> None:
        """Rows in any order, and more than once."""
        with self.numbers(integer):
            x, index = order_one(*shape), [2, 0, 0, 3, 2]
            found = self.backend.batch(self.native(x), self.index(index, integer))
            expect.same(self.host(found), x[index].astype(np.float32), "gathered rows")

    @pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
    def test_fold_with_repeated_indices(self, shape: tuple[int, ...]) -> None:
        """Every row is added where its index says, also several to one place."""
        total, rows, index = eighths(4, *shape), eighths(6, *shape, seed=1), [1, 3, 1, 1, 0, 3]
        found = self.backend.fold(self.native(total), self.index(index), self.native(rows))
        wanted = total.copy()
        np.add.at(wanted, index, rows)
        expect.same(self.host(found), wanted, "folded rows")

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_fold_adds_to_what_is_there(self, dtype: str) -> None:
        """Folding twice adds twice, in the accumulator's dtype."""
        with self.numbers(dtype):
            like = self.native(np.zeros((1, 2)), dtype)
            total = self.backend.zeros((3, 2), like, dtype)
            for _ in range(2):
                total = self.backend.fold(
                    total, self.index([2, 2]), self.native([[1.0, 2.0], [3.0, 4.0]], dtype)
                )
            expect.same(self.host(total), [[0, 0], [0, 0], [8, 12]], "total")
            expect.equal(self.backend.dtype(total), dtype, "dtype")

    @pytest.mark.parametrize("shape", [(1,), (4,)], ids=str)
    def test_add_product(self, shape: tuple[int, ...]) -> None:
        """A factor of each row, or of each number, is multiplied before it is added."""
        total, rows = eighths(3, 4), eighths(3, 4, seed=1)
        factor = eighths(3, *shape, seed=2)
        found = self.backend.add_product(*map(self.native, (total, rows, factor)))
        expect.same(self.host(found), total + rows * factor, "sum and product")

    @pytest.mark.parametrize("integer", ["int32", "int64"])
    def test_pick(self, integer: str) -> None:
        """One entry per row, from outputs with one, two or three axes after the first."""
        with self.numbers(integer):
            columns = [[0, 2, 1, 2], [1, 0, 0, 1], [3, 2, 1, 0]]
            for axes, shape in enumerate([(4, 3), (4, 3, 2), (4, 3, 2, 4)], start=1):
                outputs = order_one(*shape).astype(np.float32)
                native = [self.index(column, integer) for column in columns[:axes]]
                found = self.backend.pick(self.native(outputs), native)
                wanted = outputs[tuple(np.array([range(4), *columns[:axes]]))]
                expect.same(self.host(found), wanted, f"entries picked by {axes} columns")

    @pytest.mark.parametrize("shape", _SHAPES, ids=str)
    def test_row_sums(self, shape: tuple[int, ...]) -> None:
        """All axes but the first are summed; of rank 1 nothing is."""
        x = eighths(*shape)
        found = self.backend.row_sums(self.native(x))
        expect.same(self.host(found), x.reshape(4, -1).sum(axis=1), "sums")

    @pytest.mark.parametrize("shape", _SHAPES, ids=str)
    def test_concat(self, shape: tuple[int, ...]) -> None:
        """Tensors of different lengths are joined along the first axis, in order."""
        parts = [eighths(n, *shape[1:], seed=n) for n in (2, 1, 3)]
        found = self.backend.concat([self.native(part) for part in parts])
        expect.same(self.host(found), np.concatenate(parts), "joined")
        expect.equal(self.backend.dtype(found), "float32", "dtype")

    @pytest.mark.parametrize("shape", _SHAPES[1:], ids=str)
    def test_unstack(self, shape: tuple[int, ...]) -> None:
        """The first axis is taken apart, in order; integers keep their type."""
        x = eighths(*shape)
        parts = list(self.backend.unstack(self.native(x)))
        expect.equal(len(parts), 4, "number of parts")
        for part, wanted in zip(parts, x, strict=True):
            expect.same(self.host(part), wanted, "part")
        counts = list(self.backend.unstack(self.index([[1, 2], [3, 4]])))  # type: ignore[list-item]  # rows of rows
        expect.equal(self.backend.dtype(counts[0]), "int32", "dtype of unstacked integers")

    @pytest.mark.parametrize("shape", _SHAPES, ids=str)
    def test_column(self, shape: tuple[int, ...]) -> None:
        """A number per row, as a tensor that broadcasts against the rows."""
        vector, like = np.array([1.0, 2.0, 3.0, 4.0]), self.native(np.ones(shape))
        found = self.backend.column(self.native(vector), like)
        expect.equal(tuple(found.shape), (4,) + (1,) * (len(shape) - 1), "shape")
        wanted = np.ones(shape) * vector.reshape(4, *(1,) * (len(shape) - 1))
        expect.same(self.host(found * like), wanted, "column times ones")
