"""English with foreign accents, from festival's Czech, Finnish, Hindi and Italian diphones (Debian packages festvox-*).

kal, an English speaker, supplies the phones, durations and pitch contour of a text; each of his phones is replaced by the nearest
one of the other language (a diphthong by two), at that speaker's pitch. The result is English with a strong accent, in a voice
like none of the others. Licences: GPL-2+ (Czech, Hindi, Italian), LGPL-2.1+ (Finnish).
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.train.turn_taking.festival import run_scheme, segments_of, wave_of
from scripts.train.turn_taking.spoken import SpokenWord, Voice
from serving.audio import Pcm32

FESTIVAL_PACKAGES = {
    "festvox-kallpc16k": "voices/english/kal_diphone",
    "festvox-czech-dita": "voices/czech/czech_dita",
    "festvox-czech-krb": "voices/czech/czech_krb",
    "festvox-czech-machac": "voices/czech/czech_machac",
    "festvox-czech-ph": "voices/czech/czech_ph",
    "festvox-suopuhe-lj": "voices/finnish/suo_fi_lj_diphone",
    "festvox-suopuhe-mv": "voices/finnish/hy_fi_mv_diphone",
    "festvox-hi-nsk": "voices/hindi/hindi_NSK_diphone",
    "festival-hi": "hindi_scm",
    "festvox-italp16k": "voices/italian/lp_diphone",
    "festvox-itapc16k": "voices/italian/pc_diphone",
}
"""Debian package -> the folder that it installs in /usr/share/festival."""


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs.split())


_ITALIAN = _table("""
    aa=a1 ae=a1 ah=a ao=o1 ax=a eh=E1 ih=i iy=i1 uh=u uw=u1 aw=a1+u ay=a1+i ey=e1+i ow=o1+u oy=o1+i er=E1+r
    axr=E+r ch=tS jh=dZ sh=S zh=Z th=t dh=d dx=d y=j hh=# hv=# el=o+l em=m en=n nx=n pau=#
""")
_CZECH = _table("""
    aa=a: ae=e ah=a ao=o: ax=a eh=e ih=i iy=i: uh=u uw=u: aw=a+u ay=a+j ey=e+j ow=o+u oy=o+j er=e+r axr=e+r ch=c~
    jh=dz~ sh=s~ zh=z~ th=s dh=d dx=d y=j hh=h hv=h el=o+l em=m en=n nx=n ng=n* w=u pau=#
""")
_FINNISH = _table("""
    aa=a: ae=@ ah=a ao=o: ax=7 eh=e ih=i iy=i: uh=u uw=u: aw=a+u ay=a+i ey=e+i ow=o+u oy=o+i er=7+r axr=7+r ch=t+s
    jh=t+s sh=S zh=S z=s th=t dh=d dx=d y=j hh=h hv=h el=7+l em=m en=n nx=n ng=N w=v pau=#
""")
_HINDI = _table("""
    ae=ay ah=a ao=oh ax=a ay=aa+iy ey=ee ow=oo oy=oh+iy er=a+r axr=a+r jh=j zh=sh z=s t=T d=D dx=D hh=h hv=h
    el=a+l em=m en=n nx=n ng=n w=v
""")


@dataclass(frozen=True, slots=True)
class _Speaker:
    command: str
    phones: dict[str, str]
    """kal's phone -> the speaker's, or two joined by +; phones not listed keep their name."""
    pitch_hz: float
    """The middle of the speaker's range."""


FOREIGN_SPEAKERS = {
    "dita": _Speaker("voice_czech_dita", _CZECH, 205),
    "krb": _Speaker("voice_czech_krb", _CZECH, 240),
    "machac": _Speaker("voice_czech_machac", _CZECH, 90),
    "ph": _Speaker("voice_czech_ph", _CZECH, 130),
    "lj": _Speaker("voice_suo_fi_lj_diphone", _FINNISH, 190),
    "mv": _Speaker("voice_hy_fi_mv_diphone", _FINNISH, 105),
    "nsk": _Speaker("voice_hindi_NSK_diphone", _HINDI, 120),
    "lp": _Speaker("voice_lp_diphone", _ITALIAN, 200),
    "pc": _Speaker("voice_pc_diphone", _ITALIAN, 115),
}
"""Named after their packages; dita, lj and lp are women, krb is a child."""
_KAL_PITCH_HZ = 105.0
"""The middle of kal's range."""
_FIRST_HALF = 0.6
"""Share of a diphthong's length."""

Target = tuple[float, float]
"""Seconds from the beginning, Hz."""


def speak(text: str, voice: Voice) -> tuple[Pcm32, list[SpokenWord]]:
    """Sound at SPEECH_RATE, untrimmed, and the words."""
    segments, targets, said = segments_of(text)
    words = [SpokenWord(word.text, word.start_s / voice.tempo, word.end_s / voice.tempo) for word in said]
    middle = FOREIGN_SPEAKERS[voice.name].pitch_hz * voice.pitch
    melody = [(at_s / voice.tempo, middle * (hz / _KAL_PITCH_HZ) ** voice.liveliness) for at_s, hz in targets if hz > 0]
    return _rendered([(name, end_s / voice.tempo) for name, end_s in segments], melody, voice), words


def murmur(phones: Sequence[str], voice: Voice) -> Pcm32:
    """Some of kal's phones as one would murmur them, the last syllable longer and often higher; at SPEECH_RATE."""
    chance = random.Random(f"{voice} {phones}")
    middle, place_s = FOREIGN_SPEAKERS[voice.name].pitch_hz * voice.pitch, 0.0
    sung = [number for number, name in enumerate(phones) if name not in ("pau", "hh")]
    step = 1 + voice.liveliness * chance.uniform(-0.15, 0.35)
    segments, melody = list[tuple[str, float]](), list[Target]()
    for number, name in enumerate(phones):
        length_s = {"pau": 0.15, "hh": chance.uniform(0.04, 0.1)}.get(name, chance.uniform(0.09, 0.22)) / voice.tempo
        if number in sung:
            is_late = number == sung[-1] and len(sung) > 1
            length_s *= 1.3 if is_late else 1.0
            pitch = middle * (step if is_late else 1.0)
            melody += [(place_s + 0.01, pitch * chance.uniform(0.94, 1.05)), (place_s + length_s * 0.8, pitch)]
        place_s += length_s
        segments.append((name, place_s))
    return _rendered(segments, melody, voice)


def _rendered(segments: Sequence[tuple[str, float]], melody: Sequence[Target], voice: Voice) -> Pcm32:
    """`segments`: kal's phones and their ends in seconds."""
    speaker, parts, start_s = FOREIGN_SPEAKERS[voice.name], list[str](), 0.0
    for name, end_s in segments:
        said = speaker.phones.get(name, name).split("+")
        border_s = start_s + (end_s - start_s) * (_FIRST_HALF if len(said) > 1 else 1.0)
        for phone, (first_s, last_s) in zip(said, ((start_s, border_s), (border_s, end_s)), strict=False):
            inside = " ".join(f"({at_s - first_s:.4f} {hz:.1f})" for at_s, hz in melody if first_s <= at_s < last_s)
            parts.append(f"({phone} {max(0.01, last_s - first_s):.4f} {inside})")
        start_s = end_s
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        run_scheme(
            f"({speaker.command})\n(utt.save.wave (utt.synth (Utterance Segments ({' '.join(parts)})))"
            f' "{file.name}" \'riff)'
        )
        return wave_of(Path(file.name))
