"""One tiny study, run once for all end-to-end tests: every arm, a two-layer model, a few steps each."""

from pathlib import Path

import pytest

from secondwind import study
from secondwind.recipe import Recipe, loads

TINY = """
name: tiny
pretrain:
  config:
    model_type: llama
    hidden_size: 32
    intermediate_size: 64
    num_hidden_layers: 2
    num_attention_heads: 2
    num_key_value_heads: 1
    max_position_embeddings: 256
    tie_word_embeddings: true
    initializer_range: 0.1
  tokenizer: {vocabulary_size: 600}
  tokens: 12e3
  row_length: 128
  batch_rows: 4
  learning_rate: 5e-3
  checkpoints: [50%]
corpus: {sources: [{path: "toyworld:fresh", limit: 400}], held_out: 5%}
ul2r: {tokens: 5e3, row_length: 128, batch_rows: 4, learning_rate: 2e-3}
flan:
  mixture: proportional
  sources: [{path: "toyworld:tasks"}]
  tokens: 5e3
  row_length: 128
  batch_rows: 4
  learning_rate: 2e-3
  num_tasks: 6
evaluation:
  protocols:
    - {suite: toy, limit: 2}
    - {suite: toy, mode: cot, limit: 2}
    - {suite: perplexity, limit: 6}
    - {suite: infilling, limit: 3}
  attention: [trained, causal]
seeds: [1]
training: {threads: 1, precision: fp32, checkpoint_every: 3}
"""

# Nothing is trained: the toy base and its perplexity.
BASE_ONLY = """
name: base-only
model: {path: "toyworld:base"}
corpus: {sources: [{path: "toyworld:fresh", limit: 100}], held_out: 20%}
evaluation: {protocols: [{suite: perplexity, limit: 4}], attention: [causal]}
arms: [base]
seeds: [1]
training: {threads: 1}
"""


def tiny_recipe() -> Recipe:
    """Return the tiny study's recipe."""
    return loads(TINY, name="tiny.yaml")


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the tiny study and return its folder."""
    return study.run(tiny_recipe(), tmp_path_factory.mktemp("runs") / "tiny")
