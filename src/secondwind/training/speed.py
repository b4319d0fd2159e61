"""How fast a stage was, and which share of what the device can do that is: numbers about times only.

tokens_per_second             waiting for rows included, saving not
flops_per_second / peak       the model FLOPs utilisation (PaLM, arXiv:2204.02311, appendix B)
"""

from typing import Any

from secondwind.training.records import Timing, TrainSummary

# FLOP/s of dense matrix products in bf16, without sparsity, by what torch calls the device. H100 SXM and H200
# 989.4 TFLOP/s: glennklockwood.com/garden/processors/h100. A100 311.9 and L4 125.3 at the highest clock, 121
# in NVIDIA's data sheet: hmc-tech.com/gpu/nvidia-l4-vs-nvidia-a100-40gb. L40S 362.05, as the data sheet is
# quoted at mullet.se (product 355414).
_BF16_PEAKS = {
    "NVIDIA H200": 989e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100 80GB PCIe": 312e12,
    "NVIDIA L40S": 362e12,
    "NVIDIA L4": 121e12,
}


def known_peak(device_name: str, precision: str) -> float | None:
    """Return the published FLOP/s of a device, or None where no source is known for this arithmetic."""
    return _BF16_PEAKS.get(device_name) if precision == "bf16" else None


def stage_speed(summary: TrainSummary, timing: Timing, *, peak: float | None) -> dict[str, Any]:
    """Tabulate how a stage ran.

    Args:
        timing: of all sessions; it counts work that a killed session lost, the summary does not.
        peak: FLOP/s of the device, or None.
    """
    spent = timing.seconds + timing.data_wait_seconds
    flops_per_second = summary.flops / summary.tokens * timing.tokens_per_second
    return {
        "tokens_per_second": timing.tokens_per_second,
        "flops_per_second": flops_per_second,
        "peak_flops_per_second": peak,
        "utilisation": None if peak is None else flops_per_second / peak,
        "padding_share": 1.0 - summary.tokens / summary.rows_tokens,
        "data_wait_share": timing.data_wait_seconds / spent if spent else 0.0,
        "save_seconds": timing.save_seconds,
        "peak_memory_bytes": timing.peak_memory_bytes,
    }
