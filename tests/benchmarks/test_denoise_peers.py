"""The peers that denoising is raced against do the work they are timed for."""

import json
import subprocess
from pathlib import Path
from random import Random

import numpy as np
import pytest
from benchmarks.denoise import environment, hf_collator, plain_python
from benchmarks.denoise.table import EOS, NUM_ORDINARY, SETTINGS, Rows, raw_rows, restored

from secondwind.denoise import UL2, PrefixDenoiser, SpanDenoiser

NUM_SENTINELS_OF = {2: 1, 3: 1, 40: 7, 512: 85, 2048: 341}  # rint(rint(L / 2) / 3), at least 1: X(3, 50 %)


def by_numpy(row: Rows, number: int, seed: int) -> tuple[list[int], list[int]]:
    inputs, targets = hf_collator.corrupt_row(row, SETTINGS[number], np.random.default_rng(seed))
    return inputs.tolist(), targets.tolist()


def by_lists(row: Rows, number: int, seed: int) -> tuple[list[int], list[int]]:
    return plain_python.corrupt_row(row.tolist(), SETTINGS[number], Random(seed))


PEERS = {"hf_collator": by_numpy, "plain_python": by_lists}


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest):
    return PEERS[request.param]


def test_peers_are_asked_for_the_mixture_of_ul2() -> None:
    ours = []
    for denoiser, rate in UL2:
        assert rate == 1.0
        match denoiser:
            case SpanDenoiser():
                ours.append(("span", denoiser.corruption_rate, denoiser.mean_span_length))
            case PrefixDenoiser():
                ours.append(("prefix", denoiser.target_share, 0.0))
    assert ours == list(SETTINGS)


@pytest.mark.parametrize("length", [2, 3, 17, 40, 512, 2048])
@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_a_peer_writes_rows_that_can_be_restored(peer, number: int, length: int) -> None:
    rows, _ = raw_rows(length, 5, seed=number)
    for seed, row in enumerate(rows):
        inputs, targets = peer(row, number, seed)
        assert targets[-1] == EOS
        assert restored(np.asarray(inputs), np.asarray(targets)) == row.tolist()


@pytest.mark.parametrize("length", NUM_SENTINELS_OF)
def test_a_peer_hides_as_much_as_the_setting_says(peer, length: int) -> None:
    short_spans = SETTINGS.index(("span", 0.5, 3.0))
    row = raw_rows(length, 1, seed=1)[0][0]
    inputs, targets = peer(row, short_spans, 0)
    assert sum(token >= NUM_ORDINARY for token in inputs) == NUM_SENTINELS_OF[length]
    assert sum(1 < token < NUM_ORDINARY for token in targets) == max(round(length / 2), 1)


def test_a_peer_moves_its_spans_and_its_pivot(peer) -> None:
    row = raw_rows(512, 1, seed=2)[0][0]
    for number, setting in enumerate(SETTINGS):
        # T5's placement cannot move a single span: X(64, 15 %) has one in 512 tokens.
        expected = 1 if setting == ("span", 0.15, 64.0) else 2
        assert len({tuple(peer(row, number, seed)[0]) for seed in range(6)}) >= expected


@pytest.mark.parametrize("module", [hf_collator, plain_python], ids=lambda module: Path(module.__file__).stem)
def test_a_peer_counts_every_token_that_it_writes(module) -> None:
    rows, _ = raw_rows(512, len(SETTINGS), seed=3)
    written = module.corrupt_rows(list(rows), list(range(len(SETTINGS))), np.random.default_rng(0))
    # Every row keeps its 512 tokens and closes with EOS; each span costs two sentinels.
    num_spans = [26, 10, 0, 85, 32, 1, 4]
    assert written == len(SETTINGS) * (512 + 1) + 2 * sum(num_spans)


def test_restoring_fails_when_a_sentinel_is_out_of_order() -> None:
    row = raw_rows(64, 1, seed=4)[0][0]
    inputs, targets = by_numpy(row, 3, 0)
    first, second = [place for place, token in enumerate(targets) if token >= NUM_ORDINARY][:2]
    targets[first], targets[second] = targets[second], targets[first]
    with pytest.raises(AssertionError, match="out of order"):
        restored(np.asarray(inputs), np.asarray(targets))


def test_the_seqio_peer_starts_only_after_a_complete_installation_of_these_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("t5==0.9.4\n")
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr(environment, "REQUIREMENTS", requirements)
    assert environment.peer_command() is None
    environment.stamp().touch()
    assert environment.peer_command() is not None
    requirements.write_text("t5==0.9.5\n")
    assert environment.peer_command() is None


@pytest.mark.slow
def test_the_seqio_peer_restores_its_rows_and_answers_over_the_pipe() -> None:
    command = environment.peer_command()
    if command is None:
        pytest.skip("the seqio peer is not installed: python -m benchmarks.denoise.environment")
    subprocess.run([*command, "--check"], cwd=environment.ROOT, check=True, capture_output=True)
    question = json.dumps({"length": 64, "rows": 70})
    run = subprocess.run(
        command, cwd=environment.ROOT, check=True, capture_output=True, text=True, input=f"{question}\n" * 2
    )
    first, second = (json.loads(line) for line in run.stdout.splitlines())
    assert first["tokens"] == second["tokens"] == 64 * 70
    # Spans in 64 tokens, by denoiser: T5 adds neither EOS nor mode token.
    num_spans = [3, 1, 0, 11, 4, 1, 1]
    _, choice = raw_rows(64, 70, seed=0)
    assert first["written"] == second["written"] == 64 * 70 + 2 * sum(num_spans[number] for number in choice)
    assert min(first["seconds"], first["wall_seconds"]) > 0
