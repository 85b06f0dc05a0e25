"""The count of a step's cost, on steps small enough to count by hand."""

import pytest
import tensorflow as tf

from tests.perf.cost import BYTES_A_SECOND, PEAKS, costs, flops_of, read_hlo, total_of


def lowered(function, *arguments: tf.Tensor) -> dict:
    compiled = tf.function(function, jit_compile=True, autograph=False)
    return read_hlo(compiled.experimental_get_compiler_ir(*arguments)(stage="hlo"))


def flops(by_name: dict) -> float:
    return sum(flops_of(one, by_name) for one in by_name.values())


def test_products_convolutions_and_their_gradients() -> None:
    left, right = tf.ones((8, 32)), tf.ones((32, 16))
    assert flops(lowered(lambda a, b: tf.matmul(a, b), left, right)) == 2 * 8 * 32 * 16
    image, kernel = tf.ones((2, 10, 12, 3)), tf.ones((3, 3, 3, 5))
    forward = 2 * (2 * 10 * 12 * 5) * (3 * 3 * 3)

    def convolved(image, kernel):
        return tf.nn.conv2d(image, kernel, 1, "SAME")

    assert flops(lowered(convolved, image, kernel)) == forward

    def gradients(image, kernel):
        with tf.GradientTape() as tape:
            tape.watch([image, kernel])
            loss = tf.reduce_sum(convolved(image, kernel) ** 2)
        return tape.gradient(loss, [image, kernel])

    assert flops(lowered(gradients, image, kernel)) == 3 * forward


def test_a_fourier_transform() -> None:
    assert flops(lowered(lambda x: tf.signal.rfft(x), tf.ones((4, 1024)))) == 4 * 2.5 * 1024 * 10


def test_what_is_fused_costs_no_bytes_and_what_is_kept_is_written_and_read() -> None:
    values = tf.ones((1000,))
    chain = total_of(costs(lowered(lambda x: tf.exp(x * 2.0 + 1.0) - 3.0, values)).values())
    assert chain.n_bytes == 2 * 4000  # read once, written once, whatever is between
    # Two matrices are multiplied after a step that is kept: written once and read by the product.
    a, b = tf.ones((64, 64)), tf.ones((64, 64))
    product = total_of(costs(lowered(lambda a, b: tf.matmul(tf.exp(a), b), a, b)).values())
    size = 64 * 64 * 4
    assert product.n_bytes == 2 * size + 3 * size  # exp reads and writes; the product reads two and writes one
    assert product.seconds == pytest.approx(5 * size / BYTES_A_SECOND)


def test_a_kernel_takes_the_longer_of_its_operations_and_its_bytes() -> None:
    n = 8192
    by_name = lowered(lambda a: tf.matmul(a, a), tf.ones((n, n), tf.bfloat16))
    assert total_of(costs(by_name).values()).seconds == pytest.approx(2 * n**3 / PEAKS["bf16"])
