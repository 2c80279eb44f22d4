"""What counts as a word in the index: how SQLite's tokenizer is set, and what it is given."""

from __future__ import annotations

import re

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""Words in any alphabet, without accents, and English ones by their stem."""

UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")
"""Letters of scripts that put no blank between words, where the tokenizer would take a sentence for one word."""

GAP = "\u200b"
"""What is put around them, so that each is a word: a blank without a width."""


def searchable(text: str) -> str:
    """``text`` as the tokenizer can take it: storable, and with a gap around letters that stand without blanks."""
    return UNSPACED.sub(f"{GAP}\\g<0>{GAP}", text.encode("utf-8", "replace").decode())
