"""Adopt a tokenizer: find or make the special ids that denoising and instructions need.

    Vocabulary.adopt(tokenizer, num_sentinels=3)
        eos, pad    the tokenizer's own, else reserved tokens, else new ones
        sentinels   <extra_id_0> <extra_id_1> <extra_id_2>     reserved tokens first, else new ones
        modes       [R] [S] [X]                                one id each

`encode` is the only place where text becomes ids, in training and in evaluation alike; `decode` is its
inverse.
"""

from secondwind.vocabulary.special import Vocabulary
from secondwind.vocabulary.text import decode, encode
from secondwind.vocabulary.tokenizer import Tokenizer

__all__ = ["Tokenizer", "Vocabulary", "decode", "encode"]
