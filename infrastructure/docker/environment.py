"""The `.env` of `compose.yaml`: every secret made at random, every image's digest left to be told.

    python -m infrastructure.docker.environment [FILE]

Compose refuses to start until each digest is written behind its name. A file that exists stays as
it is: its passwords are those that the volumes were made with.
"""

import os
import re
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

COMPOSE: Final = Path("compose.yaml")
OUTPUT: Final = Path(".env")
ASKED: Final = re.compile(r"\$\{(\w+):\?")
DIGEST: Final = "_DIGEST"
SECRET_BYTES: Final = 32


def variables(compose: str) -> list[str]:
    """What the compose file must be given, in its order, each once."""
    return list(dict.fromkeys(ASKED.findall(compose)))


def environment(compose: str) -> str:
    """A line for each variable: a random secret of 256 bits, or an empty digest."""
    return "".join(
        f"{name}={'' if name.endswith(DIGEST) else secrets.token_hex(SECRET_BYTES)}\n"
        for name in variables(compose)
    )


def main(arguments: Sequence[str]) -> int:
    output = Path(*arguments) if arguments else OUTPUT
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{output} is there already, and stays as it is", file=sys.stderr)
        return 1
    with os.fdopen(descriptor, "w") as written:
        written.write(environment(COMPOSE.read_text()))
    print(f"{output}: write the digest of each image into it (docs/containers.md)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
