"""Figures are well-formed, described in words, stay inside their box, and put things where they belong."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondwind.report.figures import WIDTH, Line, Mark, PlotRow, clip, interval_plot, loss_plot, ticks
from secondwind.report.plots import averages_figure, forests, stage_figures, summary_figure
from secondwind.report.records import Results, read_run

from .conftest import BENCHMARKS, toy_results

finite = st.floats(-1e6, 1e6)


def draw(rows: list[PlotRow], *, zero: bool = False) -> ElementTree.Element:
    """Draw rows and parse the drawing."""
    return ElementTree.fromstring(interval_plot(rows, name="x", title="T", description="D", zero=zero))


def points_of(figure: ElementTree.Element) -> list[float]:
    """Return where the dots lie."""
    return [float(circle.get("cx", "nan")) for circle in figure.iter("circle")]


def test_figure_has_a_title_and_a_description_that_label_it():
    figure = draw([PlotRow("a", "1", (Mark(1.0, (0.0, 2.0)),))])
    assert figure.get("aria-labelledby") == "x-title x-desc"
    assert (figure.findtext("title"), figure.findtext("desc")) == ("T", "D")


def test_larger_values_lie_further_right_and_zero_has_its_line():
    figure = draw([PlotRow("a", "", tuple(Mark(v, None) for v in (-1.0, 0.0, 3.0)))], zero=True)
    low, middle, high = points_of(figure)
    [zero] = [path for path in figure.iter("path") if path.get("class") == "zero"]
    assert low < middle < high
    assert float(zero.get("d", "").removeprefix("M").split()[0]) == middle


def test_hollow_dots_stand_for_unresolved_differences():
    figure = draw([PlotRow("a", "", (Mark(1.0, (-1.0, 3.0), filled=False),))])
    assert [circle.get("class") for circle in figure.iter("circle")] == ["point items hollow"]


@given(st.lists(st.tuples(finite, finite, finite).map(sorted), min_size=1, max_size=6))
def test_everything_stays_inside_the_drawing(intervals: list[list[float]]):
    rows = [PlotRow("row", "text", (Mark(value, (low, high)),)) for low, value, high in intervals]
    xs = points_of(draw(rows, zero=True))
    assert len(xs) == len(intervals)
    assert all(0 <= x <= WIDTH for x in xs)


@given(low=finite, span=st.floats(1e-3, 1e6), about=st.integers(2, 8))
def test_ticks_are_round_few_and_inside(low: float, span: float, about: int):
    found = ticks(low, low + span, about=about)
    assert len(found) <= about + 1
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (-0.9, 1.1, [-0.5, 0, 0.5, 1]),
        (3, 3, [3]),
        (0, 1e6, [0, 2e5, 4e5, 6e5, 8e5, 1e6]),
    ],
)
def test_ticks_against_literals(low: float, high: float, wanted: list[float]):
    assert ticks(low, high) == wanted


def test_text_in_figures_is_escaped():
    row = PlotRow("<script>", "a & b", (Mark(0.0, None),))
    text = interval_plot([row], name="x", title="</title><b>", description="<i>")
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert ElementTree.fromstring(text).findtext("title") == "</title><b>"


def test_loss_curve_falls_where_the_loss_falls_and_breaks_at_gaps():
    line = Line("ul2r-1", ((1, 4.0), (2, 3.0), (3, None), (4, 2.0), (5, 1.0)))
    figure = ElementTree.fromstring(loss_plot([line], name="l", title="T", description="D"))
    curve = [p.get("d", "") for p in figure.iter("path") if (p.get("class") or "").startswith("line")][-1]
    assert curve.count("M") == 2 and curve.count("L") == 2
    heights = [float(part.split()[1]) for part in curve.replace("M", "L").split("L")[1:]]
    assert heights == sorted(heights)


def test_loss_plot_of_no_finite_loss_is_empty():
    assert loss_plot([Line("a", ((1, None),))], name="l", title="T", description="D") == ""


def test_single_step_can_be_drawn():
    assert "svg" in loss_plot([Line("a", ((1, 2.0),))], name="l", title="T", description="D")


def test_long_labels_are_clipped():
    assert clip("x" * 50, 10) == "x" * 9 + "…"
    assert clip("short", 10) == "short"


def test_forest_holds_the_average_first_and_every_benchmark():
    results = Results.model_validate(toy_results())
    found = forests(results)
    assert [forest.name for forest in found][-1] == "complementarity"
    assert len(found) == 5
    for forest in found:
        figure = ElementTree.fromstring(forest.figure)
        labels = [text.text for text in figure.iter("text") if "value" not in (text.get("class") or "")]
        assert labels[[*labels].index("Normalised average") :][0] == "Normalised average"
        assert len(points_of(figure)) == len(BENCHMARKS)  # the average, and all but perplexity
        assert (figure.findtext("desc") or "").startswith("Normalised average: ")


def test_summary_and_averages_are_drawn_from_what_there_is():
    results = Results.model_validate(toy_results())
    assert len(points_of(ElementTree.fromstring(summary_figure(results)))) == 5
    assert len(points_of(ElementTree.fromstring(averages_figure(results)))) == 1 + 5 * 3
    nothing = Results(arms={"base": {}})
    assert (summary_figure(nothing), averages_figure(nothing), forests(nothing)) == ("", "", [])


def test_trainings_are_grouped_by_stage_and_seeds_share_a_style(run: Path):
    log = run / "pretrained" / "stage" / "metrics.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text('{"step": 1, "loss": 5.0}\n{"step": 2, "loss": null}\n{"step": 3, "lo', encoding="utf-8")
    figures = stage_figures(read_run(run))
    assert [figure.stage for figure in figures] == ["pretrain", "clm", "ul2r", "flan"]
    assert [len(figure.rows) for figure in figures] == [1, 3, 3, 9]
    drawing = ElementTree.fromstring(figures[-1].figure)
    legend = [text.text for text in drawing.iter("text") if text.get("class") == "small"]
    assert legend == ["flan", "clm+flan", "ul2r+flan"]
    assert [name for name, _, _ in figures[2].sources] == ["R", "S", "X-dense", "X-long"]
