"""Times in words. Pure. Source: git's date.c, for how long ago something was: its steps and its rounding."""

import time


def clock(seconds: int, now: int, offset_minutes: int) -> str:
    """The time of day where the offset to UTC is this, with the date where that is another day than ``now``.

    Both in seconds since the epoch.
    """
    today, told = (time.strftime("%Y-%m-%d %H:%M", time.gmtime(at + offset_minutes * 60)) for at in (now, seconds))
    return told[11:] if told[:10] == today[:10] else told


def relative(seconds: int) -> str:
    """How long ago, such as ``5 minutes ago``."""
    if seconds < 0:
        return "in the future"
    if seconds < 90:
        return f"{_counted(seconds, 'second')} ago"
    minutes = (seconds + 30) // 60
    if minutes < 90:
        return f"{_counted(minutes, 'minute')} ago"
    hours = (minutes + 30) // 60
    if hours < 36:
        return f"{_counted(hours, 'hour')} ago"
    return f"{_days((hours + 12) // 24)} ago"


def _days(days: int) -> str:
    if days < 14:
        return _counted(days, "day")
    if days < 70:
        return _counted((days + 3) // 7, "week")
    if days < 365:
        return _counted((days + 15) // 30, "month")
    if days >= 5 * 365:
        return _counted((days + 183) // 365, "year")
    years, months = divmod((days * 24 + 365) // 730, 12)
    return _counted(years, "year") + (f", {_counted(months, 'month')}" if months else "")


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
