"""A job's events served over a bad line: each stream is spoiled as a plan says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.client.scripted import Answer, Asked, problem

WORDS = ["queued", "a\u2028line", "a\nline", "a\r\nline", "data: no", "Brötchen 🥐", "", "end"]
FINISHED = "job.finished"


def event(seq: int, last: int) -> dict[str, Any]:
    kind = FINISHED if seq == last else "product.progress"
    message = WORDS[seq % len(WORDS)]
    return {"seq": seq, "at": "", "type": kind, "percent": seq / last * 100, "message": message}


@dataclass(frozen=True)
class Fault:
    """What befalls one stream.

    cut      only so many of its bytes come, and then the connection is lost
    end      it ends well after so many events
    status   it is answered with this status
    again    it begins so many events too early
    gap      it leaves out the event after so many
    page     something in between answers with a page
    silence  after so many events nothing more comes
    """

    kind: str
    number: int = 0


@dataclass
class EventLog:
    """`plan`: what befalls each stream in turn; those after it are well."""

    last: int
    plan: Sequence[Fault] = ()
    line: str = "\n"
    streams: list[int] = field(default_factory=list)
    ended: bool = True

    def respond(self, asked: Asked) -> Answer:
        if not asked.path.partition("?")[0].endswith("/events"):
            return Answer(body=json.dumps({"id": "1", "status": self._status()}).encode())
        if "text/event-stream" not in asked.headers.get("accept", ""):
            since = int(asked.path.partition("since=")[2] or 0)
            return Answer(body=json.dumps({"items": self._after(since)}).encode())
        since = int(asked.headers["last-event-id"])
        at = len(self.streams)
        self.streams.append(since)
        return self._spoiled(since, self.plan[at] if at < len(self.plan) else Fault("none"))

    def _status(self) -> str:
        return "succeeded" if self.ended else "running"

    def _after(self, since: int) -> list[dict[str, Any]]:
        return [event(seq, self.last) for seq in range(since + 1, self.last + 1)]

    def _spoiled(self, since: int, fault: Fault) -> Answer:
        events = self._after(since)
        match fault.kind:
            case "status":
                return problem(fault.number, "some_reason", Retry_After="0")
            case "page":
                return Answer(body=b"<html>welcome", media_type="text/html")
            case "end" | "silence":
                events = events[: fault.number]
            case "again":
                events = self._after(max(0, since - fault.number))
            case "gap":
                events = events[: fault.number] + events[fault.number + 1 :]
        body = f": welcome{self.line}{self.line}".encode() + b"".join(map(self._told, events))
        if fault.kind == "cut":
            return Answer(200, body[: fault.number], media_type="text/event-stream", cut=True)
        return Answer(200, body, media_type="text/event-stream", held=fault.kind == "silence")

    def _told(self, told: dict[str, Any]) -> bytes:
        data = json.dumps(told, ensure_ascii=False)
        lines = [f"id: {told['seq']}", f"event: {told['type']}", f"data: {data}", "", ""]
        return self.line.join(lines).encode()
