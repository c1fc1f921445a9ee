"""A small server with the chat/completions and completions endpoints of OpenAI, that fails and dawdles on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Fault = str
"""What a request meets: "ok", "500", "429", "drop" (the connection closes) or "slow" (the answer takes a second)."""


@dataclass
class Server:
    """Answers with a word that follows from the prompt. A context manager: the server runs in a thread of its own."""

    fault: Callable[[int, str], Fault] = lambda number, prompt: "ok"
    latency: float = 0.005
    n_requests: int = 0
    at_once: int = 0
    most_at_once: int = 0
    faults: list[Fault] = field(default_factory=list)
    base_url: str = ""

    def __enter__(self) -> Server:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        lengths = [line.split(":")[1] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        body = json.loads(await reader.readexactly(int(lengths[0])))
        self.n_requests += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            prompt = body["messages"][-1]["content"] if path.endswith("/chat/completions") else body["prompt"]
            fault = self.fault(self.n_requests, prompt)
            self.faults.append(fault)
            await asyncio.sleep(1.0 if fault == "slow" else self.latency)
        finally:
            self.at_once -= 1
        if fault == "drop":
            return False
        status = {"500": "500 Internal Server Error", "429": "429 Too Many Requests"}.get(fault, "200 OK")
        text = json.dumps(_completion(path, prompt) if status == "200 OK" else {"error": {"message": status}})
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        )
        await writer.drain()
        return True


def answer(prompt: str) -> str:
    """What the server says next."""
    return f" w{len(prompt) % 7}"


def _completion(path: str, prompt: str) -> dict[str, Any]:
    text = answer(prompt)
    chat = path.endswith("/chat/completions")
    choice = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    return {
        "id": "1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 0,
        "model": "words",
        "choices": [{"index": 0, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": len(prompt), "completion_tokens": 2, "total_tokens": len(prompt) + 2},
    }


class Refused(Exception):
    """A status other than 200."""


async def post(server: Server, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """One request over a connection of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        data = json.dumps(body).encode()
        writer.write(f"POST /v1{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.split("Content-Length: ")[1].split("\r\n")[0])
        answer = json.loads(await reader.readexactly(length))
        if not head.startswith("HTTP/1.1 200"):
            raise Refused(head.split("\r\n")[0])
        return dict(answer)
    finally:
        writer.close()
