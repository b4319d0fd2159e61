"""From the results of a GPU run to one table: shares of the matrix rate, ratios, and what missed its goal."""

from typing import Any

from benchmarks.gpu.parts import Kept
from benchmarks.gpu.sizes import SIZES

TRL = ("trl", "trl-flex")
TRL_GOAL = 1.2
_LOSS_TOLERANCE = 2e-2  # between a backend and the dense mask, or two contenders, in bf16
_GIB = 2**30


def summary_of(kept: Kept, *, dry: bool) -> dict[str, Any]:
    """Put the results together; `faults` says all that is not as it should be."""
    rates = [record["flops_per_second"] for record in kept.of("matmul")]
    rate = rates[0] if rates else None
    tests = kept.of("parity")
    outcomes = [record["outcome"] for record in tests]
    training = [_trained(record, rate) for record in kept.of("training")]
    backends = kept.of("backends")
    faults = [f"{one['name']}: {one['ended']}" for one in kept.of("run") if one["ended"] != "done"]
    faults += _loss_faults(training, backends)
    if not dry:
        faults += [f"{one['test']}: {one['outcome']}" for one in tests if one["outcome"] != "passed"]
        faults += [f"backend {one['backend']}: {one['error']}" for one in backends if "error" in one]
        faults += _missed(training)
    return {
        "environment": kept.of("environment")[0],
        "matrix_flops_per_second": rate,
        "parity": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
        "training": training,
        "backends": backends,
        "faults": faults,
        "is_well": not faults,
    }


def _trained(record: dict[str, Any], rate: float | None) -> dict[str, Any]:
    if rate is None or "flops_per_second" not in record:
        return record
    return record | {"share_of_matrix_rate": record["flops_per_second"] / rate}


def _missed(training: list[dict[str, Any]]) -> list[str]:
    """Name the goals that were measured and not reached."""
    missed: list[str] = []
    for size in dict.fromkeys(record["size"] for record in training):
        of_size = {record["contender"]: record for record in training if record["size"] == size}
        share, goal = of_size.get("ul2r", {}).get("share_of_matrix_rate"), SIZES[size].goal
        if share is not None and goal is not None and share < goal:
            missed.append(f"{size}: {share:.0%} of the matrix rate, goal {goal:.0%}")
        ratio = trl_ratio(of_size)
        if ratio is not None and ratio < TRL_GOAL:
            missed.append(f"{size}: {ratio:.2f} times TRL's tokens/s, goal {TRL_GOAL:g}")
    return missed


def trl_ratio(of_size: dict[str, dict[str, Any]]) -> float | None:
    """Return our tokens/s over those of TRL's fastest attention, if both were measured."""
    ours = of_size.get("ours", {}).get("tokens_per_second")
    of_trl = [of_size.get(name, {}).get("tokens_per_second") for name in TRL]
    fastest = max((rate for rate in of_trl if rate), default=None)
    return ours / fastest if ours and fastest else None


def _loss_faults(training: list[dict[str, Any]], backends: list[dict[str, Any]]) -> list[str]:
    """Say where two did not compute the same: contenders at the first step, backends at all."""
    faults: list[str] = []
    first = {
        (record["size"], record["contender"]): record["losses"][0]
        for record in training
        if record.get("losses")
    }
    for (size, contender), loss in first.items():
        wanted = first.get((size, "ours"))
        if contender in TRL and wanted is not None and abs(loss - wanted) > _LOSS_TOLERANCE:
            met = f"{contender} begins with loss {loss:.4f}, ours with {wanted:.4f}"
            faults.append(f"{size}: {met}: not the same training")
    dense = {
        one["row_length"]: one["loss"] for one in backends if one["backend"] == "dense" and "loss" in one
    }
    for one in backends:
        wanted = dense.get(one["row_length"])
        if "loss" in one and wanted is not None and abs(one["loss"] - wanted) > _LOSS_TOLERANCE:
            faults.append(
                f"{one['backend']} at {one['row_length']}: loss {one['loss']:.4f}, dense {wanted:.4f}"
            )
    return faults


def print_summary(summary: dict[str, Any]) -> None:
    """Print the table."""
    here = summary["environment"]
    print(
        f"\n{here.get('device') or 'no GPU'}; torch {here['torch']}, transformers {here['transformers']}, ",
        end="",
    )
    print(f"TRL {here['trl'] or 'missing'}")
    rate = summary["matrix_flops_per_second"]
    print(
        f"bf16 matrix products: {rate / 1e12:,.1f} TFLOP/s" if rate else "bf16 matrix products: not measured"
    )
    print(
        "parity: "
        + (", ".join(f"{n} {outcome}" for outcome, n in summary["parity"].items()) or "no test ran")
    )
    print(f"\n{'size':<6} {'contender':<10} {'tokens/s':>12} {'of matrix rate':>15} {'extra peak':>12}")
    for one in summary["training"]:
        told = one.get("skipped") or _columns(one)
        print(f"{one['size']:<6} {one['contender']:<10} {told}")
    for size in dict.fromkeys(one["size"] for one in summary["training"]):
        ratio = trl_ratio({one["contender"]: one for one in summary["training"] if one["size"] == size})
        if ratio is not None:
            print(f"{size:<6} ours / TRL {ratio:>11.2f}")
    print(f"\n{'backend':<10} {'row':>6} {'tokens/s':>12} {'extra peak':>12} {'first pass':>11} {'loss':>9}")
    for one in summary["backends"]:
        print(f"{one['backend']:<10} {one['row_length']:>6} {one.get('error') or _pass_columns(one)}")
    for fault in summary["faults"]:
        print(f"MISSED  {fault}")


def _columns(one: dict[str, Any]) -> str:
    share = one.get("share_of_matrix_rate")
    told = "" if share is None else f"{share:.1%}"
    return f"{one['tokens_per_second']:>12,.0f} {told:>15} {one['extra_peak_bytes'] / _GIB:>8,.2f} GiB"


def _pass_columns(one: dict[str, Any]) -> str:
    peak = one["extra_peak_bytes"]
    told = "" if peak is None else f"{peak / _GIB:,.2f} GiB"
    return f"{one['tokens_per_second']:>12,.0f} {told:>12} {one['first_seconds']:>9.1f} s {one['loss']:>9.4f}"
