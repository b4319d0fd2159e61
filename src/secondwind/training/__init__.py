"""Train a model on rows, and survive whatever happens meanwhile.

    rows 0 1 2 3 | 4 5 6 7 | 8 9 ...       a pure function of the row number
         step 1  |  step 2 | step 3         a pure function of (parameters, optimizer state, step)
                           ^ checkpoint: parameters, optimizer state and a few integers

Since rows, noise, dropout and learning rate are keyed by number, a checkpoint needs no random state
and no position in a file: a killed run that goes on gives the same bytes as one that was never killed.

    settings    how to train, and the learning rate of a step (no torch)
    records     what a stage writes down: counts, metrics, times (no torch)
    loop        `train`: one page
    step        one update: micro-batches, gradients, too little memory
    optimizer   AdamW, Adafactor
    average     the mean of the last parameters
    network     training mode, activation checkpointing, compilation
    stage       the folder of a stage, and what it goes on with
    checkpoint  save whole or not at all, verify, fall back, refuse what does not belong
    guard       NaN and infinity

Import `train` from `secondwind.training.loop`; this page stays free of torch so that recipes can be
checked without it.
"""

from secondwind.training.records import Timing, TrainSummary, read_timing
from secondwind.training.settings import TrainSettings, learning_rate

__all__ = ["Timing", "TrainSettings", "TrainSummary", "learning_rate", "read_timing"]
