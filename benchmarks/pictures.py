"""The picture of a report that the README shows: the top of the page as a reader first sees it.

    python benchmarks/pictures.py --report artifacts/report/report.html --out docs/report.png

Needs playwright, Pillow and a Chromium on PATH. 1400 x 1000 pixels, in as many colours as fit below 250 kB.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
from pathlib import Path

MOST_BYTES = 250_000
COLOURS = (256, 128, 64, 32, 16)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def photograph(page: Path, *, width: int, height: int, dark: bool) -> bytes:
    """PNG of the top of `page`."""
    from playwright.sync_api import sync_playwright

    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        sys.exit("no Chromium on PATH (on Debian or Ubuntu: apt install chromium)")
    # Chromium's sandbox cannot be had by root, as in a container.
    arguments = ["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=arguments)
        seen = opened.new_page(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )  # fmt: skip
        seen.goto(page.resolve().as_uri())
        seen.wait_for_selector("table.dataTable")
        picture = seen.screenshot()
        opened.close()
    return picture


def reduced(picture: bytes) -> bytes:
    """The picture with as many colours as fit below MOST_BYTES."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in COLOURS:
        stream = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() < MOST_BYTES:
            return stream.getvalue()
    sys.exit(f"even {COLOURS[-1]} colours take {stream.tell():,} bytes, and {MOST_BYTES:,} are allowed: lower --height")


def main() -> None:
    parser = argparse.ArgumentParser(description="The README's picture of a report.")
    parser.add_argument("--report", type=Path, required=True, help="a report.html")
    parser.add_argument("--out", type=Path, required=True, help="the PNG to write")
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int, default=1000)
    parser.add_argument("--dark", action="store_true")
    arguments = parser.parse_args()
    if not arguments.report.is_file():
        sys.exit(f"{arguments.report} is not there: build the report first (tsladder run, or dvc repro report)")
    size = {"width": arguments.width, "height": arguments.height}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_bytes(reduced(photograph(arguments.report, **size, dark=arguments.dark)))
    sys.stdout.write(f"{arguments.out}: {arguments.out.stat().st_size:,} bytes\n")


if __name__ == "__main__":
    main()
