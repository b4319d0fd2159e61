"""Models without masks decode prompts of one length together, as one pass over each would have it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from secondwind.example import Example
from secondwind.model.decoding import END
from secondwind.model.forward import kept_logits
from secondwind.model.generate import decode, generate
from secondwind.model.load import LanguageModel
from secondwind.model.single import single_rows

Loaded = Callable[[str], LanguageModel]
PROMPTS = [np.array(tokens, np.int32) for tokens in ([5, 6, 7], [8], [*range(9, 20)], [20, 21, 22], [23])]
# Attention caches, two kinds of states, none at all (it is kept inside the layers), and one that goes wrong
# in transformers 5.23 with more than one prompt of one token.
DECODED = ["bloom", "mamba", "jamba", "recurrent_gemma", "rwkv"]


@pytest.mark.parametrize("name", DECODED)
def test_decoding_equals_teacher_forcing(name: str, loaded: Loaded) -> None:
    model = loaded(name)
    forced = np.random.default_rng(0).integers(2, 258, (len(PROMPTS), 6)).astype(np.int32)
    seen: list[torch.Tensor] = []

    def choose(logits: torch.Tensor, step: int) -> list[int]:
        seen.append(logits)
        return [END] * len(PROMPTS) if step == 5 else forced[:, step].tolist()

    decode(model, PROMPTS, choose=choose)
    for row, prompt in enumerate(PROMPTS):
        batch = single_rows([Example(prompt, forced[row], "")], model.vocabulary)
        with torch.no_grad():
            expected = kept_logits(
                model.network, batch, batch.loss_mask, attention="causal", backend=model.backend
            )
        decoded = torch.stack([logits[row] for logits in seen])
        torch.testing.assert_close(decoded, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["mamba", "rwkv"])
def test_an_answer_does_not_depend_on_its_batch(name: str, loaded: Loaded) -> None:
    model = loaded(name)
    endless = replace(model, vocabulary=replace(model.vocabulary, eos=10**6))
    made = [
        [answer.tolist() for answer in generate(endless, PROMPTS, max_new_tokens=5, batch_size=size)]
        for size in (1, 2, 32)
    ]
    assert made[0] == made[1] == made[2]


def test_a_row_that_ended_leaves_the_others_as_they_are(loaded: Loaded) -> None:
    model = loaded("mamba")
    endless = replace(model, vocabulary=replace(model.vocabulary, eos=10**6))
    whole = [answer.tolist() for answer in generate(endless, PROMPTS, max_new_tokens=6)]
    stop = whole[0][1]
    stopped = generate(endless, PROMPTS, max_new_tokens=6, stop=frozenset({stop}))
    expected = [answer[: answer.index(stop)] if stop in answer else answer for answer in whole]
    assert [answer.tolist() for answer in stopped] == expected
    assert len({len(answer) for answer in expected}) > 1


def test_a_cache_is_used_where_it_is_right(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass over the prompts, one to check the first step, then one token at a time."""
    network: Any = loaded("mamba").network
    read: list[int] = []
    forward = type(network).forward

    def counted(self: Any, input_ids: torch.Tensor, **settings: Any) -> Any:
        read.append(input_ids.shape[1])
        return forward(self, input_ids=input_ids, **settings)

    monkeypatch.setattr(type(network), "forward", counted)
    prompts = [PROMPTS[0], PROMPTS[3]]
    decode(loaded("mamba"), prompts, choose=lambda _, step: [END, END] if step == 4 else [30, 31])
    assert read == [3, 1, 4, 1, 1, 1]


def test_a_cache_that_is_wrong_is_left_out(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = loaded("mamba").network
    forward = type(network).forward

    def forgetful(self: Any, cache_params: Any = None, **settings: Any) -> Any:
        output = forward(self, cache_params=cache_params, **settings)
        if settings["use_cache"] and cache_params is None:
            for layer in output.cache_params.layers:
                for state in layer.recurrent_states.values():
                    state.zero_()
        return output

    forced = [30, 31, 32, 33]
    seen: list[torch.Tensor] = []

    def choose(logits: torch.Tensor, step: int) -> list[int]:
        seen.append(logits[0])
        return [END] if step == len(forced) else [forced[step]]

    monkeypatch.setattr(type(network), "forward", forgetful)
    decode(loaded("mamba"), PROMPTS[:1], choose=choose)
    monkeypatch.undo()
    tokens = torch.tensor([[*PROMPTS[0].tolist(), *forced]])
    with torch.no_grad():
        expected = network(input_ids=tokens).logits[0, len(PROMPTS[0]) - 1 :]
    torch.testing.assert_close(torch.stack(seen), expected, rtol=1e-4, atol=1e-5)
