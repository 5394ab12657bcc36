"""Puts aligned words on the stream's clock. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from serving.speech import Word
from serving.stt.hearing import Clip, Heard

MAX_WORD_S = 1.5


def join_pieces(pieces: Sequence[Word]) -> list[Word]:
    """Join pieces into words: a piece without a leading space belongs to the word before it.

    So "o", "'clock" is one word and punctuation stays with its word. A word is as probable as its least probable piece.
    """
    words: list[Word] = []
    for piece in pieces:
        text = piece.text.strip()
        if words and text and not piece.text[0].isspace():
            last = words.pop()
            words.append(Word(last.text + text, last.start_s, piece.end_s, min(last.probability, piece.probability)))
        elif text:
            words.append(Word(text, piece.start_s, piece.end_s, piece.probability))
    return words


def place_words(words: Sequence[Word], clip: Clip) -> Heard:
    """Shift words from the clip's clock to the stream's.

    Alignment starts the first word in the silence before it, and often ends the last one too soon or in the silence after
    it. So times are kept within the speech that the VAD found; the last word of a whole utterance ends where that speech
    does, unless the word would become too long. Times never run backwards.
    """
    placed: list[Word] = []
    earliest = clip.speech_start_s
    for word in words:
        start = min(max(earliest, clip.start_s + word.start_s), clip.speech_end_s)
        end = min(max(start, clip.start_s + word.end_s), clip.speech_end_s)
        placed.append(Word(word.text, start, end, word.probability))
        earliest = end
    if clip.is_whole and placed and clip.speech_end_s - placed[-1].start_s < MAX_WORD_S:
        placed[-1] = replace(placed[-1], end_s=clip.speech_end_s)
    return Heard(tuple(placed))
