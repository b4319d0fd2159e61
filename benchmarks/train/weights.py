"""The network of a job: read from its folder, or drawn, the same for the same seed, on the device itself.

A network of 1.5 B parameters is drawn on a GPU in less than a second; writing it and reading it back would
take a minute of the machine.
"""

from typing import Any

import torch
from benchmarks.train.job import Job
from transformers import AutoConfig, AutoModelForCausalLM


def network_of(job: Job) -> Any:
    """Return the network in float32, on the device of the job, with the attention that peers are given."""
    if not job.drawn:
        network: Any = AutoModelForCausalLM.from_pretrained(
            job.model, dtype=torch.float32, attn_implementation=job.peer_attention
        )
        return network.to(job.device)
    config = AutoConfig.from_pretrained(job.model)
    torch.manual_seed(1)
    with torch.device(job.device):
        return AutoModelForCausalLM.from_config(
            config, dtype=torch.float32, attn_implementation=job.peer_attention
        )
