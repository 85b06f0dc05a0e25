"""The cost of one training step, counted in what XLA is given to compile, against the roofline of a card.

    python -m tests.perf.cost [--batch-size 64] [--precision mixed_bfloat16] [--json FILE]

Nothing is run and no GPU is needed: TensorFlow lowers the whole step (`l3net.training.step`, with the optimizer) to
XLA's HLO, whose instructions say what is multiplied and how large every value is. Floating-point operations of products
and convolutions are exact counts. Bytes are those of a perfect fusion: a product, a convolution or a pooling reads its
operands from memory and writes its result; a sum reads what it is computed from; everything in between happens in
registers. A kernel takes the longer of its operations at the card's peak and its bytes at the memory's. So the sum is a
bound from below on the time of a step, and says where time must go; it is no measurement.
"""

import argparse
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# NVIDIA H100 SXM, data sheet, without sparsity: operations a second by type of number, bytes a second.
PEAKS = {"bf16": 989e12, "f16": 989e12, "f32": 494e12, "fft": 67e12}  # float32 products in TF32; the FFT in float32
BYTES_A_SECOND = 3.35e12
_SIZES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "s16": 2, "f32": 4, "s32": 4, "u32": 4, "s64": 8, "u64": 8}
_SIZES |= {"f64": 8, "c64": 8, "c128": 16}
_LINE = re.compile(r"^\s+(?:ROOT )?%?([\w.-]+) = (\(?)(\w+)\[([\d,]*)\]\S* ([\w-]+)\((.*)$")
_OPERAND = re.compile(r"%([\w.-]+)")
_HEAVY = {"convolution", "dot", "fft", "reduce-window", "select-and-scatter", "gather", "scatter", "sort"}
_FREE = {"constant", "iota", "parameter", "get-tuple-element"}
_OTHER_NAMES = {"reshape", "bitcast", "copy"}  # of the same bytes


@dataclass(frozen=True)
class Instruction:
    """One instruction of the step: what it makes, of what, and which operation of the model it belongs to."""

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    operands: tuple[str, ...]
    attributes: str

    @property
    def n_elements(self) -> int:
        """The number of values it makes."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int:
        """The bytes of its result."""
        return self.n_elements * _SIZES.get(self.dtype, 4)

    @property
    def place(self) -> str:
        """The operation of the model, such as ``gradient_tape/l3/vision_conv_1_1/convolution/...``."""
        found = re.search(r'op_name="([^"]*)"', self.attributes)
        return found[1] if found else ""


@dataclass
class Cost:
    """What some kernels cost."""

    flops: float = 0.0
    n_bytes: float = 0.0
    seconds: float = 0.0

    def add(self, flops: float, n_bytes: float, peak: float) -> None:
        """Add a kernel."""
        self.flops += flops
        self.n_bytes += n_bytes
        self.seconds += max(flops / peak, n_bytes / BYTES_A_SECOND)


def read_hlo(text: str) -> dict[str, Instruction]:
    """Return the instructions of the entry computation of a module in HLO's text form."""
    entry = text[text.index("\nENTRY ") :]
    found = {}
    for line in entry.splitlines()[1:]:
        if match := _LINE.match(line):
            name, is_tuple, dtype, shape, kind, rest = match.groups()
            if is_tuple:
                continue
            inside, _, attributes = rest.partition("), ")
            sizes = tuple(int(size) for size in shape.split(",") if size)
            operands = () if kind in _FREE else tuple(_OPERAND.findall(inside))
            found[name] = Instruction(name, kind, dtype, sizes, operands, attributes)
    return found


def _without_other_names(by_name: dict[str, Instruction]) -> dict[str, Instruction]:
    """Return the instructions without those that only name another's bytes anew; who reads these reads the other."""
    meant: dict[str, str] = {}
    for name, one in by_name.items():
        dims = re.match(r"dimensions=\{([\d,]*)\}", one.attributes) if one.kind == "transpose" else None
        is_in_order = dims is not None and dims[1].split(",") == [str(n) for n in range(len(one.shape))]
        is_other = (one.kind in _OTHER_NAMES or is_in_order) and bool(one.operands) and one.operands[0] in by_name
        meant[name] = meant[one.operands[0]] if is_other else name
    return {
        name: replace(one, operands=tuple(meant.get(operand, operand) for operand in one.operands))
        for name, one in by_name.items()
        if meant[name] == name
    }


def flops_of(one: Instruction, by_name: dict[str, Instruction]) -> float:
    """Return the operations of a product, a convolution or a Fourier transform; 0 of anything else."""
    if one.kind == "convolution":
        kernel = by_name[one.operands[1]]
        labels = re.search(r"dim_labels=\w+_(\w+)->", one.attributes)[1]
        return 2.0 * one.n_elements * kernel.n_elements / kernel.shape[labels.index("o")]
    if one.kind == "dot":
        left = by_name[one.operands[0]]
        dims = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", one.attributes)[1]
        return 2.0 * one.n_elements * math.prod(left.shape[int(dim)] for dim in dims.split(",") if dim)
    if one.kind == "fft":
        length = int(re.search(r"fft_length=\{(\d+)\}", one.attributes)[1])
        rows = by_name[one.operands[0]].n_elements / length
        return 2.5 * length * math.log2(length) * rows  # of real numbers: half of 5 n log n
    return 0.0


