"""Computing twice or compiled changes time and memory, and no number beyond rounding."""

import pytest
import torch

from secondwind.errors import ModelError
from secondwind.model.load import LanguageModel
from secondwind.training import loop
from secondwind.training.loop import train
from secondwind.training.network import training_mode
from tests.training.conftest import LORA, TinyRows, make_model, make_settings
from tests.training.test_loop import _metrics, _parameters


def num_layer_forwards(model: LanguageModel) -> list[int]:
    """Count how often the first layer runs, in a list that grows."""
    calls: list[int] = []
    model.network.model.layers[0].self_attn.register_forward_hook(lambda *_: calls.append(1))
    return calls


@pytest.mark.parametrize("adapter", [None, LORA])
def test_activation_checkpointing_computes_twice_with_the_same_bytes(tmp_path, adapter, monkeypatch):
    plain, twice = (make_model(dropout=0.2, adapter=adapter) for _ in range(2))
    monkeypatch.setattr(loop, "check_first_batch", lambda *_, **__: None)  # it computes once in both
    calls = num_layer_forwards(plain), num_layer_forwards(twice)
    train(plain, TinyRows(), make_settings(), tmp_path / "plain")
    train(twice, TinyRows(), make_settings(activation_checkpointing=True), tmp_path / "twice")
    assert len(calls[1]) == 2 * len(calls[0])
    assert _metrics(tmp_path / "twice") == _metrics(tmp_path / "plain")
    assert torch.equal(_parameters(twice), _parameters(plain))


def test_an_architecture_without_activation_checkpointing_is_refused(tmp_path, monkeypatch):
    model = make_model()
    monkeypatch.setattr(type(model.network), "supports_gradient_checkpointing", False)
    with pytest.raises(ModelError, match="'llama' has no activation checkpointing"):
        train(model, TinyRows(), make_settings(activation_checkpointing=True), tmp_path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's compiler imports what torch deprecates
def test_feed_forward_blocks_are_compiled_for_as_long_as_training_lasts():
    network = make_model().network
    block = network.model.layers[0].mlp
    with training_mode(network, make_settings(compile=True)):
        assert block._compiled_call_impl is not None
        assert network.training
    assert block._compiled_call_impl is None
    assert not network.training


def test_an_architecture_whose_blocks_have_other_names_is_refused(monkeypatch):
    monkeypatch.setattr("secondwind.training.network._BLOCKS", ("experts",))
    wanted = "no block that training.compile knows; wanted one called experts"
    mode = training_mode(make_model().network, make_settings(compile=True))
    with pytest.raises(ModelError, match=wanted), mode:
        pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what torch's compiler warns of is its own affair
def test_a_compiled_run_follows_the_plain_one(tmp_path):
    losses = []
    for name, compiled in (("plain", False), ("compiled", True)):
        found: list[float] = []
        settings = make_settings(compile=compiled)
        train(
            make_model(), TinyRows(), settings, tmp_path / name, progress=lambda r, f=found: f.append(r.loss)
        )
        losses.append(found)
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
