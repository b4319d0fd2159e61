"""The one order in which the documents of a corpus are read.

    document_order(5, seed=1, epoch=0)  ->  3 0 4 1 2
    document_order(5, seed=1, epoch=1)  ->  1 4 0 2 3

UL2R and its control read the same documents in this same order, so a contrast between them is due
to the objective and not to the luck of the draw.
"""

import numpy as np
import numpy.typing as npt

from secondwind.randomness import key, permuted


def document_order(
    num_documents: int, *, seed: int, epoch: int, places: range | None = None
) -> npt.NDArray[np.int64]:
    """Return the document numbers of one epoch, each exactly once, in reading order; or a part of it."""
    read = range(num_documents) if places is None else places
    return permuted(np.arange(read.start, read.stop), num_documents, key(seed, "document order", epoch))
