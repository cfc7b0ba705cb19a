"""Claims about the lessons' results: what CI wants to be sure of, and a learner need not read.

The claims of `notebooks/01_environment.ipynb` stand in `tests/lessons/01_environment.py`, each
behind a line of the lesson that stands in exactly one of its cells:

    with after("accuracy = classifier.score(X_test, y_test)"):
        assert accuracy > 0.95 > baseline.score(X_test, y_test)

That file is read, not imported. pytest --nbval runs each claim in the lesson's kernel, directly
behind that cell, in a copy of the lesson's names; a failure shows the values, as pytest does.
A claim whose line is gone, or stands in two cells, fails.

The file may also say which numbers of the lesson's text are right though no output prints them:

    UNPRINTED = {"1.35": "the interquartile range of a standard normal distribution"}
"""

import ast
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Claim:
    """One claim: its file, its line number there, the cell line it follows, its source code."""

    path: Path
    number: int
    line: str
    source: str

    def cells(self, sources):
        """The indices of those of a lesson's code cells that have the line."""
        return [
            index
            for index, source in enumerate(sources)
            if self.line.strip() in map(str.strip, source.splitlines())
        ]

    def code(self):
        """What the lesson's kernel runs: the claim with pytest's own messages on failure."""
        inner = [
            "import ast",
            "from _pytest.assertion.rewrite import rewrite_asserts",
            f"tree_of_claim = ast.parse({self.source!r})",
            f"rewrite_asserts(tree_of_claim, {self.source.encode()!r})",
            f"exec(compile(tree_of_claim, {str(self.path)!r}, 'exec'))",
        ]
        return f"exec({chr(10).join(inner)!r}, dict(globals()))"


def claims_of(lesson, root):
    """The claims about a lesson, in order.

    Parameters
    ----------
    lesson : str
        The name of the notebook without its ending: `"01_environment"`.
    root : Path
        The repository.

    Returns
    -------
    list of Claim
        Empty if there is no file of claims.

    Raises
    ------
    ValueError
        If the file has anything but a docstring and claims.
    """
    path, text = read(lesson, root)
    claims = []
    for node in ast.parse(text).body:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.Assign(targets=[ast.Name(id="UNPRINTED")]):
                pass
            case ast.With(
                items=[
                    ast.withitem(
                        context_expr=ast.Call(
                            func=ast.Name(id="after"), args=[ast.Constant(value=str(line))]
                        )
                    )
                ]
            ):
                lines = text.splitlines()[node.body[0].lineno - 1 : node.end_lineno]
                lines = [each[4:] for each in lines]
                source = "\n" * (node.body[0].lineno - 1) + "\n".join(lines)
                claims.append(Claim(path, node.lineno, line, source))
            case _:
                raise ValueError(
                    f'{path.name}, line {node.lineno}: expected `with after("a line of the lesson"):`'
                )
    return claims


def unprinted_numbers_of(lesson, root):
    """Numbers of a lesson's text that no output prints, with the reasons why they are right."""
    for node in ast.parse(read(lesson, root)[1]).body:
        if isinstance(node, ast.Assign):
            return ast.literal_eval(node.value)
    return {}


def read(lesson, root):
    path = root / "tests" / "lessons" / f"{lesson}.py"
    return path, path.read_text(encoding="utf-8") if path.exists() else ""
