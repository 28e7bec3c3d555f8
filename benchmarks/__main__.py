"""`python -m benchmarks [NAME ...]`: run benchmarks, each in a process of its own, and print what
they printed as one JSON document."""

import argparse
import json
import subprocess
import sys

ALL = ("load_speed", "fit_speed", "search_speed", "main_job")


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", default=ALL, metavar="NAME", help=", ".join(ALL))
    names = parser.parse_args().names
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}: choose from {', '.join(ALL)}")
    results, failed = {}, []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        run = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], stdout=subprocess.PIPE)
        if run.returncode:
            failed.append(name)
        else:
            results[name] = json.loads(run.stdout)
    print(json.dumps(results, indent=2))
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
