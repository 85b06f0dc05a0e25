"""Convolutions by tiles give what sums of products in float64 give, whatever the size, the register and the thread.

In bfloat16 they give it within its rounding, and to float32's with the rounding played in float64.
"""

import platform
import shutil
from pathlib import Path

import keras
import ml_dtypes
import numpy as np
import pytest

from l3net.inference import winograd, winograd_kernels
from l3net.inference.fold_batch_norms import prepare_for_inference
from l3net.inference.winograd import Chain, TileConvolution
from l3net.models.l3 import embedding_network
from tests import tiny_embedding

LANES = [pytest.param(n, marks=pytest.mark.skipif(n not in winograd.available_lanes(), reason=f"no registers of {n}"))
         for n in (16, 8)]  # fmt: skip
BFLOAT16 = pytest.mark.skipif(not winograd.available_lanes("bfloat16"), reason="no AVX512_BF16")
EVERY_LANES = [*LANES, pytest.param(32, marks=BFLOAT16)]


def drawn(inputs: int, outputs: int, seed: int = 0, **follows: bool) -> TileConvolution:
    rng = np.random.default_rng(seed)
    kernel = rng.normal(0, (4.5 * inputs) ** -0.5, (3, 3, inputs, outputs)).astype(np.float32)
    return TileConvolution(kernel, rng.normal(0, 0.5, outputs).astype(np.float32), **follows)


def images(n: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, *shape)).astype(np.float32)


