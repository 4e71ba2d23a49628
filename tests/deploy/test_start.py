"""`deploy/runpod/start.sh`, with programs that only pretend: what it hands on, what it keeps to itself,
how it ends. Real installing is tried by `make test-image`.
"""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START = ROOT / "deploy/runpod/start.sh"

PATIENCE_S = 60.0

TELLS = """#!{python}
import json, os, sys
print(json.dumps({{"arguments": sys.argv[1:], "environ": dict(os.environ), "process": os.getpid()}}))
"""
"""A server that says how it was started."""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Path:
    return program(tmp_path / "server", TELLS.format(python=sys.executable))


def start(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    whole = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run(
        [START, *arguments],
        env=whole,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def told(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_the_server_listens_on_every_address_at_the_port_of_the_template(server: Path) -> None:
    environ = told(start({"SERVER": str(server)}))["environ"]
    assert isinstance(environ, dict)
    assert environ["ULTRAANDCHAT_SERVER__HOST"] == "0.0.0.0"
    assert environ["ULTRAANDCHAT_SERVER__PORT"] == "7860"


@pytest.mark.parametrize(("pod", "port"), [({}, "8189"), ({"RUNPOD_POD_ID": "abc123xyz"}, None)])
def test_webrtc_over_tcp_has_the_port_that_the_image_exposes_but_for_a_pod(
    server: Path, pod: dict[str, str], port: str | None
) -> None:
    environ = told(start({"SERVER": str(server), **pod}))["environ"]
    assert isinstance(environ, dict)
    assert environ.get("ULTRAANDCHAT_WEBRTC__TCP_PORT") == port


def test_voices_are_kept_on_the_volume_where_there_is_one(server: Path) -> None:
    environ = told(start({"SERVER": str(server)}))["environ"]
    assert isinstance(environ, dict)
    volume = os.access("/workspace", os.W_OK)
    expected = "/workspace/voices" if volume else None
    assert environ.get("ULTRAANDCHAT_ENGINES__CHATTERBOX__VOICES") == expected


def test_settings_of_the_environment_pass_through(server: Path) -> None:
    given = {"ULTRAANDCHAT_SERVER__PORT": "8000", "ULTRAANDCHAT_TURN__ENDPOINT_MS": "400"}
    environ = told(start({"SERVER": str(server), **given}))["environ"]
    assert isinstance(environ, dict)
    assert given.items() <= environ.items()


def test_arguments_go_to_serve(server: Path) -> None:
    done = start({"SERVER": str(server)}, "--profile", "scripted")
    assert told(done)["arguments"] == ["serve", "--profile", "scripted"]


def test_the_script_becomes_the_server(server: Path) -> None:
    with subprocess.Popen(
        [START], env={"PATH": os.environ["PATH"], "SERVER": str(server)}, stdout=subprocess.PIPE
    ) as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert json.loads(out.splitlines()[-1])["process"] == process.pid


def test_it_says_nothing_that_the_environment_holds(server: Path) -> None:
    program(server, "#!/bin/sh\n")
    secrets = {
        "RUNPOD_API_KEY": "hush-1",
        "ULTRAANDCHAT_ACCESS__TOKEN": "hush-2",
        "HF_TOKEN": "hush-3",
    }
    done = start({"SERVER": str(server), **secrets})
    assert "hush" not in done.stdout + done.stderr


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = start({"SERVER": str(tmp_path / "nothing")})
    assert done.returncode == 1
    assert done.stderr == f"SERVER: {tmp_path / 'nothing'} cannot be run.\n"


def test_the_servers_status_is_the_scripts(server: Path) -> None:
    program(server, "#!/bin/sh\nexit 2\n")
    assert start({"SERVER": str(server)}).returncode == 2


def python_whose_pip(does: str, tmp_path: Path) -> dict[str, str]:
    """An environment in place, whose pip does that; everything else is real."""
    folder = tmp_path / "environment"
    program(
        folder / "bin/python",
        f'#!/bin/sh\ncase "$*" in *"pip --version"*|*uninstall*) ;; *pip*) {does} ;; esac\n',
    )
    (folder / "pyvenv.cfg").touch()
    program(folder / "bin/ultraandchat", TELLS.format(python=sys.executable))
    program(tmp_path / "bin/flite", "#!/bin/sh\n")
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "INSTALL_INTO": str(folder),
    }


def test_an_installation_that_fails_is_not_taken_for_one(tmp_path: Path) -> None:
    environ = python_whose_pip("echo no route to anywhere >&2; exit 1", tmp_path)
    for _ in range(2):
        done = start(environ)
        assert done.returncode == 1
        assert "no route to anywhere" in done.stderr
        assert "Starting" not in done.stdout


def test_a_second_start_asks_pip_for_nothing(tmp_path: Path) -> None:
    environ = python_whose_pip(f"echo asked >>{tmp_path / 'asked'}", tmp_path)
    told(start(environ))
    told(start(environ))
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_another_version_is_installed_in_its_place(tmp_path: Path) -> None:
    environ = python_whose_pip(f'echo "$*" >>{tmp_path / "asked"}', tmp_path)
    for version in ("0.1.0", "0.2.0"):
        wheel = tmp_path / f"ultraandchat-{version}-py3-none-any.whl"
        wheel.write_text(version)
        told(start({**environ, "INSTALL_FROM": str(wheel)}))
    assert [line.split("-")[-4] for line in (tmp_path / "asked").read_text().splitlines()] == [
        "0.1.0",
        "0.2.0",
    ]


@pytest.mark.parametrize(
    ("driver", "extras"),
    [("exit 0", "[demo,gpu,gpu-captions]"), ("exit 9", "[demo]"), (None, "[demo]")],
)
def test_what_models_on_a_gpu_need_is_installed_where_a_driver_answers(
    driver: str | None, extras: str, tmp_path: Path
) -> None:
    environ = python_whose_pip(f'echo "$*" >>{tmp_path / "asked"}', tmp_path)
    if driver is not None:
        program(tmp_path / "bin/nvidia-smi", f"#!/bin/sh\n{driver}\n")
    told(start(environ))
    asked = (tmp_path / "asked").read_text()
    assert extras in asked
    assert ("constraints-gpu.txt" in asked) == ("gpu" in extras)
    assert ("--no-deps" in asked.splitlines()[-1]) == ("gpu" in extras)
    assert ("chatterbox-requirements.txt" in asked.splitlines()[-1]) == ("gpu" in extras)


def test_the_operator_has_the_last_word_on_what_is_installed(tmp_path: Path) -> None:
    environ = python_whose_pip(f'echo "$*" >>{tmp_path / "asked"}', tmp_path)
    program(tmp_path / "bin/nvidia-smi", "#!/bin/sh\n")
    told(start({**environ, "INSTALL_EXTRAS": "demo"}))
    assert "[demo]" in (tmp_path / "asked").read_text()


def test_versions_nobody_tried_are_not_installed(tmp_path: Path) -> None:
    script = tmp_path / "elsewhere/install.sh"
    script.parent.mkdir()
    script.write_bytes((ROOT / "deploy/install.sh").read_bytes())
    done = subprocess.run(
        ["bash", script, "server", tmp_path / "environment", ROOT, "demo,gpu"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "constraints-gpu.txt" in done.stderr


def test_credentials_in_an_address_are_shown_to_nobody(tmp_path: Path) -> None:
    environ = python_whose_pip("true", tmp_path)
    done = start({**environ, "INSTALL_FROM": "git+https://someone:hush@git.example/u.git@v0.1.0"})
    environ = told(done)["environ"]
    assert isinstance(environ, dict)
    assert "git+https://git.example/u.git@v0.1.0" in done.stdout
    assert "hush" not in done.stdout + done.stderr
    assert "hush" not in (tmp_path / "environment/.installed").read_text()


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/thesis.txt").write_text("years")
    environ = python_whose_pip("true", tmp_path)
    done = start({**environ, "INSTALL_INTO": str(tmp_path / "precious")})
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert (tmp_path / "precious/thesis.txt").read_text() == "years"


def test_sigterm_while_installing_ends_it_and_pip(tmp_path: Path) -> None:
    environ = python_whose_pip(f"echo $$ >{tmp_path / 'pip'}; exec sleep 600", tmp_path)
    with subprocess.Popen([START], env=environ, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "pip").exists() or not (tmp_path / "pip").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 143
    pip = int((tmp_path / "pip").read_text())
    with pytest.raises(ProcessLookupError):
        _await_end(pip)


def _await_end(pid: int) -> None:
    """Raises `ProcessLookupError` once it has ended. Who takes it over may not look after it: then it stays
    in the list of processes, dead."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        os.kill(pid, 0)
        with suppress(FileNotFoundError):  # where there is /proc
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                raise ProcessLookupError(pid)
        time.sleep(0.02)
