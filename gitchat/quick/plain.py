"""Which words and texts are plain: each answer here is a part of what the rules of ``gitchat.model`` allow. Pure.

What is not plain may still be allowed; that is for the long way to judge. tests/quick holds these to the rules.
"""

_SLUG = "abcdefghijklmnopqrstuvwxyz0123456789-_"
_UID = "0123456789abcdefghjkmnpqrstvwxyz"
_HEX = "0123456789abcdef"
_DIGITS = "0123456789"
_RESERVED = ("all", "system", "role", "gitchat")
_DEVICES = ("con", "prn", "aux", "nul", "com", "lpt")


def is_slug(text: str) -> bool:
    """Whether ``text`` is a slug without dots, which no system takes for a device."""
    return (
        0 < len(text) <= 64 and not text.strip(_SLUG) and text[0] not in "-_" and text.rstrip(_DIGITS) not in _DEVICES
    )


def is_name(text: str) -> bool:
    """Whether ``text`` is a plain slug that a participant can have."""
    return is_slug(text) and text not in _RESERVED


def is_uid(text: str) -> bool:
    """Whether ``text`` is a whole uid."""
    return len(text) == 16 and not text.strip(_UID)


def is_oid(text: str) -> bool:
    """Whether ``text`` is the id of an object, by SHA-1."""
    return len(text) == 40 and not text.strip(_HEX)


def is_number(text: str) -> bool:
    """Whether ``text`` is a number of one to nine digits and nothing else."""
    return 0 < len(text) <= 9 and not text.strip(_DIGITS)


def is_text(text: str) -> bool:
    """Whether nothing in ``text`` would be shown otherwise than it is: line feeds and tabs stand for themselves."""
    shown = text.replace("\n", "").replace("\t", "")
    if not shown.isprintable():
        return shown == ""
    if _EMOJI_STYLE in shown:
        for sign in _STYLED:
            shown = shown.replace(sign + _EMOJI_STYLE, sign)
    return shown.isascii() or all(map(_is_plain, {*shown}))


_EMOJI_STYLE = "\ufe0f"
_STYLED = (
    "\u2139\u25b6\u2600\u2601\u2611\u2620\u2622\u2696\u2699\u269b\u26a0\u26a1\u2702\u2708\u2709\u270f\u2714\u2716\u2744\u2757"
    "\u2764\u27a1\u2b05\u2b06\u2b07\u2b50\U0001f3d7\U0001f512\U0001f513\U0001f575\U0001f5a5\U0001f5c2\U0001f5d1\U0001f5fa\U0001f6e0\U0001f6e1"
)
"""What people and agents put that style behind: such as the signs of a warning, a tick and an arrow."""

_SCRIPTS = (
    (" ", "\u0300"),  # Latin and what it needs
    ("\u0370", "\u0483"),  # Greek, Cyrillic
    ("\u048a", "\u0530"),
    ("\u2010", "\u2028"),  # dashes, quotation marks, dots
    ("\u2030", "\u205f"),
    ("\u20a0", "\u20c0"),  # currencies
    ("\u2100", "\u2400"),  # arrows, signs of mathematics
    ("\u2460", "\u2800"),  # frames, marks such as a tick
    ("\u2b05", "\u2b08"),  # more arrows, a star
    ("\u2b50", "\u2b51"),
    ("\u3001", "\u3030"),
    ("\u3041", "\u3100"),  # kana
    ("\u4e00", "\u9fff"),  # ideographs
    ("\uac00", "\ud7a4"),  # Hangul
    ("\uff01", "\uff5f"),
    ("\U0001f300", "\U0001f650"),  # pictures, alone
    ("\U0001f680", "\U0001f700"),
    ("\U0001f900", "\U0001fa00"),
)
"""From the first character of each range on, and before its end: only what always stands for itself."""


def _is_plain(character: str) -> bool:
    return any(first <= character < end for first, end in _SCRIPTS)
