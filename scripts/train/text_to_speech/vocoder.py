"""flite's mel-cepstral vocoder as a handful of matrix products.

For every 5 ms frame, a 10 ms Hann window of excitation goes through its own minimum-phase filter in the frequency domain:

    out = iDFT((DFT(pulses) * P + DFT(noise) * N) * exp(mel-cepstrum))

overlap-added. P and N are the voice's band filters weighted by the predicted strengths (pulses get `s`, noise `1 - s`). The
mel-cepstrum gives both the amplitude and the minimum phase of the filter, as cosine and sine sums over the warped frequency axis.
Everything is constant matrices and elementwise maths, so the same module runs in PyTorch and inside the exported ONNX graph.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from scripts.train.text_to_speech.teacher import RATE

HOP = 80
"""Samples in a frame (5 ms)."""
WINDOW = 160
FFT = 512
BINS = FFT // 2 + 1
NOISE_SAMPLES = 65_521
"""Length of the repeated noise: a prime, so that no period is audible."""
CEPSTRUM = 25
NEAR_ZERO = 1e-4

Float32 = NDArray[np.float32]


class Vocoder(nn.Module):
    """Frames of parameters -> sound."""

    def __init__(self, constants: Mapping[str, Any]) -> None:
        """`constants` of the voice: alpha (frequency warping), me_h (band filters, 48 taps each), gain."""
        super().__init__()
        frequency = 2 * math.pi * np.arange(BINS) / FFT
        order = np.arange(CEPSTRUM)[:, None] * warped(frequency, constants["alpha"])
        self._constant("mc_cos", np.cos(order))
        self._constant("mc_sin", -np.sin(order))
        filters = np.array(constants["me_h"])
        delay = np.arange(filters.shape[1]) - (filters.shape[1] - 1) / 2  # symmetric, so real once the delay is removed
        self._constant("bands", filters @ np.cos(np.outer(delay, frequency)))
        time = np.outer(np.arange(WINDOW), frequency)
        hann = np.hanning(WINDOW + 1)[:-1, None]
        self._constant("dft", np.concatenate([np.cos(time), -np.sin(time)], 1) * hann)
        time = np.outer(frequency, np.arange(FFT))
        both_sides = np.full((BINS, 1), 2.0)
        both_sides[0] = both_sides[-1] = 1
        inverse = np.concatenate([np.cos(time) * both_sides, -np.sin(time) * both_sides], 0) / FFT
        self._constant("idft", inverse[:, None, :])  # the kernel of the overlap-add
        noise = np.random.default_rng(1).standard_normal(NOISE_SAMPLES)
        self.register_buffer("tile", torch.tensor(np.clip(np.round(noise * 32), -127, 127).astype(np.int8)))
        self.gain = constants["gain"] / 32768

    def _constant(self, name: str, values: ArrayLike) -> None:
        self.register_buffer(name, torch.tensor(np.ascontiguousarray(values), dtype=torch.float32))

    def forward(self, f0: Tensor, voiced: Tensor, cepstrum: Tensor, strengths: Tensor) -> Tensor:
        """f0 (T,) Hz, any value where unvoiced; voiced (T,) 0 or 1; cepstrum (T, 25); strengths (T, 5) -> (T * HOP,)."""
        frames = f0.shape[0]
        noise = self.tile[torch.remainder(torch.arange(frames * HOP), NOISE_SAMPLES)].float() / 32.0
        pulse_spectrum = self._windows(self._pulses(f0, voiced), frames) @ self.dft
        noise_spectrum = self._windows(noise, frames) @ self.dft
        pulse_gain = (strengths * voiced[:, None]) @ self.bands
        noise_gain = (1 - strengths) @ self.bands
        real = pulse_spectrum[:, :BINS] * pulse_gain + noise_spectrum[:, :BINS] * noise_gain
        imaginary = pulse_spectrum[:, BINS:] * pulse_gain + noise_spectrum[:, BINS:] * noise_gain
        magnitude = torch.exp(cepstrum @ self.mc_cos) * self.gain
        phase = cepstrum @ self.mc_sin
        filter_real, filter_imaginary = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
        filtered = torch.cat(
            [real * filter_real - imaginary * filter_imaginary, real * filter_imaginary + imaginary * filter_real], 1
        )
        sound = F.conv_transpose1d(filtered.T[None], self.idft, stride=HOP)[0, 0]
        return sound[HOP : HOP + frames * HOP]

    def _pulses(self, f0: Tensor, voiced: Tensor) -> Tensor:
        """A band-limited pulse train of power 1: a sum of K cosines, the top one faded in."""
        step = _per_sample(f0) / RATE  # cycles
        phase = self._phase(step, f0.shape[0])
        count = torch.floor(0.5 / step - 0.5)
        fade = 0.5 / step - 0.5 - count
        angle = math.pi * phase
        sine = torch.sin(angle)
        near = torch.abs(sine) < NEAR_ZERO
        sine = torch.where(near, torch.ones_like(sine), sine)
        dirichlet = torch.where(near, 2 * count + 1, torch.sin((2 * count + 1) * angle) / sine)  # 1 + 2 sum of cosines
        top = torch.cos(2 * (count + 1) * angle)
        return (dirichlet - 1 + 2 * fade * top) * torch.sqrt(step) * _per_sample(voiced)

    def _phase(self, step: Tensor, frames: int) -> Tensor:
        """In cycles, 0 to 1. Summed within a frame and wrapped from frame to frame, to stay exact in float32."""
        inner = torch.cumsum(step.reshape(frames, HOP), 1)
        total = inner[:, -1]
        start = torch.cumsum(total, 0) - total
        phase = ((start - torch.floor(start))[:, None] + inner).reshape(-1)
        return phase - torch.floor(phase)

    def _windows(self, samples: Tensor, frames: int) -> Tensor:
        """(frames * HOP,) -> (frames, WINDOW), centred on the frames' starts."""
        hops = F.pad(samples, (HOP, 0)).reshape(frames + 1, HOP)
        return torch.cat([hops[:-1], hops[1:]], 1)


