"""What the command line accepts, and the help that teaches it."""

import argparse
from pathlib import Path
from typing import Any

_EXAMPLES = {
    "run": "secondwind run demo\n  "
    "secondwind run recipe.yaml --set seeds=[1] --set ul2r.tokens=1e6 --out runs/try",
    "show": "secondwind show demo --rows 3\n  secondwind show recipe.yaml --stage flan --rows 2 --json",
    "eval": "secondwind eval runs/demo/models/flan-1 --suite toy\n  "
    "secondwind eval EleutherAI/pythia-160m --suite mmlu --data data --limit 100",
    "report": "secondwind report runs/demo",
    "generate": 'secondwind generate runs/demo/models/flan-1 "Where does Mia live?"\n  '
    'secondwind generate runs/demo/models/ul2r-1 "The ___ sat on the ___."',
    "doctor": "secondwind doctor\n  secondwind doctor runs/demo/models/ul2r-1",
    "schema": "secondwind schema > recipe.schema.json",
    "recipes": "secondwind recipes\n  secondwind recipes demo > my-study.yaml",
}


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="secondwind",
        description="Give an existing language model a second wind: UL2R, Flan and a fair control, from one "
        "recipe, with intervals and costs.",
        epilog="Start with: secondwind run demo        Help on one command: secondwind COMMAND --help",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(_command(commands, "run", "run a whole study; goes on where it stopped"))
    _add_show(_command(commands, "show", "resolve, price and draw a recipe before running it"))
    _add_eval(_command(commands, "eval", "evaluate any model folder or hub name"))
    report = _command(commands, "report", "write one self-contained report.html for a run")
    report.add_argument("run", type=Path, metavar="RUN", help="a run folder, such as runs/demo")
    _add_generate(_command(commands, "generate", "answer a prompt, or fill its blanks (___)"))
    doctor = _command(
        commands, "doctor", "check the environment, and a model's masks, packing and generation"
    )
    doctor.add_argument("model", nargs="?", metavar="MODEL", help="a model folder or hub name")
    _add_json(doctor)
    _command(commands, "schema", "print the JSON Schema of recipes, for editors")
    recipes = _command(commands, "recipes", "list the shipped recipes, or print one")
    recipes.add_argument("name", nargs="?", metavar="NAME", help="the recipe to print")
    _add_json(recipes)
    return parser


def _command(commands: Any, name: str, summary: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"examples:\n  {_EXAMPLES[name]}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="a YAML file, or the name of a shipped recipe")
    parser.add_argument(
        "--set", action="append", default=[], metavar="A.B=C", help="override one field; may be repeated"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    _add_recipe(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="the run folder; default runs/NAME")
    parser.add_argument("--quiet", action="store_true", help="no progress, only the verdict")
    _add_json(parser)


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_recipe(parser)
    parser.add_argument(
        "--stage", choices=("ul2r", "flan", "clm"), default="ul2r", help="whose rows to draw; default ul2r"
    )
    parser.add_argument(
        "--rows", type=_count, default=0, metavar="N", help="training rows to draw; default 0"
    )
    _add_json(parser)


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model folder or hub name, ours or not")
    parser.add_argument("--suite", action="append", required=True, metavar="NAME", help="may be repeated")
    parser.add_argument("--mode", choices=("direct", "cot"), default="direct", help="default direct")
    parser.add_argument("--attention", choices=("trained", "causal", "prefix"), default="trained")
    parser.add_argument("--limit", type=_positive, metavar="N", help="items per subtask; default all")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with benchmark files")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep every prompt, output and score here")
    _add_json(parser)


def _add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a model folder or hub name")
    parser.add_argument(
        "prompt", nargs="+", metavar="PROMPT", help="an instruction, or a text with blanks: ___"
    )
    parser.add_argument("--max-new-tokens", type=_positive, default=64, metavar="N", help="default 64")
    parser.add_argument("--attention", choices=("trained", "causal", "prefix"), default="trained")
    _add_json(parser)


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"got {value}, wanted 0 or more")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {value}, wanted 1 or more")
    return value
