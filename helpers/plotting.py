"""Plots that scikit-learn's Displays and seaborn lack, and the one theme of the lessons.

Every plotting function takes `ax=None` and returns the Axes.
"""

# Blue, orange, green, brown, pink, grey: after seaborn's "colorblind", darkened until each has a
# contrast of 3 on white, and spread in lightness so that they differ for every kind of eye.
PALETTE = ["#0173b2", "#ce8200", "#029e73", "#a03800", "#cb77bb", "#555555"]


def set_theme():
    """Give all figures the course's look: colour-blind-safe colours on an opaque white ground.

    The ground is opaque so that labels stay readable in JupyterLab's dark theme. What contrast
    marks and text need: https://www.w3.org/TR/WCAG22/#non-text-contrast
    """
    import seaborn as sns

    sns.set_theme(
        style="whitegrid",
        palette=PALETTE,
        rc={
            "figure.figsize": (7, 4),
            "figure.constrained_layout.use": True,
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "image.cmap": "viridis",
        },
    )


def plot_graph(output, *, names=None, ax=None):
    """Draw the graph that autograd keeps behind a tensor, from the leaves (left) to the output.

    Parameters
    ----------
    output : torch.Tensor
        Any shape; the result of a few operations on tensors with `requires_grad=True`.
    names : dict of str to torch.Tensor, optional
        What to write on a leaf: `{"w": w, "b": b}`. Other leaves are called "leaf".
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there is no graph behind `output`.

    Examples
    --------
    >>> import torch
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> ax = plot_graph(w**2, names={"w": w})
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['Pow', 'w']
    """
    import matplotlib.pyplot as plt

    if output.grad_fn is None:
        raise ValueError("there is no graph behind this tensor: its grad_fn is None")
    columns, edges = {}, []  # each node's longest distance from the output

    def walk(node, distance):
        columns[node] = max(distance, columns.get(node, 0))
        for parent, _ in node.next_functions:
            if parent is not None:  # an input that needs no gradient
                edges.append((parent, node))
                walk(parent, distance + 1)

    walk(output.grad_fn, 0)
    if ax is None:
        width = min(10, 1.6 * (max(columns.values()) + 1))
        ax = plt.subplots(figsize=(width, 2.4))[1]
    labels = {id(tensor): name for name, tensor in (names or {}).items()}
    places = {}
    for node, distance in columns.items():
        row = sum(x == -distance for x, _ in places.values())
        places[node] = (-distance, -row)
    for node, place in places.items():
        leaf = getattr(node, "variable", None)
        text = node.name().rstrip("0123456789").removesuffix("Backward")
        ax.text(
            *place,
            text if leaf is None else labels.get(id(leaf), "leaf"),
            ha="center",
            va="center",
            bbox={"boxstyle": "round", "fc": "white" if leaf is None else "#CE820066", "ec": "0.4"},
        )
    for start, end in edges:
        arrow = {"arrowstyle": "->", "color": "0.4", "shrinkA": 22, "shrinkB": 22}
        ax.annotate("", xy=places[end], xytext=places[start], arrowprops=arrow)
    columns_drawn, rows_drawn = zip(*places.values(), strict=True)
    ax.set(
        xlim=(min(columns_drawn) - 0.5, 0.5),
        ylim=(min(rows_drawn) - 0.5, 0.5),
        xticks=[],
        yticks=[],
    )
    ax.grid(False)
    return ax
