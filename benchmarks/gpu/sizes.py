"""The networks of a GPU run: shapes of published models with drawn weights, since only time is measured.

125M    GPT-2's body as a Llama, GPT-NeoX' vocabulary      0.6B    Qwen3-0.6B      1.5B    Qwen2.5-1.5B
"""

from typing import Any, NamedTuple


class Size(NamedTuple):
    """A network and how it is trained.

    Args:
        vocabulary: rows of the table, a multiple of 128.
        row_length, rows_per_pass: packed rows computed at once.
        goal: share of the measured matrix rate that a step should reach.
    """

    config: dict[str, Any]
    vocabulary: int
    row_length: int
    rows_per_pass: int
    goal: float | None


_LONGEST = 32_768

SIZES = {
    "125M": Size(
        {
            "model_type": "llama",
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "num_key_value_heads": 12,
            "intermediate_size": 2048,
            "max_position_embeddings": _LONGEST,
            "tie_word_embeddings": True,
        },
        vocabulary=50_304,
        row_length=2048,
        rows_per_pass=16,
        goal=0.45,
    ),
    "0.6B": Size(
        {
            "model_type": "qwen3",
            "hidden_size": 1024,
            "num_hidden_layers": 28,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "intermediate_size": 3072,
            "max_position_embeddings": _LONGEST,
            "tie_word_embeddings": True,
        },
        vocabulary=151_936,
        row_length=2048,
        rows_per_pass=8,
        goal=0.50,
    ),
    "1.5B": Size(
        {
            "model_type": "qwen2",
            "hidden_size": 1536,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "intermediate_size": 8960,
            "max_position_embeddings": _LONGEST,
            "tie_word_embeddings": True,
        },
        vocabulary=151_936,
        row_length=2048,
        rows_per_pass=8,
        goal=0.55,
    ),
    # What a dry run trains: every line of the others, in a second, on any machine.
    "tiny": Size(
        {
            "model_type": "llama",
            "hidden_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "intermediate_size": 48,
            "max_position_embeddings": 1024,
            "tie_word_embeddings": True,
        },
        vocabulary=384,
        row_length=512,
        rows_per_pass=2,
        goal=None,
    ),
}
BACKEND_SIZE = "125M"  # whose layers the attention backends are measured in
BACKEND_ROWS = (2_048, 8_192, 32_768)
DRY_BACKEND_ROWS = (256, 512)
