"""Planting one small fault: which places of a module can be changed and how, and a fixed sample of them."""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Drawing code of the demo, whose pictures and sounds are held by eye, and text that is generated.
LEFT_OUT = ("__init__.py", "*_things.py", "picture.py", "other_sounds.py", "sound_parts.py", "motion.py", "generate.py")
_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module with one fault: `line` is the source before, `fault` the expression after."""

    module: str
    number: int
    line: str
    fault: str
    start: tuple[int, int]
    end: tuple[int, int]

    @property
    def key(self) -> str:
        """What it is known by in the log, whatever lines come before it and whichever room holds its file."""
        return f"{Path(self.module).name}: {self.line.strip()} -> {self.fault}"

    @property
    def place(self) -> str:
        """The line that it changes, of which a sample has one mutant."""
        return f"{Path(self.module).name}: {self.line.strip()}"

    def source(self, text: str) -> str:
        """Return the module's text with the fault."""
        lines = text.encode().splitlines(keepends=True)
        before = b"".join(lines[: self.start[0] - 1]) + lines[self.start[0] - 1][: self.start[1]]
        after = lines[self.end[0] - 1][self.end[1] :] + b"".join(lines[self.end[0] :])
        return (before + self.fault.encode() + after).decode()


def mutants_of(path: Path, module: str) -> Iterator[Mutant]:
    """Yield every mutant of a module, in the order of its text."""
    text = path.read_text(encoding="utf-8")
    lines, tree = text.splitlines(), ast.parse(text)
    skipped = {id(inner) for node in ast.walk(tree) for outer in _not_code(node) for inner in ast.walk(outer)}
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.expr | ast.Return):
            continue
        for changed in _changes(node):
            start, end = (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)
            # In brackets, because the changed expression stands in the middle of another.
            fault = ast.unparse(changed) if isinstance(node, ast.Return) else f"({ast.unparse(changed)})"
            yield Mutant(module, node.lineno, lines[node.lineno - 1], fault, start, end)


def sample(folder: Path, n: int, drawn: Iterable[str] = (), seed: int = 0) -> list[Mutant]:
    """Return `n` mutants on a line each: those drawn before whose line is still there, then others.

    Lines are drawn by a digest of their text and of their file's name, among all lines of the library that can have a
    mutant, so that the sample stays the same where other lines change and where files move.
    """

    def digest(text: str) -> str:
        return hashlib.sha256(f"{seed}/{text}".encode()).hexdigest()

    by_key: dict[str, Mutant] = {}
    for path in sorted(folder.rglob("*.py")):
        if not any(path.match(pattern) for pattern in LEFT_OUT):
            for mutant in mutants_of(path, path.relative_to(folder).as_posix()):
                by_key.setdefault(mutant.key, mutant)
    found = [by_key[key] for key in drawn if key in by_key]
    lines = {mutant.place for mutant in found}
    others: dict[str, Mutant] = {}
    for mutant in sorted(by_key.values(), key=lambda mutant: digest(mutant.key)):
        if mutant.place not in lines:
            others.setdefault(mutant.place, mutant)
    return [*found, *(others[place] for place in sorted(others, key=digest))][:n]


def _not_code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what of a node is no code that runs for its value: annotations, text and its formatting, messages."""
    if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
        yield node.annotation
    if isinstance(node, ast.FunctionDef) and node.returns is not None:
        yield node.returns
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield from node.decorator_list
    if isinstance(node, ast.JoinedStr):
        yield node
    if isinstance(node, ast.Raise) and node.exc is not None:
        yield node.exc
    if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("_log.", "TypeVar")):
        yield node


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node can be changed to."""
    match node:
        case ast.Compare(left, [operator], right) if type(operator) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(operator)]()], right)
        case ast.BinOp(left, operator, right) if type(operator) in _COMPUTED and not _has_text(node):
            yield ast.BinOp(left, _COMPUTED[type(operator)](), right)
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.USub() | ast.Invert(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Call(function, arguments, keywords):
            if len(arguments) > 1 and not any(
                isinstance(argument, ast.Starred | ast.Constant) for argument in arguments
            ):
                yield ast.Call(function, [arguments[1], arguments[0], *arguments[2:]], keywords)
            named = [keyword for keyword in keywords if keyword.arg]
            if len(named) > 1:  # values of two arguments swapped: the faults of wiring
                first, second = named[0], named[1]
                swapped = {id(first): second.value, id(second): first.value}
                yield ast.Call(function, arguments, [ast.keyword(k.arg, swapped.get(id(k), k.value)) for k in keywords])
            if isinstance(function, ast.Name) and function.id in ("min", "max"):
                yield ast.Call(ast.Name({"min": "max", "max": "min"}[function.id]), arguments, keywords)
        case ast.Return(ast.expr() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))


def _has_text(node: ast.AST) -> bool:
    """Return whether text is joined, or types: their operators are not arithmetic."""
    return any(
        isinstance(x, ast.JoinedStr) or (isinstance(x, ast.Constant) and isinstance(x.value, str | None))
        for x in ast.walk(node)
    )
