"""Headless Chromium for the tests, driven by Playwright."""

import os
import shutil
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no browser test without playwright: pip install playwright"
)

FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
]


@contextmanager
def open_page(**options):
    """A page in the Chromium of this system, or in Playwright's own; skips where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next(filter(None, map(shutil.which, names)), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=installed, args=FLAGS)
        except playwright.Error as error:
            if "BROWSER" in os.environ:  # make test-browser: without one nothing was tested
                raise
            pytest.skip(f"no Chromium: run playwright install chromium ({error.message[:80]})")
        try:
            yield browser.new_page(**options)
        finally:
            browser.close()
