"""Execute notebooks from a fresh kernel and store them as the course keeps them.

    python tools/execute_lesson.py notebooks/02_preprocessing.ipynb …

What changes at every run is stripped, as nbstripout does it, and figures get a palette of 128
colours: a third of the bytes, the same look. The figure of the code cell with the tag
`first-screen` replaces the picture before the first code cell. That picture stands in the text
itself, as a data URI, which JupyterLab, GitHub and Colab all show; Colab shows neither attachments
nor files beside the notebook. A notebook whose execution fails stays as it was.
"""

import argparse
import base64
import io
import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image
from set_address import CELL_ID


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    for path in parser.parse_args().notebooks:
        execute(path)


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, resources=resources, record_timing=False, coalesce_streams=True
    ).execute()
    strip(notebook)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                output["data"]["image/png"] = shrink(png)
    refresh_first_picture(notebook)
    temporary = path.with_suffix(".tmp")
    nbformat.write(notebook, temporary)
    temporary.replace(path)


def strip(notebook):
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        kept = {"tags", "cellView", "jupyter"} if cell.id == CELL_ID else {"tags"}
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in kept}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output["metadata"] = {}


def refresh_first_picture(notebook):
    pictures = [
        output["data"]["image/png"].replace("\n", "")
        for cell in notebook.cells
        if "first-screen" in cell.metadata.get("tags", [])
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    for cell in notebook.cells:
        if cell.cell_type == "code" or not pictures:
            return
        cell.source = re.sub(
            r"(?<=\]\()data:image/png;base64,[^)]*",
            lambda _: f"data:image/png;base64,{pictures[-1]}",
            cell.source,
        )


def shrink(png):
    """A PNG in base64 with at most 128 colours, if that makes it smaller."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    file = io.BytesIO()
    image.quantize(128, dither=Image.Dither.NONE).save(file, "png", optimize=True)
    return min(png, base64.b64encode(file.getvalue()).decode(), key=len)


if __name__ == "__main__":
    main()
