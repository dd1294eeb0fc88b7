"""A foreign client on the other end of a pipe."""

from __future__ import annotations

import json
import subprocess
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import Any

ANSWER_S = 30.0


class PeerError(Exception):
    """What the foreign client raised: its class, and the registry's code where it has one."""

    def __init__(self, answer: dict[str, object]) -> None:
        super().__init__(f"{answer['error']}: {answer.get('text', '')}")
        self.kind = answer["error"]
        self.code = answer.get("code")
        self.status = answer.get("status")


class Peer:
    """A foreign client in its own process: `peer("subjects", registry=url)` gives what it answered."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answers: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def __call__(self, op: str, **arguments: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"op": op, **arguments}) + "\n")
        self._process.stdin.flush()
        try:
            line = self._answers.get(timeout=ANSWER_S)
        except Empty:
            raise AssertionError(f"the foreign client gave no answer to {op} within {ANSWER_S:g} s") from None
        assert line, f"the foreign client ended (status {self._process.wait(ANSWER_S)}); its errors are above"
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer)
        return answer["result"]

    def frame(self, registry: str, message: str, value: dict[str, object]) -> bytes:
        """Have a record's value written to the topic `orders`."""
        answer = self("serialize", registry=registry, message=message, topic="orders", json=value)
        return bytes.fromhex(str(answer))

    def read(self, registry: str | None, message: str, raw: bytes) -> object:
        """Have a record's value of the topic `orders` read, as JSON."""
        return self("deserialize", registry=registry, message=message, topic="orders", bytes=raw.hex())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):  # it ended before
            self._process.stdin.close()
        try:
            self._process.wait(ANSWER_S)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._reader.join(ANSWER_S)
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")
