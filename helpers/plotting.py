"""The one theme of the lessons, and a plot that scikit-learn's Displays and seaborn lack."""

# Blue, orange, green, brown, pink, grey: after seaborn's "colorblind", darkened until each has a
# contrast of 3 on white, and spread in lightness so that they differ for every kind of eye.
PALETTE = ["#0173b2", "#ce8200", "#029e73", "#a03800", "#cb77bb", "#555555"]


def set_theme():
    """Give all figures the course's look: colour-blind-safe colours on an opaque white ground.

    The ground is opaque so that labels stay readable in JupyterLab's dark theme. What contrast
    marks and text need: https://www.w3.org/TR/WCAG22/#non-text-contrast
    """
    import seaborn as sns

    look = {"figure.facecolor": "white", "savefig.facecolor": "white", "image.cmap": "viridis"}
    layout = {"figure.figsize": (7, 4), "figure.constrained_layout.use": True}
    sns.set_theme(style="whitegrid", palette=PALETTE, rc=look | layout)


def plot_graph(output, *, names):
    """Draw the graph that autograd keeps behind a tensor, from the leaves (left) to the output.

    Parameters
    ----------
    output : torch.Tensor
        Any shape; the result of a few operations on tensors with `requires_grad=True`.
    names : dict of str to torch.Tensor
        What to write on a leaf: `{"w": w, "b": b}`. Other leaves are called "leaf".

    Returns
    -------
    matplotlib.axes.Axes

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
    columns, edges = {}, []  # a node's column: minus its longest distance from the output

    def walk(node, column):
        columns[node] = min(column, columns.get(node, 0))
        for parent in [parent for parent, _ in node.next_functions if parent is not None]:
            edges.append((parent, node))  # None: an input that needs no gradient
            walk(parent, column - 1)

    walk(output.grad_fn, 0)
    drawn = list(columns.values())
    places = {k: (x, -drawn[:i].count(x)) for i, (k, x) in enumerate(columns.items())}
    rows = [y for _, y in places.values()]
    _, ax = plt.subplots(figsize=(min(10, 1.6 * (1 - min(drawn))), 2.4))
    for node, place in places.items():
        leaf = getattr(node, "variable", None)
        name = node.name().rstrip("0123456789").removesuffix("Backward")
        text = name if leaf is None else next((k for k, x in names.items() if x is leaf), "leaf")
        box = {"boxstyle": "round", "fc": "white" if leaf is None else "#CE820066", "ec": "0.4"}
        ax.text(*place, text, ha="center", va="center", bbox=box)
    arrow = {"arrowstyle": "->", "color": "0.4", "shrinkA": 22, "shrinkB": 22}
    for start, end in edges:
        ax.annotate("", xy=places[end], xytext=places[start], arrowprops=arrow)
    ax.set(xlim=(min(drawn) - 0.5, 0.5), ylim=(min(rows) - 0.5, 0.5), xticks=[], yticks=[])
    return ax