def by_sums(image: np.ndarray, convolution: TileConvolution) -> np.ndarray:
    """Return the convolution of one image by its definition, float64."""
    height, width, _ = image.shape
    padded = np.pad(image.astype(np.float64), ((1, 1), (1, 1), (0, 0)))
    kernel = convolution.kernel.astype(np.float64)
    sums = sum(padded[y : y + height, x : x + width] @ kernel[y, x] for y in range(3) for x in range(3))
    found = sums + convolution.bias
    if convolution.relu:
        found = np.maximum(found, 0)
    if convolution.pool:
        even = found[: height // 2 * 2, : width // 2 * 2]
        found = even.reshape(height // 2, 2, width // 2, 2, -1).max((1, 3))
    return found


def by_rounded_points(image: np.ndarray, convolution: TileConvolution) -> np.ndarray:
    """Return F(4x4, 3x3) of one image by its matrices, float64, with what is multiplied rounded to bfloat16."""
    points = [0.0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5)]
    others = [[other for other in points if other != point] for point in points]
    to_values = np.array([*(np.append(np.poly(own)[::-1], 0.0) for own in others), np.poly(points)[::-1]])
    kernel_rows = [np.array([1, p, p * p]) / np.prod(p - np.array(own)) for p, own in zip(points, others, strict=True)]
    of_kernel = np.array([*kernel_rows, [0.0, 0.0, 1.0]])
    to_pixels = np.column_stack([np.vander(points, 4, increasing=True).T, [0, 0, 0, 1]])
    (height, width, _), down, across = image.shape, -(-image.shape[0] // 4), -(-image.shape[1] // 4)
    padded = np.pad(image, ((1, 4 * down - height + 1), (1, 4 * across - width + 1), (0, 0))).astype(np.float64)
    pixels = [[padded[y : y + 4 * down : 4, x : x + 4 * across : 4] for x in range(6)] for y in range(6)]
    values = rounded(np.einsum("ai,bj,ijyxc->abyxc", to_values, to_values, pixels, optimize=True))
    kernel = rounded(np.einsum("ai,bj,ijck->abck", of_kernel, of_kernel, convolution.kernel, optimize=True))
    sums = np.einsum("abyxc,abck->abyxk", values, kernel, optimize=True)
    tiles = np.einsum("pa,qb,abyxk->ypxqk", to_pixels, to_pixels, sums, optimize=True)
    return tiles.reshape(4 * down, 4 * across, -1)[:height, :width] + convolution.bias


def rounded(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(ml_dtypes.bfloat16).astype(np.float64)


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_the_extension_is_built_where_it_can_be() -> None:
    """Without it every other test here would be skipped."""
    flags = Path("/proc/cpuinfo").read_text().split() if Path("/proc/cpuinfo").exists() else []
    if platform.machine() != "x86_64" or "avx2" not in flags or shutil.which("g++") is None:
        pytest.skip("no g++, or no CPU with AVX2")
    assert winograd.available_lanes() == ((16, 8) if "avx512f" in flags else (8,))


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("height", "width", "inputs", "outputs"),
    [
        (16, 12, 32, 32),  # whole tiles
        (9, 7, 64, 32),  # a row and three columns of the last tiles
        (33, 30, 32, 64),  # more tiles than are worked on together
        (64, 49, 128, 96),  # a kernel that outgrows the cache
        (2, 3, 32, 32),  # less than a tile
    ],
)
@pytest.mark.parametrize("lanes", LANES)
def test_one_convolution_equals_sums_of_products(lanes, height, width, inputs, outputs, relu, pool) -> None:
    convolution, given = drawn(inputs, outputs, relu=relu, pool=pool), images(2, height, width, inputs)
    found = Chain([convolution], lanes=lanes)(given)
    assert difference(found, np.stack([by_sums(image, convolution) for image in given])) < 3e-6


@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("inputs", [1, 2, 3, 16, 31])
@pytest.mark.parametrize("lanes", LANES)
def test_few_inputs_equal_sums_of_products(lanes: int, inputs: int, relu: bool, pool: bool) -> None:
    convolution, given = drawn(inputs, 64, relu=relu, pool=pool), images(2, 11, 31, inputs)
    found = Chain([convolution], lanes=lanes)(given)
    assert difference(found, np.stack([by_sums(image, convolution) for image in given])) < 1e-6


@pytest.mark.parametrize("lanes", LANES)
def test_a_kernel_of_one_tap_moves_the_image(lanes: int) -> None:
    """Planted: tap (0, 2), from channel c to channel (c + 1) mod 32, brings what lies above and to the right."""
    kernel = np.zeros((3, 3, 32, 32), np.float32)
    kernel[0, 2] = np.roll(np.eye(32), 1, axis=1)
    given = images(1, 11, 10, 32)
    expected = np.zeros_like(given)
    expected[:, 1:, :-1] = np.roll(given, 1, axis=3)[:, :-1, 1:]
    found = Chain([TileConvolution(kernel, np.zeros(32, np.float32))], lanes=lanes)(given)
    np.testing.assert_allclose(found, expected, atol=5e-6)


@pytest.mark.parametrize(("height", "width"), [(257, 197), (128, 199)])  # of the front ends linear and mel128
@pytest.mark.parametrize("lanes", LANES)
def test_a_chain_equals_its_convolutions(lanes: int, height: int, width: int) -> None:
    widths = [(1, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256)]
    chain = [drawn(*pair, seed=n, relu=n < 7, pool=n in (1, 3, 5)) for n, pair in enumerate(widths)]
    given = images(1, height, width, 1)
    expected = given[0]
    for convolution in chain:
        expected = by_sums(expected, convolution)
    found = Chain(chain, lanes=lanes)(given)
    assert found.shape == (1, height // 8, width // 8, 256)
    assert difference(found[0], expected) < 5e-6


@BFLOAT16
@pytest.mark.parametrize(
    ("height", "width", "inputs", "outputs"), [(9, 7, 64, 32), (33, 30, 32, 64), (64, 49, 96, 128)]
)
def test_bfloat16_rounds_what_is_multiplied_and_nothing_else(
    height: int, width: int, inputs: int, outputs: int
) -> None:
    convolution, given = drawn(inputs, outputs), images(2, height, width, inputs)
    found = Chain([convolution], lanes=32)(given)
    assert difference(found, np.stack([by_rounded_points(image, convolution) for image in given])) < 2e-4
    assert 5e-3 < difference(found, np.stack([by_sums(image, convolution) for image in given])) < 2e-2


@BFLOAT16
def test_bfloat16_of_a_network_is_within_a_hundredth() -> None:
    model = embedding(width=1.0)
    sounds = np.random.default_rng(0).normal(0, 0.1, (3, 48000)).astype(np.float32)
    assert 1e-3 < difference(prepare_for_inference(model, "bfloat16")(sounds), np.array(model(sounds))) < 1e-2


@pytest.mark.parametrize("lanes", EVERY_LANES)
def test_neither_threads_nor_other_images_change_a_bit(lanes: int) -> None:
    layers = [drawn(1, 32, relu=True), drawn(32, 64, relu=True, pool=True), drawn(64, 64)]
    given = images(7, 21, 18, 1)
    expected = np.concatenate([Chain(layers, threads=1, lanes=lanes)(image[None]) for image in given])
    for threads in (1, 2, 5):
        chain = Chain(layers, threads=threads, lanes=lanes)
        np.testing.assert_array_equal(chain(given), expected)
        np.testing.assert_array_equal(chain(given[::-1]), expected[::-1])  # memory used before


@pytest.mark.parametrize(("height", "width"), [(9, 7), (32, 24), (3, 2)])
@pytest.mark.parametrize("lanes", EVERY_LANES)
def test_nothing_is_written_beside_its_memory(
    monkeypatch: pytest.MonkeyPatch, lanes: int, height: int, width: int
) -> None:
    made, aligned = [], winograd.aligned_empty

    def within_margins(shape: tuple[int, ...], dtype: type) -> np.ndarray:
        size, margin = int(np.prod(shape)), 4096
        made.append((aligned((size + 2 * margin,), dtype), margin))
        made[-1][0][:] = 12345.0
        return made[-1][0][margin:-margin].reshape(shape)

    def copy_within_margins(values: np.ndarray, dtype: type) -> np.ndarray:
        copy = within_margins(values.shape, dtype)
        copy[...] = values
        return copy

    monkeypatch.setattr(winograd, "aligned_empty", within_margins)
    for module in (winograd, winograd_kernels):
        monkeypatch.setattr(module, "aligned_copy", copy_within_margins)
    layers = [drawn(3, 32, pool=height > 9), drawn(32, 64, pool=True), drawn(64, 32)]
    Chain(layers, threads=1, lanes=lanes)(images(2, height, width, 3))
    assert len(made) == 3 * 2 + 1 + 3  # kernels and biases, outputs, a thread's own
    for memory, margin in made:
        assert (memory[:margin] == memory.dtype.type(12345.0)).all()
        assert (memory[-margin:] == memory.dtype.type(12345.0)).all()


@pytest.mark.parametrize("lanes", EVERY_LANES)
def test_images_of_another_size_after_the_first(lanes: int) -> None:
    convolution = drawn(32, 32)
    chain = Chain([convolution, convolution], lanes=lanes)
    for height, width in ((8, 8), (24, 40), (5, 6)):
        given = images(1, height, width, 32)
        expected = by_sums(by_sums(given[0], convolution), convolution)
        assert difference(chain(given)[0], expected) < (2e-2 if lanes == 32 else 3e-6)


@pytest.mark.parametrize("lanes", EVERY_LANES)
def test_what_is_no_number_is_not_hidden(lanes: int) -> None:
    convolution, given = drawn(32, 32, relu=True, pool=True), images(2, 16, 16, 32)
    clean = Chain([convolution], lanes=lanes)(given)
    given[0, 5, 6, 3] = np.nan
    found = Chain([convolution], lanes=lanes)(given)
    assert np.isnan(found[0, 2:4, 2:4]).all()  # the pixels 4 to 6 by 5 to 7 see it
    np.testing.assert_array_equal(found[1], clean[1])


@pytest.mark.skipif(not winograd.available_lanes(), reason="the extension is not built")
def test_what_it_is_not_made_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(3, 3, 32, 48\).*expected a chain of 3x3, channels in multiples of 32"):
        Chain([drawn(32, 48)])
    with pytest.raises(ValueError, match=r"\(5, 5, 32, 32\)"):
        Chain([TileConvolution(np.zeros((5, 5, 32, 32)), np.zeros(32))])
    with pytest.raises(ValueError, match="expected a chain"):
        Chain([drawn(32, 64), drawn(32, 32)])
    with pytest.raises(ValueError, match="images of 64 channels; expected 32"):
        Chain([drawn(32, 32)])(images(1, 8, 8, 64))


def embedding(**settings: object) -> keras.Model:
    settings = {"front_end": "mel128", "hop_length": 1936, **settings}
    return embedding_network(tiny_embedding.network(**settings), pooling=6144)


def chains_made(monkeypatch: pytest.MonkeyPatch, model: keras.Model) -> list[list[TileConvolution]]:
    made, kind = [], winograd.Chain
    monkeypatch.setattr(winograd, "Chain", lambda chain, **options: made.append(chain) or kind(chain, **options))
    prepare_for_inference(model)
    return made


@pytest.mark.skipif(not winograd.available_lanes(), reason="the extension is not built")
def test_a_network_of_many_channels_has_all_its_convolutions_here(monkeypatch: pytest.MonkeyPatch) -> None:
    (chain,) = chains_made(monkeypatch, embedding(width=0.5))
    assert [convolution.kernel.shape[3] for convolution in chain] == [32, 32, 64, 64, 128, 128, 256, 256]
    assert [convolution.relu for convolution in chain] == [True] * 7 + [False]
    assert [convolution.pool for convolution in chain] == [False, True] * 3 + [False, False]


@pytest.mark.skipif(not winograd.available_lanes(), reason="the extension is not built")
def test_convolutions_of_few_channels_stay_where_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    (chain,) = chains_made(monkeypatch, embedding(width=0.125))
    assert [convolution.kernel.shape[2:] for convolution in chain] == [(16, 32), (32, 32), (32, 64), (64, 64)]
    assert chains_made(monkeypatch, embedding(width=0.03125)) == []


def test_without_the_extension_tensorflow_does_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    model = embedding(width=0.5)
    sounds = np.random.default_rng(0).normal(0, 0.1, (3, 48000)).astype(np.float32)
    expected = prepare_for_inference(model)(sounds)
    monkeypatch.setattr(winograd, "_library", lambda: None)
    assert winograd.available_lanes() == ()
    assert chains_made(monkeypatch, model) == []
    assert difference(prepare_for_inference(model)(sounds), expected) < 1e-5


def test_an_extension_of_another_machine_is_named_and_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "_winograd.other.so").write_bytes(b"not for this machine")
    monkeypatch.setattr(winograd, "__file__", str(tmp_path / "winograd.py"))
    assert winograd._library.__wrapped__() is None
    assert "_winograd.other.so was built for another machine and is not used" in caplog.text


def test_threads_are_those_that_tensorflow_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert winograd.available_threads() == 3
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS")
    assert winograd.available_threads() >= 1
