"""Servers and browsers in which the page's scenes are played (`tests/support/scenes.py`)."""

import os
import sys
import wave
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Playwright

from bench.serving import Serving, free_port, running, serving
from tests.browser.conftest import PATIENCE_MS, RATE, SWITCHES, chromium, say
from tests.support.worker_models import TOLD

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-the-pages-scenes"


class Stage:
    """One scene at a time: `clear` takes its browser and the servers that were its own."""

    def __init__(self, playwright: Playwright, folder: Path, **context: Any) -> None:
        """`context` is given to every page, as `viewport` or `reduced_motion`."""
        self._playwright = playwright
        self._folder = folder
        self._context = context
        self._scene = ExitStack()
        self._stay = ExitStack()
        self._servers: dict[tuple[str, ...], Serving] = {}

    def server(self, *settings: str) -> Serving:
        """One with these settings, which stays for later scenes."""
        if settings not in self._servers:
            self._servers[settings] = self._stay.enter_context(self.mortal(*settings))
        return self._servers[settings]

    def mortal(self, *settings: str, port: int = 0) -> AbstractContextManager[Serving]:
        """One that the scene itself ends."""
        kept = ("session.greeting=", "engines.language=skills", "engines.scripted.clause_s=30")
        return serving(*kept, *settings, port=port, log=self._folder / "server.log")

    def told(self, words: str) -> Serving:
        """One whose voice loads as these words say ("download 3220000000 16100000000")."""
        self.tell(words)
        port = free_port()
        command = [sys.executable, "-m", "tests.support.told_server", "serve"]
        for setting in ("engines.speech=espeak", "logs.directory=", "session.greeting="):
            command += ["--set", setting]
        command += ["--profile", "scripted", "--set", f"server.port={port}"]
        self._scene.enter_context(_environment({TOLD: str(self._folder / "told")}))
        return self._scene.enter_context(running(command, port, wait=words == "ready"))

    def tell(self, words: str) -> None:
        """Written apart and moved there, so that the model never reads half of it."""
        apart = self._folder / "told.new"
        apart.write_text(words)
        apart.rename(self._folder / "told")

    def other_page(self, folder: Path, port: int, protocol: int) -> AbstractContextManager[Serving]:
        """One that serves the page in `folder` and speaks another protocol."""
        command = [sys.executable, "-m", "tests.support.other_server", "serve"]
        command += ["--profile", "scripted", "--set", f"server.port={port}"]
        command += ["--set", "logs.directory=", "--set", "session.greeting="]
        environ = {"OTHER_PAGE": str(folder), "OTHER_PROTOCOL": str(protocol)}
        self._scene.enter_context(_environment(environ))
        return running(command, port)

    def page(
        self,
        sound: tuple[str | float, ...] = (600.0,),
        *switches: str,
        allow: bool = True,
        **context: Any,
    ) -> Page:
        """A page of a browser whose microphone hears this; nothing is opened in it yet."""
        path = self._folder / "microphone.wav"
        with wave.open(str(path), "wb") as wav:
            wav.setnchannels(1)
            wav.setsampwidth(2)
            wav.setframerate(RATE)
            wav.writeframes(say(*sound).tobytes())
        args = [*SWITCHES, f"--use-file-for-fake-audio-capture={path}%noloop", *switches]
        if allow:
            args.append("--use-fake-ui-for-media-stream")
        if os.geteuid() == 0:
            args.append("--no-sandbox")
        browser = self._playwright.chromium.launch(executable_path=chromium(), args=args)
        self._scene.callback(browser.close)
        page = browser.new_context(**{**self._context, **context}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    def open(self, server: Serving | str, *sound: str | float, **how: Any) -> Page:
        """The page of this server."""
        page = self.page(*([sound] if sound else []), **how)
        page.goto(server if isinstance(server, str) else f"http://localhost:{server.port}/")
        return page

    def talk(self, server: Serving, *sound: str | float, **how: Any) -> Page:
        """The page of this server, in a conversation."""
        page = self.open(server, *sound, **how)
        page.locator("#start:enabled").click()
        page.wait_for_selector('html[data-state="listening"]')
        return page

    def folder(self) -> Path:
        return self._folder

    def enter(self, server: AbstractContextManager[Serving]) -> Serving:
        """Until the scene is over."""
        return self._scene.enter_context(server)

    def clear(self) -> None:
        self._scene.close()

    def close(self) -> None:
        self._scene.close()
        self._stay.close()


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    """For the processes that are started meanwhile; they import `tests` and this checkout's own server."""
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")))
    before = dict(os.environ)
    os.environ.update(more | {"PYTHONPATH": path})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
