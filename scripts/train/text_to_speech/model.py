"""The acoustic model: Piper phoneme ids -> frames of each id -> vocoder parameters -> audio."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scripts.train.text_to_speech.vocoder import CEPSTRUM, Vocoder

SYMBOLS = 256
"""num_symbols of the voice's JSON; Piper's default map uses 0 to 165."""
BANDS = 5
OUTPUTS = 2 + CEPSTRUM + BANDS
"""log f0, voicing logit, mel-cepstrum, band strengths."""
BASIS = 3
"""Vectors per phone, blended over its length: start, middle, end."""
ENCODER_WIDTH = 192
DECODER_WIDTH = 128
ENCODER_DILATIONS = (1, 2, 4, 8, 1)
DECODER_DILATIONS = (1, 2, 4, 1)
SENTENCE_BLOCK = 3
"""The encoder block that gets context from the whole sentence."""
MAX_FRAMES = 400.0
"""Frames in a phone (2 s)."""


class Block(nn.Module):
    """A residual convolution over time, (batch, channels, time)."""

    def __init__(self, channels: int, kernel: int, dilation: int, *, norm: bool, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels) if norm else None
        self.conv = nn.Conv1d(channels, channels, kernel, padding=dilation * (kernel - 1) // 2, dilation=dilation)
        self.mix = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)
        nn.init.zeros_(self.mix.bias)
        self.mix.weight.data *= 0.3

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` (batch, 1, time) is 0 after the end of a sentence."""
        y = self.norm(x.transpose(1, 2)).transpose(1, 2) if self.norm is not None else x
        if mask is not None:
            y = y * mask
        return x + self.mix(self.drop(F.relu(self.conv(y))))


