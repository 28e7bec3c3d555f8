"""`python -m benchmarks.scaling`: from one machine to the internet, by a model. JSON on stdout.

    python -m benchmarks.scaling [--tenants 10 100 1000 10000 100000] [--assume name=value ...]
                                 [--inputs FILE] [--json | --markdown] [--tornado]
                                 [--plot FILE.svg]

Simulates a day of the queue for each number of tenants, finds the fewest training slots that meet
the targets, and adds up what that asks of the database, the store and the purse. Tables go to
standard error; `--json` prints all of it, `--markdown` the tables as documents have them. What is
measured is read from `measured.json` (`python -m benchmarks.scaling.measuring`), what is assumed is
in `assumptions.py`.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.scaling.assumptions import Assumptions, assumed
from benchmarks.scaling.inputs import MEASURED, Inputs, read_inputs
from benchmarks.scaling.ladder import TENANTS, Days, Rung, rung
from benchmarks.scaling.limits import MOST_TENANTS
from benchmarks.scaling.plot import draw
from benchmarks.scaling.report import Sheet, breaks_sheet, ladder_sheet, tornado_sheet
from benchmarks.scaling.sensitivity import ASSUMED, Swing, tornado
from benchmarks.scaling.sensitivity import MEASURED as SWUNG


def main() -> None:
    asked = arguments()
    inputs, machine = read_inputs(asked.inputs)
    given = assumed(asked.assume)
    screen = Console(stderr=True, width=160)
    with Progress(console=screen, transient=True) as progress:
        found = run(asked, inputs, given, progress)
    for sheet in found.sheets():
        if asked.markdown:
            print(f"{sheet.markdown()}\n")
        else:
            screen.print(sheet.table())
    if asked.json:
        told = {
            "inputs_of": machine,
            "assumptions": asdict(given),
            "slots_a_worker_can_feed": round(inputs.most_slots(), 2),
            **found.told(),
        }
        print(json.dumps(told, indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks.scaling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tenants", type=int, nargs="+", default=list(TENANTS))
    parser.add_argument("--assume", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--inputs", type=Path, default=MEASURED)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--tornado", action="store_true", help="each input halved and doubled")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="the day of the most tenants")
    return parser.parse_args()


class Found:
    """All that was found, as tables and as JSON."""

    def __init__(self, rungs: list[Rung], breaks: dict[str, int], swings: list[Swing]) -> None:
        self.rungs, self.breaks, self.swings = rungs, breaks, swings

    def sheets(self) -> list[Sheet]:
        sheets = [ladder_sheet(self.rungs), breaks_sheet(self.breaks)]
        return sheets + ([tornado_sheet(self.swings)] if self.swings else [])

    def told(self) -> dict[str, object]:
        return {
            "ladder": [each.told() for each in self.rungs],
            "breaks_at_tenants": {
                name: None if at >= MOST_TENANTS else at for name, at in self.breaks.items()
            },
            "tornado": [asdict(each) for each in self.swings],
        }


def run(asked: argparse.Namespace, inputs: Inputs, given: Assumptions, progress: Progress) -> Found:
    days = Days(inputs, given)
    rungs: list[Rung] = []
    for tenants in progress.track(asked.tenants, description="Days"):
        rungs.append(rung(tenants, days, inputs, given))
    day, breaks = days.of(max(asked.tenants)), days.breaks(max(asked.tenants))
    swings: list[Swing] = []
    if asked.tornado:
        bar = progress.add_task("Inputs halved and doubled", total=len(SWUNG) + len(ASSUMED))
        look = lambda: progress.advance(bar)  # noqa: E731 - a callback of one word
        swings = tornado(day, max(asked.tenants), inputs, given, look)
    if asked.plot:
        draw(day, max(asked.tenants), inputs, given, asked.plot)
    return Found(rungs, breaks, swings)


if __name__ == "__main__":
    main()
