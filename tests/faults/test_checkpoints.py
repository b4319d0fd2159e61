"""The table of checkpoint faults, every line of it."""

from tests.faults.checkpoints import FAULTS, KINDS, run_table


def test_every_fault_of_every_file_is_refused_by_name_or_falls_back_to_a_verified_checkpoint(tmp_path):
    lines: list[str] = []
    outcomes = run_table(tmp_path, tell=lines.append)
    files = {outcome.file for outcome in outcomes}
    assert {path.split("/")[-1] for path in files} >= {
        "metrics.jsonl", "parameters.safetensors", "optimizer.safetensors", "state.json", "manifest.json",
    }  # fmt: skip
    assert len(outcomes) == len(files) * len(FAULTS) * len(KINDS)
    assert [outcome.line() for outcome in outcomes if not outcome.is_safe] == []
