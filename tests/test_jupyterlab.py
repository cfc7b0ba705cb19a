"""Every lesson in a real JupyterLab in headless Chromium, as a learner meets it.

All cells are run from the menu; then each exercise goes from "not answered" to "correct" when
its solution is typed in. Run by `make test-browser`. Pictures of every lesson, from top to
bottom, are put into the folder that the environment variable SCREENSHOTS names.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest
from browser import open_page, playwright
from hygiene import LESSONS, code_cells
from nbformat.v4 import new_code_cell, new_notebook

from helpers.exercises import find_exercises

pytestmark = pytest.mark.browser

RUN_SECONDS = 600
ERRORS = '[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]'
BAR = ".jp-OutputArea .widget-hbox"
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # every cell is in the page
}


class Lab:
    """A running JupyterLab on copies of the lessons, and a browser page on it."""

    def __init__(self, page, url, token, folder):
        self.page, self.url, self.token, self.folder = page, url, token, folder

    def ask(self, path, method="GET"):
        url = f"{self.url}/api/{path}?token={self.token}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
            return json.loads(answer.read() or "null")

    def open(self, name):
        page = self.page
        page.goto("about:blank")
        for session in self.ask("sessions"):  # nine kernels at once would take much memory
            self.ask(f"sessions/{session['id']}", "DELETE")
        page.goto(f"{self.url}/lab/tree/{name}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        for _ in range(240):  # clicking Run before the kernel is connected opens a dialog
            kernels = [each["kernel"] for each in self.ask("sessions") if each["path"] == name]
            if kernels and kernels[0]["connections"] and kernels[0]["execution_state"] == "idle":
                break
            time.sleep(0.25)
        page.wait_for_timeout(1500)

    def run_all(self):
        self.start_all()
        self.wait_until_run()

    def start_all(self):
        self.page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
        self.page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        self.page.wait_for_timeout(1000)

    def wait_until_run(self):
        starred = self.page.locator(".jp-InputPrompt", has_text="*")
        playwright.expect(starred).to_have_count(0, timeout=1000 * RUN_SECONDS)
        self.page.wait_for_timeout(300)

    def type_into(self, cell, text, *, replacing):
        """Replace the last line of a cell by `text`, and run the cell."""
        editor = cell.locator(".cm-content")
        playwright.expect(editor).to_contain_text(replacing)
        editor.click()
        for key in ("Control+End", "Home", "Shift+End"):
            self.page.keyboard.press(key)
        self.page.keyboard.insert_text(text)
        self.page.keyboard.press("Shift+Enter")
        self.wait_until_run()

    def photograph(self, name):
        if "SCREENSHOTS" not in os.environ:
            return
        folder = Path(os.environ["SCREENSHOTS"], name)
        folder.mkdir(parents=True, exist_ok=True)
        scroller = self.page.locator(".jp-WindowedPanel-outer").first
        height, shown = scroller.evaluate("e => [e.scrollHeight, e.clientHeight]")
        for number, top in enumerate(range(0, height, shown - 60)):
            scroller.evaluate("(e, top) => { e.scrollTop = top }", top)
            self.page.wait_for_timeout(200)
            self.page.screenshot(path=folder / f"page-{number:02d}.png")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    root = tmp_path_factory.mktemp("lab")
    folder = root / "notebooks"
    shutil.copytree(LESSONS[0].parent, folder)
    for name, values in SETTINGS.items():
        path = root / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, url = secrets.token_hex(8), f"http://127.0.0.1:{port}"
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.user_settings_dir={root / 'settings'}",
        f"--LabApp.workspaces_dir={root / 'workspaces'}",
    ]
    with (root / "log.txt").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], stdout=log, stderr=log
        )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/api?token={token}", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        with open_page(viewport={"width": 1280, "height": 1600}) as page:
            yield Lab(page, url, token, folder)
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_in_jupyterlab(lab, path):
    page, notebook = lab.page, nbformat.read(path, as_version=4)
    lab.open(path.name)
    lab.run_all()
    lab.photograph(path.stem)

    prompts = page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
    assert [int(re.sub(r"\D", "", prompt) or 0) for prompt in prompts] == list(
        range(1, len(code_cells(notebook)) + 1)
    )
    assert page.locator(f".jp-OutputArea :is({ERRORS})").all_inner_texts() == []
    drawn = page.locator(".jp-OutputArea-output img").evaluate_all(
        "images => images.filter(image => image.complete && image.naturalWidth > 100).length"
    )
    stored = [
        output
        for cell in code_cells(notebook)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert drawn == len(stored)
    assert page.locator(BAR).count() == 0  # bars go away when they are done

    cells = page.locator(".jp-Notebook .jp-Cell")
    for number, exercise in find_exercises(int(path.name[:2])).items():
        [index] = [
            index
            for index, cell in enumerate(notebook.cells)
            if cell.source.startswith(f'check("{number}"')
        ]
        output = cells.nth(index).locator(".jp-OutputArea")
        playwright.expect(output).to_contain_text("not answered")
        lab.type_into(cells.nth(index - 1), exercise.solution, replacing="answer = ...")
        cells.nth(index).locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        lab.wait_until_run()
        playwright.expect(output).to_contain_text("correct", timeout=60_000)


def test_progress_bar_of_fit_is_shown_and_goes_when_done(lab):
    source = """
import torch
from helpers.training import fit, make_loader
model = torch.nn.Linear(2, 1)
loader = make_loader(torch.randn(20_000, 2), torch.randn(20_000, 1), batch_size=5)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
_ = fit(model, loader, loss_fn=torch.nn.MSELoss(), optimizer=optimizer, epochs=10)
"""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(source.strip())], metadata={"kernelspec": kernel})
    nbformat.write(notebook, lab.folder / "bar.ipynb")
    lab.open("bar.ipynb")
    bar = lab.page.locator(BAR)
    lab.start_all()
    playwright.expect(bar).to_contain_text("epoch", timeout=60_000)
    lab.wait_until_run()
    playwright.expect(bar).to_have_count(0)
    assert lab.page.locator(f".jp-OutputArea :is({ERRORS})").all_inner_texts() == []