def costs(by_name: dict[str, Instruction]) -> dict[str, Cost]:
    """Return the cost of each section of the step."""
    shapes, by_name = by_name, _without_other_names(by_name)
    kept = {name for one in by_name.values() if one.kind in _HEAVY for name in one.operands}
    kept |= {one.name for one in by_name.values() if one.kind in _HEAVY or one.kind in ("parameter", "reduce")}
    kept = {name for name in kept if by_name[name].kind not in ("constant", "iota")}
    sources: dict[str, frozenset[str]] = {}

    def sources_of(name: str) -> frozenset[str]:
        """Return the values in memory from which a value is computed in registers (its operands come before it)."""
        if name not in sources:
            below = (
                frozenset({operand}) if operand in kept else sources_of(operand)
                for operand in by_name[name].operands
                if operand in by_name
            )
            sources[name] = frozenset().union(*below)
        return sources[name]

    for name in by_name:  # in order, so that no chain is walked deeper than one step
        sources_of(name)
    used = {operand for one in by_name.values() for operand in one.operands}
    found: dict[str, Cost] = defaultdict(Cost)
    for one in by_name.values():
        if one.kind in _FREE or (one.name not in kept and one.name in used):
            continue
        read = one.operands if one.kind in _HEAVY else sources_of(one.name)
        n_bytes = one.n_bytes + sum(by_name[name].n_bytes for name in set(read) if name in by_name)
        flops = flops_of(shapes[one.name], shapes)
        peak = PEAKS["fft"] if one.kind == "fft" else PEAKS.get(_precision(one, by_name), PEAKS["f32"])
        found[section_of(one)].add(flops, n_bytes, peak)
    return dict(found)


def _precision(one: Instruction, by_name: dict[str, Instruction]) -> str:
    return by_name[one.operands[0]].dtype if one.kind in ("convolution", "dot") else one.dtype


def section_of(one: Instruction) -> str:
    """Return the part of the step that an instruction belongs to."""
    place = one.place
    way = "backward" if "gradient" in place else "forward"
    if match := re.search(r"(vision|audio)_(?:conv|norm|relu|pool)_(\d)", place):
        return f"{match[1]} block {match[2]}, {way}" if match[2] != "0" else f"{match[1]} input norm, {way}"
    if "front_end" in place:
        return "spectrogram, forward"
    if "fusion" in place or "correspondence" in place or "dense" in place:
        return f"fusion, {way}"
    if "Adam" in place or "Adam" in one.attributes:
        return "optimizer"
    return "the rest: batch, augmentation, penalty, loss"


def hlo_of_step(batch_size: int, precision: str, *, front_end: str, image_size: int, width: float) -> str:
    """Lower the whole training step with its optimizer to HLO, without compiling or running it."""
    import tensorflow as tf

    from l3net.feed import prepare_batch
    from l3net.models import build_l3
    from l3net.training.largest_batch import _batch
    from l3net.training.optimizer import LearningRate, make_optimizer
    from l3net.training.step import training_step

    # Batch norms stay those of Keras, in parts: what they read and write is counted as of everything else.
    model = build_l3(front_end, image_size=image_size, width=width, precision=precision)
    optimizer = make_optimizer(model, LearningRate(1e-5), precision)
    step = training_step(
        model, optimizer, tf.distribute.get_strategy(), prepare_batch, batch_size=batch_size, augment=True, xla=False
    )
    batch = {name: values for name, values in _batch(batch_size, image_size).items() if name != "sample_id"}
    whole = tf.function(step.python_function, jit_compile=True, autograph=False)
    return whole.experimental_get_compiler_ir(batch)(stage="hlo")


def table(found: dict[str, Cost], batch_size: int) -> Iterator[str]:
    """Yield the lines of a table in Markdown: a row for each section, the longest first, and the sum."""
    total = total_of(found.values())
    yield "| part of the step | GFLOP a sample | MB a sample | FLOP a byte | ms a step | share |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, cost in [*sorted(found.items(), key=lambda entry: -entry[1].seconds), ("the whole step", total)]:
        intensity = cost.flops / max(cost.n_bytes, 1.0)
        figures = f"{cost.flops / batch_size / 1e9:.2f} | {cost.n_bytes / batch_size / 1e6:.1f} | {intensity:.0f}"
        yield f"| {name} | {figures} | {1e3 * cost.seconds:.2f} | {cost.seconds / total.seconds:.0%} |"


def total_of(some: Iterable[Cost]) -> Cost:
    """Return the sum of some costs."""
    total = Cost()
    for cost in some:
        total.flops += cost.flops
        total.n_bytes += cost.n_bytes
        total.seconds += cost.seconds
    return total


def main() -> None:
    """Count and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--precision", default="mixed_bfloat16")
    parser.add_argument("--front-end", default="mel256")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--hlo", type=Path, help="read the step from this file, or write it there")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    if options.hlo and options.hlo.exists():
        text = options.hlo.read_text()
    else:
        network = {"front_end": options.front_end, "image_size": options.image_size, "width": options.width}
        text = hlo_of_step(options.batch_size, options.precision, **network)
        if options.hlo:
            options.hlo.write_text(text)
    found = costs(read_hlo(text))
    print("\n".join(table(found, options.batch_size)))
    total = total_of(found.values())
    print(
        f"at most {options.batch_size / total.seconds:.0f} samples/s, {total.flops / total.seconds / 1e12:.0f} TFLOP/s"
    )
    if options.json:
        options.json.write_text(json.dumps({name: vars(cost) for name, cost in found.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
