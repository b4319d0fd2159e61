"""Renderers of the one rule (`secondwind.model.mask`), each in a file of its own.

    dense       the rule as 4-D masks, under the network's own attention code: the oracle
    document    rows without padding, one small mask a document: the CPU's default
    flex        FlexAttention with block lists that follow from the documents' borders: CUDA
    varlen      two calls of a flash kernel, prefixes and targets: CUDA in half precision
    unpacked    each document a row of its own, without masks: for what can only look back
    flat        a batch as one row [1, T], and where its documents lie
    function    what the network's layers call: hands the layer's heads to the batch's layout

This file imports nothing: say `from secondwind.model.attention.document import DocumentLayout`.
"""
