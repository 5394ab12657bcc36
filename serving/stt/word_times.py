"""Places aligned words on a call's clock. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from serving.speech import Word
from serving.stt.hearing import Clip, Heard

LONGEST_WORD_S = 1.5


def join_pieces(pieces: Sequence[Word]) -> list[Word]:
    """Words of pieces that still have their white space: a piece without a leading space belongs to the word before it.

    So "o", "'clock" is one word and punctuation stays with its word. Its probability is the least sure piece's.
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
    """Shift words that are timed from the clip's first sample to the stream's clock.

    Alignment gives the first word the silence before it and often ends the last one too soon or in the silence after it.
    So times are held within the speech that the VAD found, where the last word of a whole utterance ends too unless that
    would be too long for a word; and they never run backwards.
    """
    placed: list[Word] = []
    earliest = clip.speech_start_s
    for word in words:
        start = min(max(earliest, clip.start_s + word.start_s), clip.speech_end_s)
        end = min(max(start, clip.start_s + word.end_s), clip.speech_end_s)
        placed.append(Word(word.text, start, end, word.probability))
        earliest = end
    if clip.is_whole and placed and clip.speech_end_s - placed[-1].start_s < LONGEST_WORD_S:
        placed[-1] = replace(placed[-1], end_s=clip.speech_end_s)
    return Heard(tuple(placed))
