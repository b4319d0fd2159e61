"""Denoising: token windows in, examples out, and back again.

spans.py      how many tokens are hidden, and where       noise_mask
denoisers.py  the settings R, S, X, C and their mixtures  UL2, U_PALM, CAUSAL
corrupt.py    one window <-> one example                  denoise, restore, denoised_length
corpus.py     shards of documents -> endless examples     DenoisedCorpus
"""

from secondwind.denoise.corpus import DenoisedCorpus
from secondwind.denoise.corrupt import DenoisedLength, denoise, denoised_length, restore
from secondwind.denoise.denoisers import (
    CAUSAL,
    U_PALM,
    UL2,
    CausalDenoiser,
    Denoiser,
    DenoiserMixture,
    PrefixDenoiser,
    SpanDenoiser,
    named_mixture,
    required_sentinels,
)
from secondwind.denoise.spans import SpanCounts, noise_mask, span_counts

__all__ = [
    "CAUSAL",
    "UL2",
    "U_PALM",
    "CausalDenoiser",
    "DenoisedCorpus",
    "DenoisedLength",
    "Denoiser",
    "DenoiserMixture",
    "PrefixDenoiser",
    "SpanCounts",
    "SpanDenoiser",
    "denoise",
    "denoised_length",
    "named_mixture",
    "noise_mask",
    "required_sentinels",
    "restore",
    "span_counts",
]
