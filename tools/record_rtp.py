"""Records the RTP packets of a real Chromium with their arrival instants: tests/data/rtp/*.json.

    python tools/record_rtp.py FOLDER

Chromium speaks a clip of tests/data/speech to aiortc in this process; what aiortc has decrypted is
written down as it came. Each trace is another way in which Chromium was asked to send.
"""

import asyncio
import base64
import json
import shutil
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np
from aiortc import RTCDtlsTransport, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from playwright.async_api import async_playwright

SPEECH = Path(__file__).parent.parent / "tests" / "data" / "speech"
LASTS_S = 5.0

WAYS = {
    "chromium_plain": ("useinbandfec=1", "As it sends by itself.", ""),
    "chromium_dtx": ("useinbandfec=1;usedtx=1", "Asked for discontinuous transmission.", ""),
    "chromium_60ms": (
        "useinbandfec=1;minptime=60",
        "Asked for packets of 60 ms.",
        "a=ptime:60\r\n",
    ),
    "chromium_10ms_stereo": (
        "stereo=1;minptime=10",
        "Asked for 10 ms and stereo.",
        "a=ptime:10\r\n",
    ),
}

PAGE = """async () => {
    const sound = await navigator.mediaDevices.getUserMedia(
        {audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
    window.pc = new RTCPeerConnection();
    pc.addTrack(sound.getTracks()[0], sound);
    await pc.setLocalDescription(await pc.createOffer());
    await new Promise((done) => {
        pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
    });
    return pc.localDescription.sdp;
}"""


def microphone(folder: Path) -> Path:
    """0.5 s of silence, a sentence of 3.3 s, silence."""
    with wave.open(str(SPEECH / "cards_005.wav")) as clip:
        said = np.frombuffer(clip.readframes(clip.getnframes()), np.int16)
    path = folder / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.zeros(8_000, np.int16).tobytes() + said.tobytes() + bytes(2 * 48_000))
    return path


async def record(fmtp: str, more: str, sound: Path) -> list[tuple[float, bytes]]:
    packets: list[tuple[float, bytes]] = []
    begun = asyncio.Event()
    clock = asyncio.get_running_loop().time
    takes = RTCDtlsTransport._handle_rtp_data

    async def keep(self: RTCDtlsTransport, data: bytes, arrival_time_ms: int) -> None:
        packets.append((clock(), data))
        begun.set()
        await takes(self, data, arrival_time_ms)

    RTCDtlsTransport._handle_rtp_data = keep
    peer, sink = RTCPeerConnection(), MediaBlackhole()
    peer.on("track", sink.addTrack)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={sound}%noloop",
                "--no-sandbox",
                "--disable-features=WebRtcHideLocalIpsWithMdns",
            ],
        )
        page = await browser.new_page()
        await page.route("**/*", lambda route: route.fulfill(body="<!doctype html>"))
        await page.goto("http://localhost:9/")
        offer = await page.evaluate(PAGE)
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        await sink.start()
        lines = [
            line for line in peer.localDescription.sdp.splitlines() if "a=fmtp:111" not in line
        ]
        answer = "\r\n".join(lines) + "\r\n"
        opus = "a=rtpmap:111 opus/48000/2\r\n"
        assert opus in answer
        answer = answer.replace(opus, f"{opus}a=fmtp:111 {fmtp}\r\n{more}")
        await page.evaluate("(sdp) => pc.setRemoteDescription({type: 'answer', sdp})", answer)
        await asyncio.wait_for(begun.wait(), 10)
        await asyncio.sleep(LASTS_S)
        version = browser.version
        await browser.close()
    await peer.close()
    RTCDtlsTransport._handle_rtp_data = takes
    print(f"  Chromium {version}: {len(packets)} packets")
    return packets


async def main(folder: Path) -> None:
    for name, (fmtp, about, more) in WAYS.items():
        with tempfile.TemporaryDirectory() as scratch:
            packets = await record(fmtp, more, microphone(Path(scratch)))
        began = packets[0][0]
        lines = [
            json.dumps([round(1000 * (at - began), 1), base64.b64encode(data).decode()])
            for at, data in packets
        ]
        head = json.dumps({"about": about, "fmtp": fmtp})
        (folder / f"{name}.jsonl").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
        print(name, "written")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
