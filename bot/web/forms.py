"""What a form brings: fields, a file, and the version of the case that it was filled in for."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.requests import Request

from bot.paste import MOST_BYTES, check_text, paste_of
from bot.phrases import capital, sentence
from rules.quantities import whole
from rules.read import PasteTooLarge

_MOST_FIELDS = 20
_GZIP = b"\x1f\x8b"


class BrokenFile(ValueError):
    """A file that cannot be read; the message is a sentence. `fields` are those that came with it."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was sent. `file` is the text of the file that came with it."""

    fields: Mapping[str, str]
    file: str

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    @property
    def expected(self) -> int | None:
        """The version that the form was filled in for."""
        return whole(self["expected"])

    @property
    def paste(self) -> str:
        """The lines that were typed or pasted, and those of the file below them."""
        return "\n".join(part for part in (self["paste"], self.file) if part.strip())


async def sent(request: Request) -> Form:
    """Read a form. Raises PasteTooLarge, BrokenFile."""
    async with request.form(max_files=1, max_fields=_MOST_FIELDS, max_part_size=MOST_BYTES) as form:
        fields = {name: _typed(value) for name, value in form.multi_items() if isinstance(value, str)}
        upload = form.get("file")
        content = await upload.read() if isinstance(upload, UploadFile) else b""
    try:
        return Form(fields, _text(content) if content else "")
    except BrokenFile as wrong:
        raise BrokenFile(str(wrong), fields) from None


def _text(content: bytes) -> str:
    content = unzipped(content)
    try:
        check_text(content)
    except ValueError as wrong:
        raise BrokenFile(sentence(capital(str(wrong)))) from None
    return paste_of(content)


def _typed(value: str) -> str:
    """Undo what browsers do to line ends; lone surrogates cannot be kept."""
    return value.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")


def unzipped(content: bytes) -> bytes:
    """Unpack what is gzip, give back what is not. Raises PasteTooLarge, BrokenFile."""
    found = b""
    while content.startswith(_GZIP):
        packed = zlib.decompressobj(wbits=31)
        try:
            found += packed.decompress(content, MOST_BYTES + 1 - len(found))
        except zlib.error:
            raise BrokenFile("The file looks like gzip and cannot be unpacked.") from None
        if len(found) > MOST_BYTES:
            raise PasteTooLarge(f"the file has more than {MOST_BYTES:,} bytes when it is unpacked; cut it down first.")
        if not packed.eof:
            raise BrokenFile("The file looks like gzip and breaks off.")
        content = packed.unused_data
        if not content.startswith(_GZIP):
            return found
    return content
