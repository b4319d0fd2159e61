"""Runs killed by a real kill -9 end as if nothing had happened: two points here, twenty each night."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("num_points", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_runs_resume_bit_equal_for_full_and_lora_training(num_points):
    # A process of its own: a child may only be forked where no other threads run.
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.kills", "--points", str(num_points)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * num_points + 1
    assert f"{2 * num_points} of {2 * num_points} killed runs ended bit-equal" in lines[-1]
