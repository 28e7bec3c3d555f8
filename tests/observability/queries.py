"""What a query of Prometheus asks for: read by Prometheus' own grammar."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import promql_parser
from promql_parser import AggregateExpr, BinaryExpr, Expr, MatrixSelector, VectorSelector

from infrastructure.observability.catalogue import Metric


@dataclass(frozen=True)
class Asked:
    """A sample that a query asks for, and the labels that it needs for it."""

    sample: str
    labels: frozenset[str]


def faults_of(query: str, metrics: tuple[Metric, ...]) -> list[str]:
    """In words: a query that cannot be read, samples and labels that no metric has."""
    try:
        asked = list(_asked(promql_parser.parse(query), frozenset()))
    except ValueError as error:
        return [f"cannot be read: {error}"]
    known = {sample: metric for metric in metrics for sample in metric.samples}
    return [fault for each in asked for fault in _faults(each, known)]


def samples_of(query: str) -> set[str]:
    """The names of what it asks for."""
    return {each.sample for each in _asked(promql_parser.parse(query), frozenset())}


def summed(query: str) -> set[str]:
    """The samples that are added up as they are, and not by how they grew."""
    found: set[str] = set()

    def visit(each: Expr) -> bool:
        if isinstance(each, AggregateExpr) and str(each.op) == "sum":
            found.update([each.expr.name or ""] if isinstance(each.expr, VectorSelector) else [])
        return True

    promql_parser.walk(promql_parser.parse(query), visit)
    return found


def matched_values(query: str) -> set[tuple[str, str]]:
    """Labels, and the values that they are compared with for equality."""
    return {
        (matcher.name, matcher.value)
        for selector in _selectors(promql_parser.parse(query))
        for matcher in selector.matchers.matchers
        if matcher.op == promql_parser.MatchOp.Equal
    }


def _faults(asked: Asked, known: Mapping[str, Metric]) -> Iterator[str]:
    metric = known.get(asked.sample)
    if metric is None:
        yield f"no metric has the sample {asked.sample}"
        return
    for label in sorted(asked.labels):
        if not metric.has(label):
            yield f"{asked.sample} has no label {label}"


def _asked(expression: Expr, grouped: frozenset[str]) -> Iterator[Asked]:
    match expression:
        case AggregateExpr():
            labels = expression.modifier.labels if expression.modifier else []
            yield from _asked(expression.expr, grouped | set(labels))
        case BinaryExpr():
            yield from _asked(expression.lhs, grouped)
            yield from _asked(expression.rhs, grouped)
        case VectorSelector():
            compared = {matcher.name for matcher in expression.matchers.matchers}
            yield Asked(expression.name or "", grouped | compared)
        case _:
            for inner in _inner(expression):
                yield from _asked(inner, grouped)


def _selectors(expression: Expr) -> list[VectorSelector]:
    found: list[VectorSelector] = []

    def visit(each: Expr) -> bool:
        if isinstance(each, MatrixSelector):
            found.append(each.vector_selector)
        elif isinstance(each, VectorSelector):
            found.append(each)
        return True

    promql_parser.walk(expression, visit)
    return found


def _inner(expression: Expr) -> list[Expr]:
    if isinstance(expression, MatrixSelector):
        return [expression.vector_selector]
    return [*getattr(expression, "args", ()), *filter(None, [getattr(expression, "expr", None)])]
