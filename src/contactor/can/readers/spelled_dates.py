"""Dates as a Windows of any language spells them, read only where they are certain.

    read_date(b"Sam Sep 30 15:06:13.191 2017")           # nanoseconds since 1970, taken as UTC
    read_date(b"mar. mars 7 03:06:13,191 pm 2017")       # French: Tuesday, March 7
    read_date("周六 9月 30 15:06:13 2017".encode("gbk"))
    read_date(b"30.09.2017 15:06:13")                    # also 2017-09-30T15:06:13
    read_date(b"01/02/2017 15:06:13")                    # None: January or February?

Names of months that mean two months in two languages (`lis`, `srp`, `lip`) are left out. A fraction
of one or two digits is a count of milliseconds: python-can does not pad them, Vector's tools write
three digits.
Source: Unicode CLDR, abbreviated and wide names of months; python-can 4.6, `ASCWriter`.
"""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache

from contactor.clock import NS_PER_MS, NS_PER_S, from_datetime

_MONTH_NAMES = (
    "jan january januar janvier janv ene enero gen gennaio janeiro januari jaanuar sty oca ocak "
    "led leden ian ianuarie tammi tammikuu янв января",
    "feb february februar fevrier fevr fev febrero febbraio fevereiro februari lut sub subat "
    "uno unor februarie helmi helmikuu фев февр февраля",
    "mar march marz mrz mars marzo marco maart mrt mart bre brezen martie maalis maaliskuu "
    "мар марта",
    "apr april avril avr abr abril aprile nis nisan kwi dub duben aprilie huhti huhtikuu апр "
    "апреля",
    "may mai mayo mag maggio maio mei maj mayis kve kveten touko toukokuu май мая",
    "jun june juni juin junio giu giugno junho haz haziran cze cvn cerven iun iunie kesa kesakuu "
    "июн июня",
    "jul july juli juillet juil julio lug luglio julho tem temmuz cvc cervenec iul iulie heina "
    "heinakuu июл июля",
    "aug august aout ago agosto augustus augusti agu agustos sie elo elokuu авг августа",
    "sep sept september septembre septiembre set settembre setembro eyl eylul wrz zar zari "
    "septembrie syys syyskuu сен сент сентября",
    "oct october oktober okt octobre octubre ott ottobre out outubro eki ekim paz rij rijen "
    "octombrie loka lokakuu окт октября",
    "nov november novembre noviembre novembro kas kasim noi noiembrie marras marraskuu ноя нояб "
    "ноября",
    "dec december dezember dez decembre dic diciembre dicembre dezembro des desember ara aralik "
    "gru pro prosinec decembrie joulu joulukuu дек декабря",
)
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
# "Month" and "before noon", "after noon" in UTF-8, GBK, Shift JIS, Big5 and EUC-KR.
_NUMBERED_MONTH = re.compile(
    rb"(?<!\d)(\d{1,2})(?:\xe6\x9c\x88|\xd4\xc2|\x8c\x8e|\xa4\xeb|\xec\x9b\x94|\xbf\xf9)"
)
_HALVES = (
    ("am", ("上午", "午前", "오전")),
    ("pm", ("下午", "午後", "오후")),
)
_ENCODINGS = ("utf-8", "gbk", "shift_jis", "big5", "euc_kr")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d):(\d\d)(?:[.,:](\d{1,9}))?")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:t(?=\d)|$)")
_YEAR, _DAY = re.compile(r"\d{4}"), re.compile(r"(\d{1,2})\.?")
_YEARS = range(1970, 2116)
_LONGEST = 120


@lru_cache(maxsize=64)
def read_date(spelled: bytes) -> int | None:
    """Nanoseconds from 1970 to a date with a time of day, taken as UTC.

    Args:
        spelled: weekday, month, day, time and year as CANoe writes them, or a date in figures.

    Returns:
        None where a word of it is not understood, or where it could be another date.
    """
    if len(spelled) > _LONGEST:
        return None
    words = _plain(spelled).replace(",", ".").split()
    clock_ns, words = _without_clock(words)
    date = _date_of(words)
    if clock_ns is None or date is None or date[0] not in _YEARS:
        return None
    try:
        day = datetime(*date, tzinfo=UTC)
    except ValueError:
        return None
    return from_datetime(day) + clock_ns


def _plain(spelled: bytes) -> str:
    """In small letters without accents, with `9month` for a month that is numbered, am and pm."""
    spelled = spelled.strip(b" \t\r\n:")
    for half, names in _HALVES:
        for encoding in _ENCODINGS:
            for name in names:
                try:
                    spelled = spelled.replace(name.encode(encoding), f" {half} ".encode())
                except UnicodeEncodeError:
                    continue
    spelled = _NUMBERED_MONTH.sub(rb" \1month ", spelled)
    try:
        text = spelled.decode("utf-8")
    except UnicodeDecodeError:
        text = spelled.decode("cp1252", "replace")
    text = unicodedata.normalize("NFKD", text.lower().replace("ı", "i"))
    return "".join(character for character in text if not unicodedata.combining(character))


def _without_clock(words: list[str]) -> tuple[int | None, list[str]]:
    """The time of day in nanoseconds, and the other words; None where it is not certain."""
    rest: list[str] = []
    clock: re.Match[str] | None = None
    half = ""
    for word in words:
        date = _YEAR_FIRST.match(word)
        if date:
            rest.append(date.group().rstrip("t"))
        time = word[date.end() :].removesuffix("z").removesuffix("+00:00") if date else word
        found = _CLOCK.fullmatch(time)
        plain = time.replace(".", "")
        if found:
            clock, is_second = found, clock is not None
            if is_second:
                return None, rest
        elif plain in ("am", "pm"):
            half = plain
        elif time:
            rest.append(time)
    if clock is None:
        return None, rest
    hour, minute, second = (int(number) for number in clock.groups()[:3])
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    elif half == "am" and hour > 12:
        return None, rest
    if hour > 23 or minute > 59 or second > 59:
        return None, rest
    seconds = (hour * 60 + minute) * 60 + second
    return seconds * NS_PER_S + _fraction_ns(clock.group(4) or ""), rest


def _fraction_ns(digits: str) -> int:
    if len(digits) < 3:
        return int(digits or 0) * NS_PER_MS
    return int(digits.ljust(9, "0"))


def _date_of(words: list[str]) -> tuple[int, int, int] | None:
    """Year, month and day of the words that are left: figures alone, or `[day] month day year`."""
    figures = " ".join(words[-1:])
    day_first, year_first = _DAY_FIRST.fullmatch(figures), _YEAR_FIRST.fullmatch(figures)
    if day_first and len(words) <= 2:
        return int(day_first.group(3)), int(day_first.group(2)), int(day_first.group(1))
    if year_first and len(words) <= 2:
        return int(year_first.group(1)), int(year_first.group(2)), int(year_first.group(3))
    years = [word for word in words if _YEAR.fullmatch(word)]
    days = [found.group(1) for word in words if (found := _DAY.fullmatch(word))]
    names = [word for word in words if not _YEAR.fullmatch(word) and not _DAY.fullmatch(word)]
    if len(years) != 1 or len(days) != 1 or not 1 <= len(names) <= 2:
        return None
    # The weekday comes first, and may look like a month (`mar` is Tuesday in French).
    month = _month_of(names[-1])
    if month is None and len(names) == 2:
        month = _month_of(names[0])
    return None if month is None else (int(years[0]), month, int(days[0]))


def _month_of(word: str) -> int | None:
    if word.endswith("month"):
        return int(word.removesuffix("month"))
    return _MONTHS.get(word.rstrip("."))
