"""What the varlen layout hands to a kernel, and which kernels it takes."""

import inspect
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention.varlen import varlen_attn

from secondwind.errors import ExampleError
from secondwind.example import Batch
from secondwind.model.attention import varlen
from secondwind.model.attention.function import Call, Settings
from secondwind.model.attention.varlen import Pieces, VarlenLayout, flash_kernel, torch_kernel
from tests.model.attention.kernels import LoopedVarlen, attended_by_rule, looped_kernel
from tests.model.conftest import make_batch

CUDA = torch.device("cuda")


def call(dtype: torch.dtype = torch.bfloat16, *, width: int = 64, **settings: Any) -> Call:
    return Call(4, 2, width, width, dtype, Settings(**settings))


@pytest.fixture
def without_flash_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varlen, "_has_flash_attention", lambda: False)


def test_queries_are_cut_into_prefixes_and_targets_and_empty_ones_left_out(
    packed: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[int], list[int], tuple[int, int]]] = []

    def keep(query: Tensor, key: Tensor, value: Tensor, pieces: Pieces, **rest: Any) -> Tensor:
        seen.append((pieces.query_bounds.tolist(), pieces.key_bounds.tolist(), rest["window"]))
        return looped_kernel(query, key, value, pieces, **rest)

    monkeypatch.setattr(LoopedVarlen, "kernel", staticmethod(lambda settings: keep))
    heads = torch.randn(1, 2, packed.num_tokens, 8)
    LoopedVarlen.of(packed).attend(heads, heads, heads, Settings(window=5))
    assert seen == [
        ([0, 4, 7, 8, 15], [0, 4, 7, 8, 15], (4, 4)),
        ([0, 3, 7, 8, 14, 18], [0, 7, 14, 16, 22, 33], (4, 0)),
    ]


@pytest.mark.parametrize("native", [True, False], ids=["grouped heads", "no grouped heads"])
def test_torchs_kernel_is_called_as_its_signature_says(native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with torch's own signature, and a loop inside, since the kernel needs a GPU."""

    def stand_in(*arguments: Any, **named: Any) -> Tensor:
        bound = inspect.signature(varlen_attn).bind(*arguments, **named)
        bound.apply_defaults()
        a = bound.arguments
        assert a["enable_gqa"] == native
        if not native:
            assert a["query"].shape[1] == a["key"].shape[1]
        pieces = Pieces(a["cu_seq_q"], a["cu_seq_k"], a["max_q"], a["max_k"])
        return looped_kernel(
            a["query"],
            a["key"],
            a["value"],
            pieces,
            window=a["window_size"],
            scale=a["scale"],
            settings=Settings(),
        )

    options = {*inspect.signature(varlen_attn).parameters} - (set() if native else {"enable_gqa"})
    monkeypatch.setattr(varlen, "_torch_options", lambda: frozenset(options))
    monkeypatch.setattr(varlen, "_torch_varlen", lambda: SimpleNamespace(varlen_attn=stand_in))
    _check_kernel(torch_kernel, Settings(window=4), monkeypatch)


def test_flash_attention_is_called_as_its_signature_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def flash_attn_varlen_func(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        cu_seqlens_q: Tensor,
        cu_seqlens_k: Tensor,
        max_seqlen_q: int,
        max_seqlen_k: int,
        dropout_p: float = 0.0,
        softmax_scale: float | None = None,
        causal: bool = False,
        window_size: tuple[int, int] = (-1, -1),
        softcap: float = 0.0,
    ) -> Tensor:
        assert softmax_scale is not None
        assert dropout_p == 0.0
        left, right = window_size
        pieces = Pieces(cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k)
        window = (left, 0 if causal else right)
        settings = Settings(softcap=softcap or None)
        return looped_kernel(q, k, v, pieces, window=window, scale=softmax_scale, settings=settings)

    monkeypatch.setitem(
        sys.modules, "flash_attn", SimpleNamespace(flash_attn_varlen_func=flash_attn_varlen_func)
    )
    _check_kernel(flash_kernel, Settings(softcap=1.5), monkeypatch)


def _check_kernel(kernel: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LoopedVarlen, "kernel", staticmethod(lambda asked: kernel))
    batch = make_batch([[(4, 3), (0, 6)], [(7, 4)]], row_length=14)
    generator = torch.Generator().manual_seed(2)
    heads = [torch.randn(1, h, batch.num_tokens, 8, generator=generator) for h in (4, 2, 2)]
    found = LoopedVarlen.of(batch).attend(*heads, settings)
    torch.testing.assert_close(
        found.double(), attended_by_rule(batch, *heads, settings), rtol=1e-5, atol=1e-5
    )


@pytest.mark.usefixtures("without_flash_attention")
def test_varlen_says_what_it_lacks() -> None:
    assert VarlenLayout.unsupported([call(), call(window=3)], CUDA) is None
    assert "need a CUDA device" in str(VarlenLayout.unsupported([call()], torch.device("cpu")))
    single = VarlenLayout.unsupported([call(torch.float32)], CUDA)
    assert single == "flash kernels compute in bfloat16 or float16, the model in float32"
    assert "at most 256 numbers" in str(VarlenLayout.unsupported([call(width=320)], CUDA))
    assert "no learned sinks" in str(VarlenLayout.unsupported([call(sinks=torch.zeros(4))], CUDA))
    assert "no soft-capped scores" in str(VarlenLayout.unsupported([call(softcap=2.0)], CUDA))
    assert "no dropout" in str(VarlenLayout.unsupported([call(), call(dropout=0.1)], CUDA))


def test_flash_attention_serves_what_torchs_kernel_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varlen, "_has_flash_attention", lambda: True)
    assert VarlenLayout.kernel(Settings(softcap=2.0)) is flash_kernel
    assert VarlenLayout.kernel(Settings(dropout=0.1)) is flash_kernel
    assert VarlenLayout.kernel(Settings(window=3)) is torch_kernel


def test_a_prefix_behind_targets_is_refused(packed: Batch) -> None:
    packed.prefix_mask[1, 3] = True  # in a document without prefix
    with pytest.raises(ExampleError, match="prefix token.* behind a target"):
        VarlenLayout.of(packed)
