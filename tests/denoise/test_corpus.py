"""A denoised corpus is a pure function of its key, covers every token, and never overflows its room."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from secondwind.data import TokenShards
from secondwind.denoise import CAUSAL, U_PALM, UL2, DenoisedCorpus, DenoiserMixture, restore
from secondwind.denoise import corpus as corpus_module
from secondwind.denoise.windows import WindowCutter
from secondwind.errors import ExampleError, RecipeError
from secondwind.runs import fingerprint
from tests.denoise.conftest import make_vocabulary

LENGTHS = (1, 2, 5, 40, 300, 1000, 17, 64)


def write_shards(folder: Path, lengths: Sequence[int] = LENGTHS) -> TokenShards:
    """Write documents whose tokens tell where they stand: document d, token t is (37 d + t) % 1000."""
    documents = [(f"d{d}", ((37 * d + np.arange(n)) % 1000).tolist()) for d, n in enumerate(lengths)]
    return TokenShards.write(documents, folder)


def corpus(shards: TokenShards, mixture: DenoiserMixture = U_PALM, **settings: float) -> DenoisedCorpus:
    return DenoisedCorpus(
        shards,
        mixture,
        make_vocabulary(),
        seed=int(settings.get("seed", 1)),
        room=int(settings.get("room", 128)),
        mode_token_dropout=settings.get("dropout", 0.2),
    )


def num_windows(source: DenoisedCorpus, num_tokens: int) -> int:
    """Count the windows of the first epoch: those that hold all its tokens."""
    seen = count = 0
    while seen < num_tokens:
        seen += source.window_length(count)
        count += 1
    return count


@pytest.mark.parametrize("mixture", [U_PALM, UL2, CAUSAL])
def test_every_token_of_an_epoch_is_in_one_window_and_restores(
    tmp_path: Path, mixture: DenoiserMixture
) -> None:
    shards = write_shards(tmp_path / "shards")
    source = corpus(shards, mixture)
    count = num_windows(source, shards.num_tokens)
    restored = [restore(source[index], make_vocabulary()).tolist() for index in range(count)]
    assert restored == [source.window(index).tolist() for index in range(count)]
    everything = sorted(token for window in restored for token in window)
    assert everything == sorted(t for d in range(shards.num_documents) for t in shards.document(d).tolist())


def test_announced_lengths_are_those_of_the_examples_and_fit_the_room(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards"))
    announced = source.lengths(0, 200)
    real = [1 + len(source[i].inputs) + len(source[i].targets) for i in range(200)]  # 1: BOS
    assert announced.tolist() == real
    assert max(real) <= 128


def test_examples_built_together_are_those_built_alone(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards"), UL2)
    count = num_windows(source, sum(LENGTHS)) + 5  # into the second epoch
    order = [*range(0, count, 2), *range(count - 1, 0, -3), 4, 4]
    together = [(e.inputs.tolist(), e.targets.tolist(), e.source) for e in source.examples(order)]
    alone = [(e.inputs.tolist(), e.targets.tolist(), e.source) for e in (source[index] for index in order)]
    assert together == alone


def test_each_denoiser_fills_its_own_room(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", [5000])
    rooms = {"S": 128, "R-3-15": 64, "X-32-15": 32, "X-3-50": 46}
    source = DenoisedCorpus(
        shards, U_PALM, make_vocabulary(), seed=1, room=[rooms[d.name] for d, _ in U_PALM]
    )
    longest = dict.fromkeys(rooms, 0)
    for index, packed in enumerate(source.lengths(0, 60).tolist()):
        name = source[index].source
        longest[name] = max(longest[name], packed)
    assert longest == rooms
    with pytest.raises(ExampleError, match="4 denoisers got 2 rooms"):
        DenoisedCorpus(shards, U_PALM, make_vocabulary(), seed=1, room=[64, 64])


def test_windows_are_the_longest_that_fit(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards", [5000]), CAUSAL, dropout=0)
    # BOS and 127 tokens fill the room of 128; only the window that ends the document is shorter.
    assert [source.window_length(index) for index in range(39)] == [127] * 39


def test_examples_are_the_same_in_any_order_of_access(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards")
    forward = [corpus(shards)[index].targets.tolist() for index in range(60)]
    source = corpus(shards)
    backward = [source[index].targets.tolist() for index in reversed(range(60))]
    assert forward == backward[::-1]


def test_windows_are_the_same_however_many_documents_are_cut_beside_them(tmp_path: Path) -> None:
    # More than 64 documents are cut in parallel, fewer one by one.
    lengths = [700, 1, 90, 2000, 129, 128, 127, 5]
    many = WindowCutter(U_PALM, [128] * 4, make_vocabulary(), seed=1)
    numbers = np.arange(8 * 30)
    together = many.cut(np.asarray(lengths * 30), numbers, epoch=2)
    for document in (0, 3, 5, 8, 235):
        alone = many.cut(np.asarray(lengths * 30), np.array([document]), epoch=2)
        its = together.document == document
        for column in ("window", "start", "length", "denoiser", "packed"):
            assert getattr(alone, column).tolist() == getattr(together, column)[its].tolist()
        assert alone.length.sum() == (lengths * 30)[document]


def test_epochs_and_seeds_draw_other_noise(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "shards", [100])
    first, second = corpus(shards)[0], corpus(shards)[num_windows(corpus(shards), 100)]
    other = corpus(shards, seed=2)[0]
    spelled = [example.inputs.tolist() for example in (first, second, other)]
    assert spelled[0] != spelled[1] and spelled[0] != spelled[2]


def test_rates_and_mode_tokens_come_out_as_set(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards", [60] * 4000), dropout=0.25)
    modes = set(make_vocabulary().modes.values())
    examples = [source[index] for index in range(4000)]
    bare = sum(len(e.inputs) == 0 or int(e.inputs[0]) not in modes for e in examples) / len(examples)
    s_share = sum(e.source == "S" for e in examples) / len(examples)
    assert bare == pytest.approx(0.25, abs=0.03)
    assert s_share == pytest.approx(0.5, abs=0.035)
    assert source.rates() == pytest.approx({"S": 0.5, "R-3-15": 0.25, "X-32-15": 0.125, "X-3-50": 0.125})


def test_the_fingerprint_follows_every_setting(tmp_path: Path) -> None:
    shards = write_shards(tmp_path / "a")
    prints = {
        fingerprint(corpus(shards).identity()),
        fingerprint(corpus(shards, seed=2).identity()),
        fingerprint(corpus(shards, room=100).identity()),
        fingerprint(corpus(shards, UL2).identity()),
        fingerprint(corpus(shards, dropout=0.0).identity()),
        fingerprint(corpus(write_shards(tmp_path / "b", [3])).identity()),
    }
    assert len(prints) == 6
    assert fingerprint(corpus(write_shards(tmp_path / "c")).identity()) in prints


def test_a_room_too_small_for_any_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="fits a room of 3 tokens"):
        corpus(write_shards(tmp_path / "shards"), room=3)


def test_there_is_nothing_before_the_first_example(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards"))
    assert source.examples([]) == []
    with pytest.raises(IndexError, match="0, 1, 2"):
        source[-1]


@pytest.mark.parametrize("dropout", [-0.1, 1.5])
def test_a_dropout_that_is_no_share_is_refused(dropout: float, tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"wanted a share in \[0, 1\]"):
        corpus(write_shards(tmp_path / "shards"), dropout=dropout)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_that_are_no_weights_are_refused(rate: float, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="wanted numbers of at least 0, and one above 0"):
        corpus(write_shards(tmp_path / "shards"), ((CAUSAL[0][0], rate),))


@pytest.mark.parametrize("chunk_windows", [1, 7, 100_000])
def test_chunks_in_which_windows_are_planned_change_no_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_windows: int
) -> None:
    shards = write_shards(tmp_path / "shards", [*LENGTHS, 0, 0, 700, 3])
    whole = corpus(shards)
    monkeypatch.setattr(corpus_module, "_CHUNK_WINDOWS", chunk_windows)
    cut = corpus(shards)
    count = 2 * num_windows(whole, shards.num_tokens) + 5  # into the third epoch
    assert cut.lengths(0, count).tolist() == whole.lengths(0, count).tolist()
    assert [cut.window(i).tolist() for i in range(count)] == [whole.window(i).tolist() for i in range(count)]


def test_lengths_and_names_of_many_windows_are_those_of_each(tmp_path: Path) -> None:
    source = corpus(write_shards(tmp_path / "shards"))
    indices = np.array([*range(0, 300, 3), 7, 7, 2])
    assert source.window_lengths(indices).tolist() == [source.window_length(i) for i in indices.tolist()]
    assert source.count_by_name(indices) == Counter(source.denoiser(i).name for i in indices.tolist())
    assert source.window_lengths(indices[:0]).tolist() == []


def test_with_an_adopted_index_only_the_chunk_of_the_example_is_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module, "_CHUNK_WINDOWS", 8)
    shards = write_shards(tmp_path / "shards")
    first, again = corpus(shards), corpus(shards)
    length = first.window_length(500)
    planned: list[int] = []
    plan = again._plan_chunk
    again._plan = lambda chunk: planned.append(chunk) or plan(chunk)  # type: ignore[method-assign,assignment]
    again.adopt(first.index())
    assert again.window_length(500) == length
    assert len(planned) == 1


def test_a_corpus_without_tokens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="no tokens"):
        corpus(write_shards(tmp_path / "shards", [0, 0]))
