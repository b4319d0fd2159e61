"""Networks under the one attention rule: load, train on targets, generate, export.

    load(name or folder)        a Hugging Face checkpoint -> LanguageModel (network, tokenizer, vocabulary)
    mask.allowed                THE rule: who may attend to whom in a packed row
    architecture                what a configuration says: windows, positions, what it cannot do
    attention/                  renderers of that rule: by document (fast), by 4-D mask (the oracle)
    backend, proof              the renderer for a network, and the experiment that proves the network obeys
    forward.kept_logits         Batch -> logits, at the wanted positions only
    chunked                     what is computed from logits, a bounded piece at a time
    loss                        Batch -> summed loss over targets, by source; Example -> log-probability
    generate, decoding          bidirectional prefill, then causal decoding with the cache
    export                      LanguageModel -> a plain Hugging Face folder with secondwind.json beside it

This file imports nothing, so that `import secondwind.model` stays light: torch and transformers come
with the submodules. Say `from secondwind.model.load import load`.
"""
