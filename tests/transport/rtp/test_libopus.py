"""libopus, PyAV's and the system's: the contract, and what only libopus does."""

import weakref
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.opus_senders import payloads, speech_48k, tone
from tests.transport.rtp.opus_contract import FRAME_16K, OpusContract, likeness
from ultraandchat.transport.rtp.libopus import Libopus
from ultraandchat.transport.rtp.opus import Opus, OpusEncoder

FOUND = list(Libopus.found())


@pytest.fixture(params=FOUND or [None], ids=lambda one: one.name if one else "none")
def opus(request: pytest.FixtureRequest) -> Opus:
    if request.param is None:
        pytest.skip("no libopus to load here")
    found: Opus = request.param
    return found


class TestLibopus(OpusContract):
    """Each that is found."""


def lossy(encoder: OpusEncoder) -> list[bytes]:
    """A sentence for a peer who loses a fifth."""
    encoder.adapt(bitrate=32_000, loss_percent=20)
    return [encoder.encode(frame) for frame in speech_48k("lj001_0004").reshape(-1, 960)]


def test_a_lost_packet_is_recovered_from_the_next_better_than_concealed(opus: Opus) -> None:
    packets = lossy(opus.encoder(bitrate=32_000, complexity=2, fec=True))
    whole, recovering, concealing = opus.decoder(), opus.decoder(), opus.decoder()
    meant = [whole.decode(packet) for packet in packets]
    lost = list(range(9, len(packets) - 1, 5))
    recovered, concealed = [], []
    for number, packet in enumerate(packets):
        if number in lost:
            recovered.append(recovering.recover(packets[number + 1], FRAME_16K))
            concealed.append(concealing.conceal(FRAME_16K))
        else:
            recovering.decode(packet)
            concealing.decode(packet)
    truth = np.concatenate([meant[number] for number in lost])
    by_correction = likeness(np.concatenate(recovered), truth)
    by_guess = likeness(np.concatenate(concealed), truth)
    assert by_correction > 0.7
    assert by_correction > by_guess + 0.2


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_of_several_lost_packets_the_last_is_recovered(opus: Opus, lost: int) -> None:
    packets = lossy(opus.encoder(bitrate=32_000, complexity=2, fec=True))
    whole = opus.decoder()
    meant = [whole.decode(packet) for packet in packets]
    starts = range(10, len(packets) - lost - 1, 5)
    recovered, concealed = [], []
    for start in starts:
        recovering, concealing = opus.decoder(), opus.decoder()
        for packet in packets[:start]:
            recovering.decode(packet)
            concealing.decode(packet)
        gap = recovering.recover(packets[start + lost], lost * FRAME_16K)
        recovered.append(gap[-FRAME_16K:])
        concealed.append(concealing.conceal(lost * FRAME_16K)[-FRAME_16K:])
    truth = np.concatenate([meant[start + lost - 1] for start in starts])
    by_correction = likeness(np.concatenate(recovered), truth)
    assert by_correction > likeness(np.concatenate(concealed), truth) + 0.15


def test_correction_is_paid_for_only_once_loss_is_reported(opus: Opus) -> None:
    sound = speech_48k("lj001_0004").reshape(-1, 960)[:60]

    def recovers(loss_percent: int) -> bool:
        encoder, decoder, other = (
            opus.encoder(bitrate=32_000, complexity=2, fec=True),
            opus.decoder(),
            opus.decoder(),
        )
        encoder.adapt(bitrate=32_000, loss_percent=loss_percent)
        packets = [encoder.encode(frame) for frame in sound]
        for packet in packets[:-2]:
            decoder.decode(packet)
            other.decode(packet)
        guess = other.conceal(FRAME_16K)
        return not np.array_equal(decoder.recover(packets[-1], FRAME_16K), guess)

    assert not recovers(0)
    assert recovers(5)


def test_a_lower_bitrate_takes_effect_at_once(opus: Opus) -> None:
    encoder = opus.encoder(bitrate=40_000, complexity=2, fec=True)
    frames = speech_48k("lj001_0004").reshape(-1, 960)
    before = sum(len(encoder.encode(frame)) for frame in frames)
    encoder.adapt(bitrate=16_000, loss_percent=0)
    after = sum(len(encoder.encode(frame)) for frame in frames)
    assert after < before / 2


def test_nothing_above_12_khz_is_carried(opus: Opus) -> None:
    encoder = opus.encoder(bitrate=64_000, complexity=5, fec=True)
    packets = [encoder.encode(frame) for frame in tone(15_000, 0.4).reshape(-1, 960)]
    decoder = opus.decoder(48_000)
    heard = np.concatenate([decoder.decode(packet) for packet in packets])[4800:]
    assert np.sqrt(np.mean(heard**2)) < 0.01


def test_a_rate_opus_has_not_is_refused(opus: Opus) -> None:
    with pytest.raises(ValueError, match="22050"):
        opus.decoder(22_050)


def test_a_complexity_opus_has_not_is_refused(opus: Opus) -> None:
    with pytest.raises(ValueError, match="11"):
        opus.encoder(bitrate=32_000, complexity=11, fec=True)


def test_a_decoder_needs_no_collector_to_go(opus: Opus) -> None:
    decoder = opus.decoder()
    decoder.decode(payloads(tone(300, 0.1))[0])
    gone = weakref.ref(decoder)
    del decoder
    assert gone() is None


def test_its_name_says_version_and_where_from() -> None:
    for found in FOUND:
        assert found.name.startswith("libopus 1.")
        assert found.name.endswith(("(of PyAV)", "(of the system)"))


def test_each_place_is_named_once() -> None:
    names = [found.name for found in FOUND]
    assert len(names) == len(set(names)) <= 2


def test_a_file_that_is_no_library_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "av").mkdir()
    (tmp_path / "av.libs").mkdir()
    (tmp_path / "av.libs" / "libopus-0.so").write_bytes(b"no library")
    monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))
    assert not [found for found in Libopus.found() if "PyAV" in found.name]


def test_a_library_without_opus_in_it_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sorted(Path(av.__file__).parent.parent.glob("av.libs/libmp3lame*"))
    if not other:
        pytest.skip("PyAV brings no other library here")
    (tmp_path / "av").mkdir()
    (tmp_path / "av.libs").mkdir()
    (tmp_path / "av.libs" / "libopus-0.so").symlink_to(other[0])
    monkeypatch.setattr(av, "__file__", str(tmp_path / "av" / "__init__.py"))
    assert not [found for found in Libopus.found() if "PyAV" in found.name]
