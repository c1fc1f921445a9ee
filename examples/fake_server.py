"""What stands for a language model in the examples: a server with OpenAI's chat endpoint that knows some arithmetic."""

from __future__ import annotations

import json
import random
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Arithmetic(BaseHTTPRequestHandler):
    """Adds two numbers a line, is wrong at times and then mostly less sure, and refuses a request now and then."""

    protocol_version = "HTTP/1.1"
    unseeded = random.Random(1)
    refusals = random.Random(1)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rng = random.Random(body["seed"]) if "seed" in body else self.unseeded
        numbers = [int(number) for number in re.findall(r"\d+", body["messages"][0]["content"])]
        lines = [line for line in body["messages"][1]["content"].split("\n") if line]
        so_far = int(lines[-1].rpartition(" ")[2]) if lines else numbers[0]
        wrong = rng.random() < 0.25
        if len(lines) < len(numbers) - 1:
            text = f"{so_far} + {numbers[len(lines) + 1]} = {so_far + numbers[len(lines) + 1] + wrong}"
        else:
            text, wrong = f"Answer: {so_far}", False
        logprob = -(0.8 if wrong else 0.3) * (0.5 + rng.random())
        token = {"token": text, "logprob": logprob, "bytes": None, "top_logprobs": []}
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": {"content": [token]}}
        usage = {"prompt_tokens": 20, "completion_tokens": 8, "total_tokens": 28}
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "fake",
            "choices": [choice],
            "usage": usage,
        }
        refused = self.refusals.random() < 0.02
        data = json.dumps({"error": {"message": "try again"}} if refused else reply).encode()
        self.send_response(503 if refused else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def fake_server():
    """The address of a server that lives as long as the context."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Arithmetic)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()
