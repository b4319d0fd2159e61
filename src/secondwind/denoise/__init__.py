"""Denoising: token windows in, examples out, and back again.

spans.py      how many tokens are hidden, and where       noise_mask
denoisers.py  the settings R, S, X, C and their mixtures  UL2, U_PALM, CAUSAL
corrupt.py    one window <-> one example                  denoise, restore, denoised_length
many.py       many windows at once, the same bytes        denoise_many (kernel.py: its compiled loops)
corpus.py     shards of documents -> endless examples     DenoisedCorpus
"""

from secondwind.denoise.corpus import DenoisedCorpus
from secondwind.denoise.corrupt import DenoisedLength, denoise, denoised_length, restore
from secondwind.denoise.denoisers import (
    CAUSAL,
    T5GEMMA2,
    U_PALM,
    UL2,
    CausalDenoiser,
    Denoiser,
    DenoiserMixture,
    PrefixDenoiser,
    SpanDenoiser,
    find_denoiser,
    for_window,
    named_mixture,
    required_sentinels,
    with_causal_share,
)
from secondwind.denoise.many import DenoisedWindows, denoise_many
from secondwind.denoise.spans import SpanCounts, noise_mask, span_counts

__all__ = [
    "CAUSAL",
    "T5GEMMA2",
    "UL2",
    "U_PALM",
    "CausalDenoiser",
    "DenoisedCorpus",
    "DenoisedLength",
    "DenoisedWindows",
    "Denoiser",
    "DenoiserMixture",
    "PrefixDenoiser",
    "SpanCounts",
    "SpanDenoiser",
    "denoise",
    "denoise_many",
    "denoised_length",
    "find_denoiser",
    "for_window",
    "named_mixture",
    "noise_mask",
    "required_sentinels",
    "restore",
    "span_counts",
    "with_causal_share",
]
