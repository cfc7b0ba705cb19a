"""What tools/execute_lesson.py stores."""

import base64
import io

import execute_lesson
import nbformat
import pytest
import set_address
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image

DRAW = """
import matplotlib.pyplot as plt
plt.plot([1, 2])
_ = plt.title("{title}")
"""


def figure(title, **metadata):
    return new_code_cell(DRAW.format(title=title).strip(), metadata=metadata)


@pytest.fixture
def lesson(tmp_path):
    """The path of a lesson with an old picture on its first screen."""
    cells = [
        new_markdown_cell("# 1. Why?\n\n![a line](data:image/png;base64,OLD)\n\nThe line rises."),
        new_code_cell("print(1)", id=set_address.CELL_ID, metadata=set_address.HIDDEN | {"x": 1}),
        figure("another"),
        figure("first", tags=["first-screen"], collapsed=True),
        new_markdown_cell("![a line](data:image/png;base64,KEPT)"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = tmp_path / "01_small.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def test_first_picture_is_the_figure_of_the_tagged_cell(lesson):
    execute_lesson.execute(lesson)
    opening, _, _, tagged, later = nbformat.read(lesson, as_version=4).cells
    png = tagged.outputs[-1].data["image/png"].replace("\n", "")
    assert (
        opening.source == f"# 1. Why?\n\n![a line](data:image/png;base64,{png})\n\nThe line rises."
    )
    assert Image.open(io.BytesIO(base64.b64decode(png))).mode == "P"
    assert later.source.endswith("KEPT)")


def test_metadata_that_hides_the_set_up_cell_stays(lesson):
    execute_lesson.execute(lesson)
    _, set_up, _, tagged, _ = nbformat.read(lesson, as_version=4).cells
    assert set_up.metadata == set_address.HIDDEN
    assert tagged.metadata == {"tags": ["first-screen"]}


def test_lesson_that_fails_stays_as_it_was(lesson):
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.append(new_code_cell("1 / 0"))
    nbformat.write(notebook, lesson)
    before = lesson.read_bytes()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        execute_lesson.execute(lesson)
    assert lesson.read_bytes() == before
    assert [path.name for path in lesson.parent.iterdir()] == [lesson.name]
