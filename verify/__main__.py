"""`python -m verify RESPONSE GOLD`: the verdict on one response; `-` reads the response from standard input."""

import argparse
import json
import sys
from dataclasses import asdict

from verify.grade import grade
from verify.policy import Policy


def main(arguments: list[str] | None = None) -> int:
    """Prints the verdict as one line of JSON; 0 for correct, 1 for any other status."""
    parser = argparse.ArgumentParser(prog="python -m verify", description=__doc__)
    parser.add_argument("response", help="the response, or - for standard input")
    parser.add_argument("gold", nargs="+", help="the accepted answer, or several")
    parser.add_argument("--problem", help="the question; tells which option a written-out choice is")
    parser.add_argument("--finish-reason", help="`length` marks a reply that was cut off")
    parser.add_argument("--tolerance", type=float, default=0.0, help="relative tolerance (default 0: exact)")
    given = parser.parse_args(arguments)
    response = sys.stdin.read() if given.response == "-" else given.response
    verdict = grade(response, given.gold, given.problem, given.finish_reason, Policy(tolerance=given.tolerance))
    print(json.dumps(asdict(verdict), ensure_ascii=False))
    return 0 if verdict.status == "correct" else 1


if __name__ == "__main__":
    sys.exit(main())
