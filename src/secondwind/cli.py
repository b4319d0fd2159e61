"""The command line: glue from arguments to rooms, and errors to exit codes.

    0   done
    1   training diverged, or a check of `doctor` failed
    2   wrong input: one error that says what to do
    75  paused by a signal with everything saved; the same command goes on
    130 interrupted between checkpoints; the same command goes on

Heavy imports stand inside the functions that need them, so that `--help` answers at once.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from secondwind.arguments import build_parser
from secondwind.errors import InputError, Paused, SecondWindError

EXIT_FAILED, EXIT_INPUT, EXIT_PAUSED, EXIT_INTERRUPTED = 1, 2, 75, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    # A run must give the same bytes everywhere, and no library may phone home or draw over our progress.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        return _COMMANDS[parsed.command](parsed)
    except InputError as error:
        return _fail(str(error), EXIT_INPUT)
    except Paused as error:
        return _fail(f"paused: {error}", EXIT_PAUSED, label="secondwind")
    except SecondWindError as error:
        return _fail(str(error), EXIT_FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted. Run the same command to go on.", EXIT_INTERRUPTED, label="\nsecondwind")
    except BrokenPipeError:  # `secondwind show ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(message: str, code: int, *, label: str = "secondwind: error") -> int:
    print(f"{label}: {message}", file=sys.stderr)
    return code


def _emit(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _run(arguments: argparse.Namespace) -> int:
    from secondwind import recipe, report, study
    from secondwind.terminal import Terminal, print_verdict

    studies = recipe.expand_sweep(recipe.load(arguments.recipe, overrides=arguments.set))
    for one in studies:
        folder = _run_folder(arguments.out, one.name, swept=len(studies) > 1)
        with Terminal(quiet=arguments.quiet) as terminal:
            study.run(one, folder, monitor=terminal)
        page = report.write_report(folder)
        report.write_cards(folder)
        results = json.loads((folder / "results.json").read_text())
        _emit(results) if arguments.json else print_verdict(results, page)
    return 0


def _run_folder(out: Path | None, name: str, *, swept: bool) -> Path:
    """Return runs/NAME, or the folder of --out, which a sweep fills with one folder per study."""
    if out is None:
        return Path("runs") / name
    return out / name if swept else out


def _show(arguments: argparse.Namespace) -> int:
    from secondwind import recipe, study
    from secondwind.terminal import Terminal, print_preview

    loaded = recipe.load(arguments.recipe, overrides=arguments.set)
    with Terminal(quiet=True) as terminal:
        preview = study.preview(loaded, stage=arguments.stage, rows=arguments.rows, monitor=terminal)
    _emit(preview.to_json()) if arguments.json else print_preview(preview)
    return 0


def _eval(arguments: argparse.Namespace) -> int:
    from secondwind import study
    from secondwind.terminal import Terminal, print_scores

    with Terminal(quiet=arguments.json) as terminal:
        results = study.evaluate_model(
            arguments.model,
            suites=arguments.suite,
            mode=arguments.mode,
            attention=arguments.attention,
            limit=arguments.limit,
            data=arguments.data,
            out=arguments.out,
            monitor=terminal,
        )
    _emit(results) if arguments.json else print_scores(results)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from secondwind import report

    report.write_cards(arguments.run)
    print(report.write_report(arguments.run))
    return 0


def _generate(arguments: argparse.Namespace) -> int:
    from secondwind import study

    answers = [
        study.answer(
            arguments.model, prompt, max_new_tokens=arguments.max_new_tokens, attention=arguments.attention
        )
        for prompt in arguments.prompt
    ]
    _emit(answers) if arguments.json else print("\n".join(answers))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from secondwind import study
    from secondwind.terminal import print_checks

    checks = study.environment() + (study.examine(arguments.model) if arguments.model else [])
    _emit([check._asdict() for check in checks]) if arguments.json else print_checks(checks)
    return EXIT_FAILED if any(check.passed is False for check in checks) else 0


def _schema(_: argparse.Namespace) -> int:
    from secondwind import recipe

    _emit(recipe.schema())
    return 0


def _recipes(arguments: argparse.Namespace) -> int:
    from secondwind import recipe
    from secondwind.terminal import print_recipes

    shipped = recipe.shipped()
    if arguments.name:
        if arguments.name not in shipped:
            raise InputError(f"no shipped recipe '{arguments.name}'. Shipped: {', '.join(shipped)}.")
        print(shipped[arguments.name].read_text(encoding="utf-8"), end="")
    elif arguments.json:
        _emit(sorted(shipped))
    else:
        print_recipes(shipped)
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "show": _show,
    "eval": _eval,
    "report": _report,
    "generate": _generate,
    "doctor": _doctor,
    "schema": _schema,
    "recipes": _recipes,
}

if __name__ == "__main__":
    sys.exit(main())