def _per_sample(values: Tensor) -> Tensor:
    """Interpolated linearly between frames; frame t is at sample t * HOP."""
    ramp = torch.arange(HOP, dtype=torch.float32) / HOP
    rise = torch.cat([values[1:], values[-1:]]) - values
    return (values[:, None] + rise[:, None] * ramp).reshape(-1)


def warped(frequency: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """The mel-like axis of an all-pass of coefficient alpha, in radians."""
    return frequency + 2 * np.arctan2(alpha * np.sin(frequency), 1 - alpha * np.cos(frequency))


def postfilter(cepstra: NDArray[np.floating[Any]], alpha: float, beta: float) -> Float32:
    """flite's formant sharpening on mel-cepstra (T, 25): scales c2 and up by 1 + beta and keeps the energy of the impulse response.

    Applied to the training targets.
    """
    axis = warped(np.pi * np.arange(129) / 128, alpha)
    cosines = np.cos(np.outer(np.arange(cepstra.shape[1]), axis)).astype(np.float32)
    weights = np.ones(129, np.float32)
    weights[0] = weights[-1] = 0.5
    plain = cepstra.astype(np.float32)
    linear = _to_linear(plain, alpha)
    linear[:, 1] -= beta * alpha * plain[:, 2]
    linear[:, 2:] *= 1 + beta
    sharpened = _from_linear(linear, alpha)
    sharpened[:, 0] += (_log_energy(plain, cosines, weights) - _log_energy(sharpened, cosines, weights)) / 2
    return sharpened


def _log_energy(cepstra: Float32, cosines: Float32, weights: Float32) -> Float32:
    return np.log(np.exp(2 * cepstra @ cosines) @ weights)


def _to_linear(cepstra: Float32, alpha: float) -> Float32:
    linear = cepstra.copy()
    for m in range(cepstra.shape[1] - 2, -1, -1):
        linear[:, m] = cepstra[:, m] - alpha * linear[:, m + 1]
    return linear


def _from_linear(linear: Float32, alpha: float) -> Float32:
    cepstra = linear.copy()
    for m in range(linear.shape[1] - 2, -1, -1):
        cepstra[:, m] = linear[:, m] + alpha * linear[:, m + 1]
    return cepstra
