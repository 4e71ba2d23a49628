"""Every state of the page in both sizes and both themes, from the real server with scripted engines.

    make screenshots [SCREENSHOTS=/tmp/ultraandchat-screenshots]
    python -m tools.screenshots FOLDER [--only NAME …]

`index.html` in the folder has them side by side.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tests.support.scenes import SCENES, Scene
from tests.support.stage import ROOT, Stage

SIZES = {"desk": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
SETTLED_MS = 700
"""Until what fades and turns is where it goes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=[scene.name for scene in SCENES])
    given = parser.parse_args()
    folder = given.folder.resolve()
    if folder.is_relative_to(ROOT):
        sys.exit(f"{folder} is in the repository; pictures belong elsewhere.")
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES if scene.name in given.only]
    missed = []
    with tempfile.TemporaryDirectory() as servers, sync_playwright() as playwright:
        stage = Stage(playwright, Path(servers), viewport={"width": 1280, "height": 800})
        try:
            for scene in scenes:
                try:
                    taken(scene, stage, folder)
                except Error as error:
                    missed.append(f"{scene.name}: {error}")
                finally:
                    stage.clear()
        finally:
            stage.close()
    (folder / "index.html").write_text(sheet(scenes))
    sys.stdout.write(f"{folder}/index.html\n")
    if missed:
        sys.exit("\n".join(["Not reached:", *missed]))


def taken(scene: Scene, stage: Stage, folder: Path) -> None:
    page = scene.play(stage)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # a str
            page.wait_for_timeout(SETTLED_MS)
            page.screenshot(path=folder / picture(scene, size, theme))
    sys.stdout.write(f"{scene.name}\n")
    sys.stdout.flush()


def picture(scene: Scene, size: str, theme: str) -> str:
    return f"{scene.name}-{size}-{theme}.png"


def sheet(scenes: Sequence[Scene]) -> str:
    """All of them on one page: a row for each scene."""
    rows = "\n".join(row(scene) for scene in scenes)
    return f"""<!doctype html>
<meta charset="utf-8">
<title>UltraAndChat: every state of the page</title>
<style>
  body {{ margin: 24px; background: #9a9a9a; font: 16px/1.5 system-ui, sans-serif; }}
  section {{ display: flex; gap: 12px; overflow-x: auto; }}
  h2 {{ margin: 24px 0 8px; font-size: 1rem; }}
  .desk {{ width: 576px; height: 360px; }}
  .phone {{ width: 166px; height: 360px; }}
</style>
{rows}
"""


def row(scene: Scene) -> str:
    pictures = "".join(
        f'<a href="{name}"><img class="{size}" src="{name}" alt="{escape(scene.title)}, {size}, {theme}"></a>'
        for size in SIZES
        for theme in THEMES
        for name in [picture(scene, size, theme)]
    )
    return f"<h2>{escape(scene.title)}</h2>\n<section>{pictures}</section>"


if __name__ == "__main__":
    main()
