"""Reading texts as people's programs write them: with Windows line ends, a byte order mark, semicolons, or another encoding."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from fear.errors import DatasetError

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read_text(path: Path) -> str:
    """The text of a file, UTF-8 or, where a byte order mark says so, UTF-16; without the mark.

    Raises:
        DatasetError: The file is missing, cannot be read, or holds no text.
    """
    try:
        content = path.read_bytes()
        encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
        text = content.decode(encoding)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: expected a file of boxes, got: {error}") from error
    if "\0" in text:
        raise DatasetError(f"{path}: expected a file of boxes in UTF-8, got one with zero bytes")
    return text


def number_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The fields of all lines that are not empty, each with the number of the line from 1.

    Fields are separated by commas, tabs, spaces or semicolons. Where semicolons separate them, a comma is the decimal point of a number.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.replace(",", ".").replace(";", " ") if ";" in line else line.replace(",", " ")
        fields = line.split()
        if fields:
            yield number, fields


def table_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows of a table with a header, each with the number of its line. Names of columns are in small letters.

    Fields are separated by commas, semicolons or tabs, as the header says. Where semicolons or tabs separate them, a comma in a number
    becomes a point.

    Raises:
        DatasetError: The text is not such a table, or a row has more fields than the header.
    """
    lines = text.splitlines()
    head = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    separator = max(",;\t", key=lambda one: lines[head].count(one)) if head < len(lines) else ","
    try:
        reader = csv.reader(lines[head:], delimiter=separator)
        names = [name.strip().lower() for name in next(reader, [])]
        for fields in reader:
            if not any(one.strip() for one in fields):
                continue
            line = head + reader.line_num
            if len(fields) > len(names):
                raise DatasetError(f"{path}, line {line}: expected {len(names)} fields as in the header, got {len(fields)}")
            values = [one.strip() for one in fields]
            yield line, dict(zip(names, values if separator == "," else [_point(one) for one in values], strict=False))
    except csv.Error as error:
        raise DatasetError(f"{path}: expected a CSV table ({error})") from error


def _point(value: str) -> str:
    """A number with a decimal comma gets a point; other texts stay."""
    return value.replace(",", ".") if value.replace(",", "", 1).lstrip("+-").isdecimal() else value
