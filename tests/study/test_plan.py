"""Arms share their prefixes, parents come first, and contrasts need all their arms."""

from secondwind.evaluation import CONTRASTS
from secondwind.study.plan import contrasts_of, evaluation_nodes, path_of, training_nodes

ALL = ("base", "clm", "ul2r", "flan", "clm+flan", "ul2r+flan")


def test_shared_prefixes_are_trained_once_and_before_what_needs_them() -> None:
    names = [node.name for node in training_nodes(ALL, [1])]
    assert names == ["clm-1", "ul2r-1", "flan-1", "clm+flan-1", "ul2r+flan-1"]


def test_a_prefix_that_is_no_arm_is_trained_all_the_same() -> None:
    assert [node.name for node in training_nodes(["ul2r+flan"], [7])] == ["ul2r-7", "ul2r+flan-7"]


def test_every_seed_is_trained_and_the_base_is_evaluated_once() -> None:
    assert len(training_nodes(ALL, [1, 2, 3])) == 15
    nodes = [node.name for node in evaluation_nodes(ALL, [1, 2])]
    assert nodes.count("base-1") == 1 and "base-2" not in nodes
    assert len(nodes) == 11


def test_nodes_know_their_parent_and_stage() -> None:
    node = training_nodes(["clm+flan"], [3])[-1]
    assert (node.arm, node.stage, node.parent.name, node.parent.parent.name) == (
        "clm+flan",
        "flan",
        "clm-3",
        "base-3",
    )
    assert path_of("base") == ()


def test_contrasts_balance_and_are_left_out_without_their_arms() -> None:
    assert all(sum(sign for _, sign in contrast.signs) == 0 for contrast in CONTRASTS)
    assert [contrast.name for contrast in contrasts_of(["base", "flan"])] == ["flan - base"]
    assert len(contrasts_of(ALL)) == len(CONTRASTS)


def test_a_contrast_is_named_by_its_arms() -> None:
    named = {contrast.name: contrast.signs for contrast in CONTRASTS if " - " in contrast.name}
    assert named == {name: tuple(zip(name.split(" - "), (1, -1), strict=True)) for name in named}
    assert len(named) == len(CONTRASTS) - 1 and named["ul2r - clm"] == (("ul2r", 1), ("clm", -1))
