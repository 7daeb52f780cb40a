"""Checks of the verbs on arrays: conversion, dtypes, zeros, compilation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from polyattr.backend import Tensor
from polyattr.testing import expect
from polyattr.testing.harness import FLOATS, OTHERS, Array, Harness, eighths


class _Sums(NamedTuple):
    """Nested tensors, as core hands them to kernels."""

    parts: list[tuple[Tensor, ...]]
    log: Tensor


class ArrayChecks(Harness):
    """To the framework and back."""

    @pytest.mark.parametrize("dtype", [*FLOATS, *OTHERS])
    def test_round_trip(self, dtype: str) -> None:
        """NumPy to native to NumPy changes no value and no type; bfloat16 comes back as float32."""
        with self.numbers(dtype):
            for values in (_values(dtype, 6), _values(dtype, 24).reshape(2, 3, 4)):
                native = self.native(values, dtype)
                expect.equal(self.backend.dtype(native), dtype, "dtype by name")
                expect.equal(tuple(native.shape), values.shape, "shape")
                expect.same(self.host(native), values, "values")
                wanted = "float32" if dtype == "bfloat16" else dtype
                expect.equal(self.host(native).dtype.name, wanted, "dtype in NumPy")

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64"])
    def test_to_native_keeps_the_dtype_of_the_array(self, dtype: str) -> None:
        """Without a dtype, the array's own is taken."""
        with self.numbers(dtype):
            native = self.backend.to_native(_values(dtype, 6))
            expect.equal(self.backend.dtype(native), dtype, "dtype")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_to_native_converts(self, dtype: str) -> None:
        """A dtype that is named wins over the array's."""
        with self.numbers(dtype):
            x = eighths(3, 2)
            for array in (x, x.astype(np.float32)):
                native = self.backend.to_native(array, None, dtype)
                expect.equal(self.backend.dtype(native), dtype, "dtype")
                expect.same(self.host(native), x, "values")

    def test_to_native_of_any_layout(self) -> None:
        """Views with any strides, and arrays without axes."""
        x = np.arange(24, dtype=np.float32).reshape(4, 6)
        for array in (x.T, x[::-1], x[:, ::2], np.asfortranarray(x), np.array(2.5)):
            native = self.native(array)
            expect.same(self.host(native), array, "values")
        readonly = x.copy()
        readonly.flags.writeable = False
        expect.same(self.host(self.native(readonly)), x, "values of a read-only array")

    def test_to_native_copies(self) -> None:
        """What happens to the array later does not reach the tensor."""
        x = np.ones((4, 3), np.float32)
        native = self.native(x)
        x[:] = 7.0
        expect.same(self.host(native), np.ones((4, 3)), "tensor after its source was overwritten")

    def test_to_numpy_copies(self) -> None:
        """What is written into the array does not reach the tensor; a read-only view will do."""
        native = self.native(np.ones((4, 3)))
        found = self.host(native)
        if found.flags.writeable:
            found[:] = 7.0
        expect.same(self.host(native), np.ones((4, 3)), "tensor after its copy was overwritten")

    def test_to_native_on_the_device_of_another(self) -> None:
        """`like` gives the device, never the dtype or the shape."""
        like = self.native(np.ones((2, 2)))
        native = self.backend.to_native(np.array([1, 2, 3], np.int32), like)
        expect.equal(self.backend.dtype(native), "int32", "dtype")
        expect.same(self.host(native), [1, 2, 3], "values")
        expect.equal(
            self.backend.accelerated(native), self.backend.accelerated(like), "on an accelerator"
        )

    @pytest.mark.parametrize("source", FLOATS)
    @pytest.mark.parametrize("target", FLOATS)
    def test_cast(self, source: str, target: str) -> None:
        """Between all floating types, values that both hold exactly survive."""
        self.need(source)
        self.need(target)
        with self.numbers("float64" if "float64" in (source, target) else source):
            x = eighths(3, 2)
            native = self.native(x, source)
            found = self.backend.cast(native, target)
            expect.equal(self.backend.dtype(found), target, "dtype")
            expect.same(self.host(found), x, "values")
            if source == target:
                expect.true(found is native, "a cast to its own dtype must return the tensor")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_reshape(self, dtype: str) -> None:
        """The same numbers in the same order; one size may be left to be found."""
        with self.numbers(dtype):
            x = eighths(2, 3, 4)
            for shape in ((6, 4), (-1,), (2, -1, 2), (1, 24)):
                found = self.backend.reshape(self.native(x, dtype), shape)
                expect.same(self.host(found), x.reshape(shape), "values")

    @pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2])
    def test_along(self, axis: int) -> None:
        """A matrix on any axis, of one sample and of several, and its gradient."""
        for rows in (1, 2):
            x = eighths(rows, 3, 4, 5)
            matrix = eighths(2, x.shape[axis], seed=1)
            wanted = np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)
            expect.same(
                self.host(self.backend.along(self.native(x), matrix, axis)), wanted, "values"
            )
        if axis % 4:
            _, (gradient,) = self.backend.grad(
                lambda r: self.backend.row_sums(self.backend.along(r[0], matrix, axis)),
                [self.native(x)],
            )
            spread = np.moveaxis(np.zeros_like(x), axis, -1) + matrix.sum(axis=0)
            expect.same(self.host(gradient), np.moveaxis(spread, -1, axis), "gradient")

    def test_cast_of_booleans_and_integers(self) -> None:
        """Truth becomes 0 and 1."""
        mask = self.native(np.array([True, False, True]), "bool")
        expect.same(self.host(self.backend.cast(mask, "float32")), [1, 0, 1], "cast mask")
        expect.same(
            self.host(self.backend.cast(self.index([3, -2]), "float32")), [3, -2], "cast integers"
        )

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_zeros(self, dtype: str) -> None:
        """Zeros of the shape and dtype asked for, whatever those of `like`."""
        with self.numbers(dtype):
            for shape in ((3,), (2, 3), (1, 2, 3, 4)):
                found = self.backend.zeros(shape, self.native([1.0, 2.0]), dtype)
                expect.equal(self.backend.dtype(found), dtype, "dtype")
                expect.same(self.host(found), np.zeros(shape), "zeros")

    @pytest.mark.parametrize("dtype", FLOATS)
    def test_accumulator_dtype(self, dtype: str) -> None:
        """Sums are kept in at least float32, and in float64 for float64."""
        with self.numbers(dtype):
            found = self.backend.accumulator_dtype(self.native([1.0], dtype))
            expect.equal(found, "float64" if dtype == "float64" else "float32", "accumulator")

    def test_own(self) -> None:
        """The same values, as a tensor a gradient can be taken at."""
        x = eighths(3, 2)
        owned = self.backend.own(self.native(x))
        expect.same(self.host(owned), x, "values")
        _, (gradient,) = self.backend.grad(lambda r: self.backend.row_sums(r[0] * r[0]), [owned])
        expect.same(self.host(gradient), 2 * x, "gradient at an owned tensor")

    def test_outline(self) -> None:
        """Shapes and dtype of a result are known, from containers of tensors as arguments."""
        rows = [self.native(np.ones((2, 3))), self.native(np.ones((2, 5)))]

        def function(state: Any, leaves: list[Tensor]) -> Any:
            return leaves[0] @ state["w"] + self.backend.row_sums(leaves[1])[:, None]

        found = self.backend.outline(function, {"w": self.native(np.ones((3, 4)))}, rows)
        expect.equal(tuple(int(n) for n in found.shape), (2, 4), "shape")
        expect.equal(self.backend.dtype(found), "float32", "dtype")

    def test_compile(self) -> None:
        """A compiled function holds no values: its arguments count at every call, in any shape."""

        def function(total: Tensor, rows: list[Tensor], state: dict[str, Tensor]) -> Any:
            return total + rows[0] * state["w"], (self.backend.row_sums(rows[0]),)

        kernel = self.backend.compile(function)
        for seed, n in ((0, 4), (1, 4), (2, 3)):
            total, x, w = (eighths(n, 2, seed=3 * seed + i) for i in range(3))
            first, (second,) = kernel(self.native(total), [self.native(x)], {"w": self.native(w)})
            expect.same(self.host(first), total + x * w, "first result")
            expect.same(self.host(second), x.sum(axis=1), "second result")

    def test_compile_of_nested_arguments(self) -> None:
        """Arguments and results are nested tuples, named ones too, lists, dicts; any is empty."""

        def function(sums: _Sums, parameters: Any, rows: list[Tensor]) -> Any:
            expect.equal(parameters, ({}, []), "what holds no tensor")
            (total,), nothing = sums.parts
            return _Sums([(total + rows[0],), nothing], sums.log * 2.0), {"rows": rows}

        kernel = self.backend.compile(function)
        for seed in (0, 1):
            total, log, x = (eighths(3, 2, seed=3 * seed + i) for i in range(3))
            sums = _Sums([(self.native(total),), ()], self.native(log))
            found, beside = kernel(sums, ({}, []), [self.native(x)])
            ((added,), nothing), doubled = found.parts, found.log
            expect.equal(len(nothing), 0, "tensors in an empty tuple")
            expect.same(self.host(added), total + x, "first result")
            expect.same(self.host(doubled), 2 * log, "second result")
            expect.same(self.host(beside["rows"][0]), x, "third result")

    def test_compile_with_a_donated_argument(self) -> None:
        """An argument that may be overwritten still counts; the others are left alone."""
        kernel = self.backend.compile(
            lambda total, index, rows: self.backend.fold(total, index, rows), donate=0
        )
        index, rows = self.index([1, 1]), self.native([[1.0, 2.0], [3.0, 4.0]])
        total = self.backend.zeros((3, 2), rows, "float32")
        for _ in range(3):
            total = kernel(total, index, rows)
        expect.same(self.host(total), [[0, 0], [12, 18], [0, 0]], "total after three calls")
        expect.same(self.host(rows), [[1, 2], [3, 4]], "rows after three calls")


def _values(dtype: str, size: int) -> Array:
    """Numbers the dtype holds exactly, as NumPy has it; bfloat16 as float32."""
    numbers = np.arange(size) - (0 if dtype in {"uint8", "bool"} else size // 2)
    if dtype == "bool":
        numbers = numbers % 3
    values: Array = numbers.astype("float32" if dtype == "bfloat16" else dtype)
    return values
