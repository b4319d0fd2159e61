"""One line a model: what `doctor` found, in the words of the support table.

model   backend    masks  packed  prefix  own loss  generation  export  note
llama   document   ok     ok      ok      ok        ok          ok
bloom   unpacked   ok     no      no      ok        ok          ok      adds ALiBi's bias to its scores ...

ok    checked on this model        no    it cannot; the note says why
FAIL  a check failed               -     not checked
"""

from pathlib import Path
from typing import NamedTuple

from secondwind.study.checks import Check
from secondwind.study.doctor import Examined


class Support(NamedTuple):
    """What one model can do.

    Args:
        masks: every token moves exactly the predictions that may see it, under each attention it has.
        packed: examples that share a row score as they do alone.
        prefix: its inputs can attend in both directions.
        own_loss: its causal loss is that of its own code.
        generation: decoding together, with the cache, equals teacher forcing.
        export: what is written loads again with the same logits.
        note: why something is `no`, or why the backend is a slow one.
    """

    model: str
    backend: str
    masks: str
    packed: str
    prefix: str
    own_loss: str
    generation: str
    export: str
    note: str


def support(examined: Examined) -> Support:
    """Sum up one examination, under the last part of the model's name."""
    checks = {check.name: check for check in examined.checks}
    prefix = checks.get("prefix attention")
    packed = _word(checks, "packing, causal", "packing, prefix")
    return Support(
        model=Path(examined.name).name,
        backend=examined.backend or "-",
        masks=_word(checks, "causal attention", "prefix attention"),
        packed="no" if packed == "ok" and examined.backend == "unpacked" else packed,
        prefix="no" if prefix is not None and prefix.passed is None else _word(checks, "prefix attention"),
        own_loss=_word(checks, "own loss"),
        generation=_word(checks, "generation, causal", "generation, prefix"),
        export=_word(checks, "export"),
        note="; ".join(_notes(examined, prefix)),
    )


def _word(checks: dict[str, Check], *names: str) -> str:
    """Join several checks into one word."""
    found = [checks[name].passed for name in names if name in checks]
    if False in found:
        return "FAIL"
    return "ok" if True in found else "-"


def _notes(examined: Examined, prefix: Check | None) -> list[str]:
    if not examined.backend:
        return [check.finding for check in examined.checks]
    notes: list[str] = []
    if prefix is not None and prefix.passed is None:
        refused = prefix.finding.split(". ")[0]
        refused = refused.split(", so it cannot")[0]
        notes.append(refused.removeprefix(f"'{examined.family}' "))
    if examined.backend == "dense":
        notes.append(examined.reason.split(". ")[0].removeprefix("on the CPU; "))
    return notes
