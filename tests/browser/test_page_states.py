"""Each state of the page: nothing in the way of people who see little, hear little or use no mouse, and nothing wider
than the window."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.support.scenes import SCENES, Scene
from tests.support.stage import ROOT, Stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = ROOT / "tools/page/node_modules/axe-core/axe.min.js"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
FITS = SIZES | {"narrow": (320, 568), "desk at 200 %": (640, 400)}
"""320 pixels are the narrowest that WCAG asks for."""

RUN = """
  axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    rules: { "color-contrast-enhanced": { enabled: true } },
    resultTypes: ["violations"],
  }).then(({ violations }) => violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ target, any }) => `${target} ${any.map((one) => one.message)}`)}`))
"""
"""With WCAG's enhanced contrast, 7:1 for text, which this page promises."""

AFTER_A_FRAME = """() => new Promise((go) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(go, 100))))"""

WIDE = """() => {
  const wide = [document.documentElement, ...document.querySelectorAll("body, main, aside, dialog")]
    .filter((box) => box.scrollWidth > Math.max(box.clientWidth, 1) && box.checkVisibility())
    .map((box) => `${box.localName} is ${box.scrollWidth} wide in ${box.clientWidth}`);
  const cut = [...document.querySelectorAll("button, input, select, a, label, h2, h3, p, summary")]
    .filter((part) => part.checkVisibility() && !part.closest(".unseen, .switch input"))
    .map((part) => [part, part.getBoundingClientRect()])
    .filter(([, { left, right, width }]) => width > 1 && (left < -1 || right > innerWidth + 1))
    .map(([part, { right }]) => `${part.localName}#${part.id} ${part.textContent.trim()} ends at ${Math.round(right)}`);
  return [...wide, ...cut];
}"""
"""What can only be seen by scrolling to the side, or not at all."""


@pytest.fixture(scope="module")
def axe() -> str:
    subprocess.run([ROOT / "tools/page/install.sh"], check=True)
    return AXE.read_text()


@pytest.fixture(scope="module")
def stage(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Without motion, so that no colour is on its way to another."""
    folder: Path = tmp_path_factory.mktemp("stage")
    desk = {"width": 1280, "height": 800}
    one = Stage(playwright, folder, viewport=desk, reduced_motion="reduce")
    yield one
    one.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_nothing_is_in_anybodys_way_and_all_of_it_fits(
    scene: Scene, stage: Stage, axe: str
) -> None:
    try:
        page = scene.play(stage)
        assert found(page, axe) == []
        assert wide(page) == []
    finally:
        stage.clear()


def test_what_is_wrong_would_be_found(stage: Stage, axe: str) -> None:
    page = SCENES[0].play(stage)
    try:
        page.evaluate("""() => {
          document.getElementById("why").style.color = "#666"; // 5.3:1
          document.getElementById("more").replaceChildren();
          document.getElementById("more").removeAttribute("aria-label");
          document.getElementById("start").style.minWidth = "24rem";
        }""")
        wrong = {one.split(": ")[1] for one in found(page, axe) if one.startswith("desk, light")}
        assert {"color-contrast-enhanced", "button-name"} <= wrong
        assert any(one.startswith("narrow: button#start") for one in wide(page))
    finally:
        stage.clear()


def found(page: Page, axe: str) -> list[str]:
    """As the browser's own tools ask: the page's content policy lets in no foreign script."""
    tools = page.context.new_cdp_session(page)

    def evaluate(expression: str) -> Any:
        wanted = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = tools.send("Runtime.evaluate", wanted)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    evaluate(axe)
    all_of_them: list[str] = []
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # a str
            page.wait_for_selector(f'html[data-theme="{theme}"]')
            all_of_them += [f"{size}, {theme}: {one}" for one in evaluate(RUN)]
    return all_of_them


def wide(page: Page) -> list[str]:
    all_of_them: list[str] = []
    for size, (width, height) in FITS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(AFTER_A_FRAME)  # a chart follows its place
        all_of_them += [f"{size}: {one}" for one in page.evaluate(WIDE)]
    return all_of_them
