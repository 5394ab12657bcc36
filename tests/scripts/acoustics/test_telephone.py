"""What a telephone line does to sound."""

import numpy as np
import pytest

from scripts.acoustics.telephone import Codec, a_law, by_polyphase, g711, mu_law, telephone
from serving.audio import SPEECH_RATE, Pcm32

pytestmark = pytest.mark.unit


def tone(hertz: float, seconds: float = 1.0) -> Pcm32:
    times = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    return np.asarray(0.3 * np.sin(2 * np.pi * hertz * times), dtype=np.float32)


def noise(seconds: float) -> Pcm32:
    return (np.random.default_rng(0).normal(size=int(seconds * SPEECH_RATE)) * 0.1).astype(np.float32)


def rms(samples: Pcm32) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def test_it_has_no_bass_and_no_treble() -> None:
    heard = np.abs(np.fft.rfft(telephone(noise(4.0)))) ** 2
    hz = np.fft.rfftfreq(4 * SPEECH_RATE, 1 / SPEECH_RATE)
    inside = heard[(hz > 500) & (hz < 3000)].mean()
    assert heard[hz < 150].mean() < inside / 100
    assert heard[hz > 4200].mean() < inside / 100


@pytest.mark.parametrize("codec", [g711, mu_law, a_law])
def test_it_carries_its_band_and_nothing_beside_it(codec: Codec) -> None:
    inside, outside = telephone(tone(1_000), codec=codec), telephone(tone(6_000), codec=codec)
    assert rms(inside) == pytest.approx(rms(tone(1_000)), rel=0.15)
    assert rms(outside) < 0.05 * rms(inside)


@pytest.mark.parametrize("count", [1_001, 16_000, 16_001])
def test_sound_keeps_its_length_and_type(count: int) -> None:
    for heard in (telephone(noise(2)[:count]), telephone(noise(2)[:count], band=None, resample=by_polyphase)):
        assert heard.shape == (count,)
        assert heard.dtype == np.float32


@pytest.mark.parametrize("codec", [g711, mu_law, a_law])
def test_eight_bits_are_finest_where_sound_is_quiet(codec: Codec) -> None:
    quiet, loud = np.linspace(-0.01, 0.01, 999), np.linspace(0.5, 1.0, 999)
    assert np.abs(codec(quiet) - quiet).max() < 0.001
    assert 0.002 < np.abs(codec(loud) - loud).max() < 0.05


def test_g711_keeps_close_to_the_curve() -> None:
    sound = np.linspace(-1, 1, 9_999)
    assert np.abs(g711(sound) - mu_law(sound)).max() < 0.04


def test_levels_above_full_scale_are_clipped() -> None:
    loud = np.full(SPEECH_RATE, 5.0, np.float32)
    assert np.abs(telephone(loud, band=None, codec=mu_law, resample=by_polyphase)[2_000:-2_000]).max() < 1.05