class Acoustic(nn.Module):
    """Phone encoder, durations, frame decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.emb = nn.Embedding(SYMBOLS, ENCODER_WIDTH)
        self.enc = nn.ModuleList(Block(ENCODER_WIDTH, 5, d, norm=True, dropout=0.05) for d in ENCODER_DILATIONS)
        # whole-sentence context (is this a yes/no question?): the maximum over phones, added to every phone
        self.glob_in, self.glob_out = nn.Linear(ENCODER_WIDTH, ENCODER_WIDTH), nn.Linear(ENCODER_WIDTH, ENCODER_WIDTH)
        nn.init.zeros_(self.glob_out.weight)
        nn.init.zeros_(self.glob_out.bias)
        self.enc_norm = nn.LayerNorm(ENCODER_WIDTH)
        self.dur = nn.Sequential(nn.Conv1d(ENCODER_WIDTH, 128, 3, padding=1), nn.ReLU(), nn.Conv1d(128, 1, 1))
        self.to_dec = nn.Linear(ENCODER_WIDTH, DECODER_WIDTH * BASIS)
        self.pos = nn.Linear(6, DECODER_WIDTH)
        self.dec = nn.ModuleList(Block(DECODER_WIDTH, 3, d, norm=False) for d in DECODER_DILATIONS)
        self.out = nn.Conv1d(DECODER_WIDTH, OUTPUTS, 1)
        # the targets' statistics, set in training
        self.register_buffer("mean", torch.zeros(OUTPUTS))
        self.register_buffer("std", torch.ones(OUTPUTS))

    def encode(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """ids (batch, n) without pads, mask (batch, 1, n) -> phone vectors (batch, n, width), log(1 + frames) (batch, n)."""
        x = self.emb(ids).transpose(1, 2)
        for i, block in enumerate(self.enc):
            if i == SENTENCE_BLOCK:
                whole = F.relu(self.glob_in(x.transpose(1, 2))) * mask.transpose(1, 2)
                x = x + self.glob_out(torch.amax(whole, 1))[:, :, None]
            x = block(x, mask)
        x = self.enc_norm(x.transpose(1, 2))
        return x, self.dur(x.transpose(1, 2) * mask)[:, 0]

    def decode(self, phones: Tensor, owner: Tensor, start: Tensor, frames: Tensor, mask: Tensor | None) -> Tensor:
        """phones (batch, n, width); owner (batch, t): the phone of each frame; start and frames (batch, n); mask (batch, 1, t)
        -> normalised outputs (batch, OUTPUTS, t)."""
        vectors = self.to_dec(phones)
        width = vectors.shape[2] // BASIS
        vectors = torch.gather(vectors, 1, owner[:, :, None].expand(-1, -1, vectors.shape[2]))
        length = torch.gather(frames, 1, owner).float()
        time = torch.arange(owner.shape[1], device=owner.device)[None, :].float()
        place = time - torch.gather(start, 1, owner).float()
        share = torch.clamp((place + 0.5) / torch.clamp(length, min=1.0), max=1.0)
        first, last = torch.clamp(1 - 2 * share, min=0.0), torch.clamp(2 * share - 1, min=0.0)
        middle = 1 - first - last
        x = (
            vectors[:, :, :width] * first[:, :, None]
            + vectors[:, :, width : 2 * width] * middle[:, :, None]
            + vectors[:, :, 2 * width :] * last[:, :, None]
        )
        x = (x + self.pos(_position(share, place, length))).transpose(1, 2)
        if mask is not None:
            x = x * mask
        for block in self.dec:
            x = block(x, mask)
        return self.out(x)


def _position(share: Tensor, place: Tensor, length: Tensor) -> Tensor:
    """Six numbers that tell a frame its position in its phone."""
    left = torch.clamp(place, 0.0, 16.0) / 16
    right = torch.clamp(length - 1 - place, 0.0, 16.0) / 16  # also not negative on padding
    near = [torch.exp(-left * 6), torch.exp(-right * 6)]
    return torch.stack([share, left, right, *near, torch.log(1 + length) / 4], 2)


class Voice(nn.Module):
    """The exported graph, with Piper's interface.

    input int64 (1, n), input_lengths int64 (1,), scales float (3,): noise, length, noise_w
    -> audio float (1, 1, samples), frames of each id float (1, 1, n), which times hop_length are samples.
    """

    F0_NOISE = 0.01
    F0_JITTER = 0.006
    DURATION_NOISE = 0.06

    def __init__(
        self, acoustic: Acoustic, vocoder: Vocoder, *, pitch_range: float, sharpen: float, pace: float
    ) -> None:
        """`pitch_range` widens the teacher's flat intonation (sd 11 Hz), `sharpen` above 1 deepens the valleys between
        formants beyond the teacher's postfilter, `pace` above 1 speaks slower than the teacher."""
        super().__init__()
        self.a, self.v = acoustic, vocoder
        self.pitch_range, self.pace = pitch_range, pace
        self.register_buffer("sharpen", torch.tensor([1.0, 1.0] + [sharpen] * (CEPSTRUM - 2)))

    def forward(self, ids: Tensor, lengths: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
        """One sentence."""
        place = torch.arange(ids.shape[1], device=ids.device)
        keep = torch.nonzero((ids[0] != 0) & (place < lengths[0])).squeeze(1)  # without the `_` pads
        tokens = torch.index_select(ids, 1, keep)
        phones, log_frames = self.a.encode(tokens, torch.ones_like(tokens[:, None], dtype=torch.float32))
        frames = self._frames(log_frames, scales)
        end = torch.cumsum(frames, 1)
        time = torch.arange(end[0, -1].long(), device=frames.device).float()
        owner = (time[:, None] >= end).long().sum(1)[None]
        outputs = self.a.decode(phones, owner, end - frames, frames, None)[0].T
        outputs = outputs * self.a.std + self.a.mean
        log_f0 = self._log_f0(outputs[:, 0], log_frames, owner, scales)
        audio = self.v(
            torch.exp(torch.clamp(log_f0, 4.0, 6.2)),
            (outputs[:, 1] > 0).float(),
            outputs[:, 2 : 2 + CEPSTRUM] * self.sharpen,
            torch.clamp(outputs[:, 2 + CEPSTRUM :], 0.0, 1.0),
        )
        all_frames = torch.zeros_like(ids, dtype=torch.float32).scatter(1, keep[None], frames)
        return torch.clamp(audio, -1.0, 1.0)[None, None], all_frames[:, None]

    def _frames(self, log_frames: Tensor, scales: Tensor) -> Tensor:
        """Whole frames per phone, never none in all."""
        frames = torch.exp(log_frames) - 1.0
        frames = frames * torch.exp(torch.randn_like(frames) * (scales[2] * self.DURATION_NOISE))
        frames = frames * (scales[1] * self.pace)
        whole = torch.clamp(torch.floor(frames + 0.5), min=0.0, max=MAX_FRAMES)
        first = (torch.arange(whole.shape[1], device=whole.device) == 0).float()
        return torch.maximum(whole, first[None])

    def _log_f0(self, log_f0: Tensor, log_frames: Tensor, owner: Tensor, scales: Tensor) -> Tensor:
        """Widened around its mean; with noise, a shift per phone and a jitter per frame."""
        shift = torch.randn_like(log_frames) * (scales[0] * self.F0_NOISE)
        wide = self.a.mean[0] + (log_f0 - self.a.mean[0]) * self.pitch_range + torch.gather(shift, 1, owner)[0]
        return wide + torch.randn_like(wide) * (scales[0] * self.F0_JITTER)
