"""Prepares the sound of a sentence for joining it to the next: trims silence, fades edges. Pure."""

import numpy as np

from serving.audio import Pcm32

_AUDIBLE = 0.01
"""Amplitude below which a voice counts as silent (-40 dBFS)."""
_FADE_S = 0.004


def sounding(samples: Pcm32, sample_rate: int, *, lead_s: float, tail_s: float) -> tuple[int, int]:
    """Where the sound begins and ends, in samples: `lead_s` before the first audible sample, `tail_s` after the last.

    (0, 0) if nothing is audible.
    """
    audible = np.flatnonzero(np.abs(samples) > _AUDIBLE)
    if len(audible) == 0:
        return 0, 0
    start = max(0, int(audible[0]) - round(lead_s * sample_rate))
    end = min(len(samples), int(audible[-1]) + 1 + round(tail_s * sample_rate))
    return start, end


def fade_edges(samples: Pcm32, sample_rate: int) -> Pcm32:
    """A copy that rises from zero and falls to zero within 4 ms, so that joins do not click."""
    fade = min(round(_FADE_S * sample_rate), len(samples) // 2)
    if fade == 0:
        return samples.copy()
    ramp = np.sin(np.linspace(0.0, np.pi / 2, fade, endpoint=False, dtype=np.float32)) ** 2
    faded = samples.copy()
    faded[:fade] *= ramp
    faded[-fade:] *= ramp[::-1]
    return faded
