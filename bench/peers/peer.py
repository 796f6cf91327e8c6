"""What the scripts beside this one share: their command line."""

import argparse
import os


def parser_of(doc, rounds, seconds):
    """A parser with the program to measure, --seconds, --rounds and --csv."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("program", help="the gallop program of a Release build")
    parser.add_argument("--seconds", type=float, default=seconds, help="of each side in each round")
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--csv", help="also write the rows to this file")
    return parser


def checked_arguments(parser):
    arguments = parser.parse_args()
    if not os.access(arguments.program, os.X_OK):
        parser.error(f"program '{arguments.program}' cannot be run; build Gallop first")
    if arguments.seconds <= 0 or arguments.rounds < 1:
        parser.error("--seconds and --rounds must be above 0")
    return arguments
