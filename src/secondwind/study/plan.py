"""Arms as paths through the stages, and the order in which their stages run.

    arm          path              trained from
    base         ()                -
    clm          (clm)             base
    ul2r         (ul2r)            base
    flan         (flan)            base
    clm+flan     (clm, flan)       clm         the prefix is shared: `clm` runs once
    ul2r+flan    (ul2r, flan)      ul2r

A node is one trained model: an arm, or a prefix that an arm needs.
"""

from collections.abc import Sequence
from typing import NamedTuple

from secondwind.evaluation import CONTRASTS, Contrast

BASE = "base"


class Node(NamedTuple):
    """One model of a study: the path of stages behind it and its seed."""

    path: tuple[str, ...]
    seed: int

    @property
    def arm(self) -> str:
        """Return the arm's name, `base` for the empty path."""
        return "+".join(self.path) or BASE

    @property
    def name(self) -> str:
        """Return the name of the node's folders."""
        return f"{self.arm}-{self.seed}"

    @property
    def stage(self) -> str:
        """Return the last stage, the one that makes this node from its parent."""
        return self.path[-1]

    @property
    def parent(self) -> "Node":
        """Return the node that this one is trained from."""
        return Node(self.path[:-1], self.seed)


def path_of(arm: str) -> tuple[str, ...]:
    """Split an arm's name into its stages; the base has none."""
    return () if arm == BASE else tuple(arm.split("+"))


def nodes_of(arm: str, seed: int) -> list[Node]:
    """List the nodes on the way to an arm, itself the last; the base has none.

    ul2r+flan, seed 1  ->  ul2r-1, ul2r+flan-1
    """
    path = path_of(arm)
    return [Node(path[:depth], seed) for depth in range(1, len(path) + 1)]


def training_nodes(arms: Sequence[str], seeds: Sequence[int]) -> list[Node]:
    """List every node to train, each once: seed after seed, and parents before their children.

    [ul2r+flan, flan], seeds [1]  ->  ul2r-1, flan-1, ul2r+flan-1
    """
    wanted = {node for arm in arms for seed in seeds for node in nodes_of(arm, seed)}
    order = {"clm": 0, "ul2r": 1, "flan": 2}
    return sorted(wanted, key=lambda n: (n.seed, len(n.path), [order.get(stage, 9) for stage in n.path]))


def evaluation_nodes(arms: Sequence[str], seeds: Sequence[int]) -> list[Node]:
    """List every node to evaluate; the base has no seeds and is evaluated once."""
    nodes = [Node((), seeds[0])] if BASE in arms else []
    return nodes + [Node(path_of(arm), seed) for seed in seeds for arm in arms if arm != BASE]


def contrasts_of(arms: Sequence[str]) -> list[Contrast]:
    """List the contrasts whose arms are all in the study."""
    return [contrast for contrast in CONTRASTS if all(arm in arms for arm, _ in contrast.signs)]
