"""How long ``h2olite --help`` takes, next to importing pandas: ``python tests/benchmarks/startup.py``."""

import subprocess
import sys
import time

COMMANDS = {
    "h2olite --help": ["-m", "h2olite_cli", "--help"],
    "import pandas": ["-c", "import pandas"],
}
RUNS = 10


def seconds(arguments: list[str]) -> float:
    """The least of some runs, the first of which finds the files cold."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    measured = {name: seconds(arguments) for name, arguments in COMMANDS.items()}
    for name, took in measured.items():
        print(f"{name:15} {took:.3f} s")
    limit = 0.25 * measured["import pandas"] + 0.1
    print(f"{'at most':15} {limit:.3f} s: {'kept' if measured['h2olite --help'] <= limit else 'broken'}")
