"""`python -m tests.security.attack_unfiltered FILE`: an attack on the ground pickled there, of a
service without filters. Prints the outcome as JSON."""

import asyncio
import json
import pickle
import sys
from dataclasses import asdict
from pathlib import Path

from tests.security.unfiltered import take_filters_out


def main(file: Path) -> None:
    taken_out = take_filters_out()
    from tests.security.attack import attack
    from tests.security.rows import ROWS

    ground, attacker, victim = pickle.loads(file.read_bytes())
    outcome = asyncio.run(attack(ground, attacker, victim, ROWS, bad_keys=False))
    print(json.dumps(asdict(outcome) | {"taken": taken_out.taken, "left": taken_out.left}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
