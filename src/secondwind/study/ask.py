"""One model, outside a study: evaluate it, or ask it a question."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from secondwind import toyworld
from secondwind.evaluation import Protocol, Results, normalized_average
from secondwind.evaluation.engine import ModelRespondent, evaluate
from secondwind.evaluation.infilling import BLANK, infilling_inputs, read_fills
from secondwind.model.generate import generate
from secondwind.model.load import LanguageModel, load
from secondwind.study.ground import TOYWORLD
from secondwind.study.monitor import Monitor, Silent
from secondwind.study.settings import place

Attention = Literal["trained", "causal", "prefix"]


def evaluate_model(
    model: str,
    *,
    suites: Sequence[str],
    mode: Literal["direct", "cot"] = "direct",
    attention: Attention = "trained",
    limit: int | None = None,
    data: Path | None = None,
    out: Path | None = None,
    monitor: Monitor | None = None,
) -> dict[str, Any]:
    """Evaluate any model folder or hub name on suites.

    Args:
        out: keep every prompt, output and score here, and go on from it; None keeps nothing.

    Returns:
        {model, benchmarks: {KEY: {...}}, normalized_average: {...}}.
    """
    watcher: Monitor = monitor or Silent()
    loaded = place(load(model_folder(model), attention="causal"))
    found = Results({})
    with tempfile.TemporaryDirectory() as scratch:
        for name in suites:
            suite = toyworld.suite() if name == "toy" else name
            found |= evaluate(
                loaded,
                Protocol(suite, mode=mode, attention=attention, limit=limit),
                data=data,
                out=out or Path(scratch),
                progress=lambda key, done, total: watcher.progress(key, done, total),
            )
    return {
        "model": model,
        "benchmarks": found.to_json(),
        "normalized_average": normalized_average(found).to_json(),
    }


def answer(model: str, prompt: str, *, max_new_tokens: int = 64, attention: Attention = "trained") -> str:
    """Answer a prompt, or fill its blanks: a text with `___` comes back with the blanks filled."""
    loaded = under(place(load(model_folder(model), attention="causal")), attention)
    respondent = ModelRespondent(loaded)
    blanks = prompt.count(BLANK)
    if blanks == 0:
        inputs = np.asarray(respondent.encode([prompt]), dtype=np.int32)
        return respondent.decode(_continue(loaded, inputs, max_new_tokens)).strip()
    fills = read_fills(
        _continue(loaded, infilling_inputs(prompt, respondent), max_new_tokens), blanks, respondent
    )
    kept = prompt.split(BLANK)
    return "".join(f"{before}[{fill}]" for before, fill in zip(kept, fills.texts, strict=False)) + kept[-1]


def under(model: LanguageModel, attention: Attention) -> LanguageModel:
    """Return the model under an attention; `trained` is what its secondwind.json says, else causal."""
    trained = "prefix" if model.record.get("attention") == "prefix" else "causal"
    return model.with_attention(trained if attention == "trained" else attention)


def model_folder(model: str) -> str:
    """Return the folder of `toyworld:base`; any other name stays as it is."""
    return str(toyworld.base_path(None)) if model == f"{TOYWORLD}base" else model


def _continue(model: LanguageModel, inputs: np.ndarray, max_new_tokens: int) -> list[int]:
    return cast(list[int], generate(model, [inputs], max_new_tokens=max_new_tokens)[0].tolist())
