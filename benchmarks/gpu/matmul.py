"""Measure the rate of bf16 matrix products: what shares of the peak are shares of.

python -m benchmarks.gpu.matmul [--dry-run]
"""

import json
import sys
import time

import torch

_PRODUCTS, _TURNS = 10, 6


def main() -> None:
    dry = "--dry-run" in sys.argv
    size, device = (256, "cpu") if dry else (8192, "cuda")
    # Random, not zeros: idle wires draw less power, and the clock would rise.
    left, right = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = min(_turn(left, right) for _ in range(_TURNS))
    rate = 2.0 * size**3 * _PRODUCTS / seconds
    print(json.dumps({"part": "matmul", "size": size, "flops_per_second": rate}))


def _turn(left: torch.Tensor, right: torch.Tensor) -> float:
    _wait(left)
    started = time.perf_counter()
    for _ in range(_PRODUCTS):
        left @ right
    _wait(left)
    return time.perf_counter() - started


def _wait(tensor: torch.Tensor) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
