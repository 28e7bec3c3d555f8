"""Server-sent events out of bytes, however they are cut (WHATWG HTML, 9.2.6)."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class ServerSent:
    """Fed with chunks; what is not ended by an empty line is not told."""

    _rest: bytes = b""
    _data: list[str] = field(default_factory=list)

    def feed(self, chunk: bytes) -> list[str]:
        """The `data` of every message that these bytes end."""
        lines = (self._rest + chunk).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not _is_whole(lines[-1]) else b""
        return [told for line in lines if (told := self._line(line)) is not None]

    def _line(self, line: bytes) -> str | None:
        text = line.rstrip(b"\r\n").decode(errors="replace")
        if text:
            name, _, value = text.partition(":")
            if name == "data":
                self._data.append(value.removeprefix(" "))
            return None
        told, self._data = "\n".join(self._data), []
        return told or None


def _is_whole(line: bytes) -> bool:
    """A line that ends in a carriage return may go on with a line feed."""
    return line.endswith(b"\n")
