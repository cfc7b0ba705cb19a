"""The theme's contrast, measured as the Web Content Accessibility Guidelines define it; graphs.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio: text needs 4.5, and lines and marks 3.
"""

from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from skimage.color import rgb2lab

from helpers.plotting import PALETTE, plot_graph, set_theme


@pytest.fixture
def theme():
    with mpl.rc_context():
        set_theme()
        yield mpl.rcParams


def luminance(color):
    return linear_rgb(color) @ [0.2126, 0.7152, 0.0722]


def linear_rgb(color):
    channels = np.array(to_rgb(color))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def encode(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("key", ["text.color", "axes.labelcolor", "xtick.color", "ytick.color"])
def test_text_stands_out(theme, key):
    assert contrast(theme[key], theme["figure.facecolor"]) >= 4.5
    assert contrast(theme[key], theme["axes.facecolor"]) >= 4.5


def test_contrast_is_measured_as_defined():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("color", PALETTE)
def test_marks_stand_out(theme, color):
    assert to_rgb(color) in theme["axes.prop_cycle"].by_key()["color"]
    assert contrast(color, theme["axes.facecolor"]) >= 3


# What an eye without one kind of cone makes of a linear RGB colour: Machado, Oliveira and
# Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009.
EYES = {
    "usual": np.eye(3),
    "no red cones": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green cones": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue cones": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("eye", EYES)
def test_colours_differ_for_every_eye(eye):
    """Distances in CIELAB; about 2 is just visible."""
    seen = [rgb2lab(encode(EYES[eye] @ linear_rgb(color))) for color in PALETTE]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 12


@pytest.fixture
def graph():
    """The Axes with the graph of a loss, in which w is used twice and x needs no gradient."""
    w, b = (torch.tensor(value, requires_grad=True) for value in (2.0, 1.0))
    x = torch.tensor(3.0)
    yield plot_graph((w * x + b * w).sin(), names={"w": w, "x": x})
    plt.close("all")


def test_a_graph_shows_every_operation_and_leaf_once(graph):
    texts = sorted(text.get_text() for text in graph.texts if text.get_text())
    assert texts == ["Add", "Mul", "Mul", "Sin", "leaf", "w"]


def test_a_graph_runs_from_the_leaves_to_the_output(graph):
    places = {text.get_text(): text.get_position() for text in graph.texts if text.get_text()}
    assert places["w"][0] == places["leaf"][0] < places["Mul"][0] < places["Add"][0]
    assert places["Sin"] == (0, 0)
    nodes = [text.get_position() for text in graph.texts if text.get_text()]
    assert len(set(nodes)) == len(nodes)
    arrows = [text for text in graph.texts if not text.get_text()]
    assert len(arrows) == 6  # Sin-Add, Add-Mul twice, and three from leaves
    for arrow in arrows:
        assert arrow.get_position()[0] < arrow.xy[0]
    (left, right), (low, high) = graph.get_xlim(), graph.get_ylim()
    assert all(left < x < right and low < y < high for x, y in nodes)


def test_leaves_stand_out(graph):
    colours = {
        t.get_text(): t.get_bbox_patch().get_facecolor() for t in graph.texts if t.get_text()
    }
    assert colours["w"] == colours["leaf"] != colours["Add"] == colours["Sin"]


def test_without_a_graph_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="no graph behind this tensor"):
        plot_graph(torch.ones(1), names={})
