"""A real browser: the Chromium of the system, headless.

Without one these tests are skipped, visibly; with TSLADDER_BROWSER=required they fail instead. What they saw is kept as
pictures in the folder TSLADDER_SCREENSHOTS, or in pytest's cache (.pytest_cache/d/screenshots).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Sight:
    """An open page, everything that it complained about, and where its pictures go."""

    page: object
    pictures: Path
    errors: list[str] = field(default_factory=list)

    def keep(self, name: str, *, full: bool = False) -> Path:
        """A picture of the page as it stands."""
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, full_page=full)
        return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        missing = "no Chromium on PATH (on Debian or Ubuntu: apt install chromium)"
        if os.environ.get("TSLADDER_BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox cannot be had by root, as in a container.
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def sight(chromium: object, pytestconfig: pytest.Config) -> Iterator[Sight]:
    """A page of 1400 x 1000 pixels. `errors` fills with console errors and exceptions of its scripts."""
    context = chromium.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    chosen = os.environ.get("TSLADDER_SCREENSHOTS")
    pictures = Path(chosen) if chosen else pytestconfig.cache.mkdir("screenshots")
    pictures.mkdir(parents=True, exist_ok=True)
    seen = Sight(context.new_page(), pictures)
    seen.page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    yield seen
    context.close()
