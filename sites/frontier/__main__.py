"""`python -m sites.frontier`: write the generated files of both portfolios again."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from sites import library
from sites.frontier.edition import FACTS, write_facts
from sites.frontier.write import write_library


def main() -> None:
    """Read the tables and write sites and portfolios."""
    parser = argparse.ArgumentParser(prog="python -m sites.frontier", description=__doc__)
    parser.add_argument("--csv", type=Path, default=FACTS, help="Folder of Epoch AI's three tables.")
    parser.add_argument("--out", type=Path, default=library.FOLDER, help="Library to write to.")
    parser.add_argument("--facts", type=Path, help="Also copy the columns that are used into this folder.")
    arguments = parser.parse_args()
    if arguments.facts is not None:
        write_facts(arguments.csv, arguments.facts)
    for path in write_library(arguments.csv, arguments.out):
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
