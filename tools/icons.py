"""Draws the PNG icons of the page from its two SVG files, in Chromium: `python tools/icons.py`.

They are committed; run this again where an SVG changed.
"""

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import chromium

WEB = Path(__file__).resolve().parent.parent / "src/ultraandchat/web"
DRAWN = (
    ("icon.svg", "any-192.png", 192),
    ("icon.svg", "any-512.png", 512),
    ("icons/maskable.svg", "maskable-192.png", 192),
    ("icons/maskable.svg", "maskable-512.png", 512),
    ("icons/maskable.svg", "apple-touch-icon.png", 180),  # iPhones cut their own corners
)

with sync_playwright() as playwright:
    switches = ["--no-sandbox"] if os.geteuid() == 0 else []
    browser = playwright.chromium.launch(executable_path=chromium(), args=switches)
    for source, name, size in DRAWN:
        page = browser.new_page(viewport={"width": size, "height": size})
        drawing = (WEB / source).read_text(encoding="utf-8")
        page.set_content(
            f"<style>*{{margin:0}}svg{{display:block;width:{size}px}}</style>{drawing}"
        )
        page.screenshot(path=WEB / "icons" / name, omit_background=True)
        page.close()
    browser.close()
