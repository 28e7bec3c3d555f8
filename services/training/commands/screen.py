"""Where a command's words go: results to standard output, progress and failures to the other."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import typer
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from morrow import MorrowError
from services.training.commands.failures import Problem, WorkFailed, faults_of, problem_of

WIDTH_WITHOUT_TERMINAL = 160
WHOLE = {"id", "product", ""}  # columns that lose their use when they are cut or wrapped


class Screen:
    """For people, or with `as_json` for machines, who find one JSON value on standard output."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(to_errors=False)
        self.progress = _console(to_errors=True)

    @property
    def animated(self) -> bool:
        """Whether bars can move; otherwise progress is told in lines."""
        return self.progress.is_terminal

    def result(self, value: object, *shown: RenderableType) -> None:
        """What the command was asked for: `value` for machines, `shown` for people.

        Text is shown as it is; the cells of a table are markup, so names in them are escaped.
        """
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False), file=sys.stdout, flush=True)
            return
        for item in shown:
            plain = isinstance(item, str)
            self._out.print(item, highlight=False, soft_wrap=plain, markup=not plain)

    def say(self, line: str) -> None:
        """Progress, in one line; machines that watch no terminal are spared it."""
        if not self.as_json or self.animated:
            self.progress.print(line, highlight=False, soft_wrap=True, markup=False)

    def fail(self, problem: Problem) -> None:
        if self.as_json:
            self.result({"error": problem})
        self.progress.print(f"[bold red]failed:[/] {escape(problem['detail'])}", soft_wrap=True)
        if problem.get("errors"):
            self.progress.print(_fault_table(problem))
        if "request_id" in problem:
            self.progress.print(f"[dim]{problem['code']}, request {problem['request_id']}[/]")


@contextmanager
def screen(as_json: bool) -> Iterator[Screen]:
    """A screen that tells why the work failed, and ends the command with status 1 if it did."""
    opened = Screen(as_json)
    try:
        yield opened
    except WorkFailed as failure:
        opened.fail(failure.problem)
        raise typer.Exit(1) from None
    except MorrowError as error:
        opened.fail(problem_of(error))
        raise typer.Exit(1) from None


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns named in `right` hold numbers."""
    made = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, no_wrap=column in WHOLE)
    return made


def _fault_table(problem: Problem) -> Table:
    shown = table("row", "field", "code", "message", right=("row",))
    for fault in faults_of(problem):
        shown.add_row(*map(escape, (fault.row, fault.field, fault.code, fault.message)))
    return shown


def _console(to_errors: bool) -> Console:
    stream = sys.stderr if to_errors else sys.stdout
    return Console(stderr=to_errors, width=None if stream.isatty() else WIDTH_WITHOUT_TERMINAL)
