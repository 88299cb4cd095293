"""Small changes of a module that its tests ought to notice: found in the syntax tree, made in the text.

Operators turned round, conditions negated, numbers and truth values changed, and single statements, arguments and
elements left out. Those last are what safety rules are made of (a check that is not called, a state that is not
counted), and the well-kept tools (cosmic-ray, mutmut) make none of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
CALCULATED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
}


@dataclass(frozen=True)
class Mutation:
    """``start`` and ``end`` are positions in the text; ``new`` stands there instead."""

    line: int
    start: int
    end: int
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]

    def told(self, text: str) -> str:
        """The change as "old -> new", on one line."""
        old = " ".join(text[self.start : self.end].split())
        return f"{old} -> {self.new or '(left out)'}"


def mutations(text: str) -> list[Mutation]:
    """Every mutation of a module, in the order of the text. A few do not compile."""
    source = _Source(text)
    found = {one for node in _code(ast.parse(text)) for one in source.of(node)}
    return sorted(found, key=lambda one: (one.start, one.end, one.new))


def compiles(mutation: Mutation, text: str) -> bool:
    """Whether it still is a program: what is not says nothing about the tests."""
    try:
        ast.parse(mutation.applied(text))
    except SyntaxError:
        return False
    return True


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that is run: no annotations, decorators and imports, and no types in brackets."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or _is_type(node):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.Import | ast.ImportFrom):
                yield from _code(child)


class _Source:
    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = [0]
        for line in text.encode().splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._bytes = text.encode()

    def of(self, node: ast.AST) -> Iterator[Mutation]:
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
                yield from self._between(left, right, *COMPARED[type(operator)])
        elif isinstance(node, ast.BinOp) and type(node.op) in CALCULATED:
            yield from self._between(node.left, node.right, *CALCULATED[type(node.op)])
        elif isinstance(node, ast.BoolOp):
            old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield from self._between(left, right, old, new)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield self._instead(node, f"({self._text(node.operand)})")
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            yield self._instead(node.test, f"not ({self._text(node.test)})")
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield self._instead(node, str(not node.value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            yield self._instead(node, repr(node.value + 1))
        else:
            yield from self._left_out(node)

    def _left_out(self, node: ast.AST) -> Iterator[Mutation]:
        """One statement, argument or element fewer."""
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1:
            yield from self._each_left_out([(one, one) for one in node.elts])
        elif isinstance(node, ast.Dict) and len(node.keys) > 1 and None not in node.keys:
            yield from self._each_left_out(list(zip(node.keys, node.values, strict=True)))  # type: ignore[arg-type]
        elif isinstance(node, ast.Call):
            yield from self._each_left_out([(one, one) for one in node.keywords if one.arg])
        elif isinstance(node, ast.Raise | ast.Continue | ast.Break | ast.AugAssign):
            yield self._instead(node, "pass")
        elif isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Call):
                yield self._instead(node, "pass")
        elif isinstance(node, ast.Return) and not (node.value is None or _is_nothing(node.value)):
            yield self._instead(node, "return None")

    def _each_left_out(self, parts: list[tuple[ast.expr | ast.keyword, ast.expr | ast.keyword]]) -> Iterator[Mutation]:
        for first, last in parts:
            start, end = self._start(first), self._end(last)
            rest = self._bytes[end:]
            comma = rest.lstrip()[:1] == b","
            yield self._mutation(first, start, end + (rest.index(b",") + 1 if comma else 0), "")

    def _between(self, left: ast.expr, right: ast.expr, old: str, new: str) -> Iterator[Mutation]:
        start, end = self._end(left), self._start(right)
        at = self._bytes.find(old.encode(), start, end)
        if at >= 0:
            yield self._mutation(left, at, at + len(old), new)

    def _instead(self, node: ast.expr | ast.stmt, new: str) -> Mutation:
        return self._mutation(node, self._start(node), self._end(node), new)

    def _mutation(self, node: ast.expr | ast.stmt | ast.keyword, start: int, end: int, new: str) -> Mutation:
        first, last = (len(self._bytes[:position].decode()) for position in (start, end))
        return Mutation(node.lineno, first, last, new)

    def _text(self, node: ast.expr) -> str:
        return self._bytes[self._start(node) : self._end(node)].decode()

    def _start(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.keyword) -> int:
        assert node.end_lineno is not None, "given by the parser"
        assert node.end_col_offset is not None, "given by the parser"
        return self._lines[node.end_lineno - 1] + node.end_col_offset


def _is_type(node: ast.AST) -> bool:
    """``Mapping[str, int]``, as in the name of a type: nothing of it is looked at while the program runs."""
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
