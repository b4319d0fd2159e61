"""A tiny configuration of every decoder family that the support table names.

    TINY["mistral"]      settings for `AutoConfig.for_model`, with the model_type

Windows, chunks and blocks are shorter than the examples that are run, so that each has an effect. Small
numbers stand for every part that a family adds: experts, sinks, soft caps, shared and partial rotary heads.
"""

from typing import Any

POSITIONS = 128
_WIDTHS: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": POSITIONS,
}
_GROUPED = {**_WIDTHS, "num_key_value_heads": 2}
_GPT2_WIDTHS = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": POSITIONS}
_FALCON_WIDTHS = {name: value for name, value in _WIDTHS.items() if name != "intermediate_size"}
_SLIDING = {"sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_LOCAL_EXPERTS = {"num_local_experts": 4, "num_experts_per_tok": 2}
_LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
_GEMMA3 = {"head_dim": 8, "query_pre_attn_scalar": 8, **_SLIDING, **_GROUPED}
_MAMBA2 = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_chunk_size": 8}

TINY: dict[str, dict[str, Any]] = {
    "gpt2": {"model_type": "gpt2", **_GPT2_WIDTHS},
    "gpt_bigcode": {"model_type": "gpt_bigcode", **_GPT2_WIDTHS},
    "gptj": {"model_type": "gptj", "rotary_dim": 4, **_GPT2_WIDTHS},
    "gpt_neo": {
        "model_type": "gpt_neo",
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 5,
        "max_position_embeddings": POSITIONS,
    },
    "gpt_neox": {"model_type": "gpt_neox", "rotary_pct": 0.25, **_WIDTHS},
    "opt": {"model_type": "opt", "ffn_dim": 48, "word_embed_proj_dim": 32, **_FALCON_WIDTHS},
    "bloom": {"model_type": "bloom", "hidden_size": 32, "n_layer": 2, "n_head": 4},
    "mpt": {"model_type": "mpt", "d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": POSITIONS},
    "falcon": {"model_type": "falcon", "alibi": False, **_FALCON_WIDTHS},
    "falcon-alibi": {"model_type": "falcon", "alibi": True, "multi_query": False, **_FALCON_WIDTHS},
    "llama": {"model_type": "llama", **_GROUPED},
    "mistral": {"model_type": "mistral", "sliding_window": 5, **_GROUPED},
    "mixtral": {"model_type": "mixtral", **_LOCAL_EXPERTS, **_GROUPED},
    "qwen2": {"model_type": "qwen2", **_GROUPED},
    "qwen3": {"model_type": "qwen3", "head_dim": 16, "tie_word_embeddings": True, **_GROUPED},
    "qwen3_moe": {
        "model_type": "qwen3_moe",
        "head_dim": 8,
        "decoder_sparse_step": 1,
        **_EXPERTS,
        **_GROUPED,
    },
    "gemma": {"model_type": "gemma", "head_dim": 8, **_GROUPED},
    "gemma2": {
        "model_type": "gemma2",
        "head_dim": 8,
        "attn_logit_softcapping": 2.0,
        "final_logit_softcapping": 5.0,
        "query_pre_attn_scalar": 8,
        **_SLIDING,
        **_GROUPED,
    },
    "gemma3": {"model_type": "gemma3_text", **_GEMMA3},
    "gemma3-multimodal": {
        "model_type": "gemma3",
        "text_config": _GEMMA3,
        "vision_config": {
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
    },
    "phi": {"model_type": "phi", **_WIDTHS},
    "phi3": {"model_type": "phi3", **_GROUPED},
    "olmo2": {"model_type": "olmo2", **_GROUPED},
    "olmo3": {"model_type": "olmo3", **_SLIDING, **_GROUPED},
    "stablelm": {"model_type": "stablelm", **_GROUPED},
    "granite": {"model_type": "granite", "embedding_multiplier": 2.0, "logits_scaling": 3.0, **_GROUPED},
    "smollm3": {"model_type": "smollm3", "no_rope_layers": [1, 0], **_GROUPED},
    "cohere": {"model_type": "cohere", **_GROUPED},
    "cohere2": {"model_type": "cohere2", **_SLIDING, **_GROUPED},
    "starcoder2": {"model_type": "starcoder2", "sliding_window": 5, **_GROUPED},
    "glm4": {"model_type": "glm4", "head_dim": 8, **_GROUPED},
    "ernie4_5": {"model_type": "ernie4_5", "head_dim": 8, **_GROUPED},
    "deepseek_v3": {
        "model_type": "deepseek_v3",
        "kv_lora_rank": 16,
        "q_lora_rank": 16,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 8,
        "v_head_dim": 6,
        "n_routed_experts": 4,
        "n_shared_experts": 1,
        "num_experts_per_tok": 2,
        "n_group": 2,
        "topk_group": 1,
        "first_k_dense_replace": 1,
        "moe_intermediate_size": 16,
        "num_key_value_heads": 4,
        **_WIDTHS,
    },
    "gpt_oss": {"model_type": "gpt_oss", "head_dim": 8, **_LOCAL_EXPERTS, **_SLIDING, **_GROUPED},
    "llama4": {
        "model_type": "llama4_text",
        "head_dim": 8,
        "intermediate_size_mlp": 48,
        "num_local_experts": 4,
        "num_experts_per_tok": 1,
        "attention_chunk_size": 8,
        "no_rope_layers": [1, 0],
        **_GROUPED,
    },
    "mamba": {"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8},
    "mamba2": {
        "model_type": "mamba2",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "state_size": 8,
        "num_heads": 4,
        "head_dim": 16,
        "n_groups": 1,
        "chunk_size": 8,
    },
    "jamba": {
        "model_type": "jamba",
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
        "expert_layer_period": 2,
        "expert_layer_offset": 1,
        "mamba_d_state": 8,
        "mamba_dt_rank": 4,
        "use_mamba_kernels": False,
        **_GROUPED,
    },
    "qwen3_next": {
        "model_type": "qwen3_next",
        "head_dim": 8,
        "shared_expert_intermediate_size": 16,
        **_LINEAR,
        **_EXPERTS,
        **_GROUPED,
    },
    "qwen3_5": {"model_type": "qwen3_5_text", "head_dim": 8, **_LINEAR, **_GROUPED},
    "falcon_h1": {"model_type": "falcon_h1", "mamba_d_ssm": 64, "head_dim": 8, **_MAMBA2, **_GROUPED},
    "bamba": {
        "model_type": "bamba",
        "attn_layer_indices": [1],
        "mamba_n_groups": 1,
        **_MAMBA2,
        **_GROUPED,
    },
    "zamba2": {
        "model_type": "zamba2",
        "layers_block_type": ["mamba", "hybrid"],
        "mamba_d_state": 8,
        "mamba_ngroups": 1,
        "n_mamba_heads": 4,
        "chunk_size": 8,
        **_GROUPED,
    },
    "lfm2": {"model_type": "lfm2", "full_attn_idxs": [1], "block_multiple_of": 8, **_GROUPED},
    "recurrent_gemma": {
        "model_type": "recurrent_gemma",
        "lru_width": 32,
        "attention_window_size": 5,
        "block_types": ["recurrent", "attention"],
        "head_dim": 8,
        **_GROUPED,
    },
    "rwkv": {
        "model_type": "rwkv",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "attention_hidden_size": 32,
        "context_length": POSITIONS,
    },
}
