import asyncio
import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from aide.simulator import Simulator, SimulatorSettings, serve
from unit.simulator.prompting import request, synthesize

SOURCE = Path(__file__).parents[3] / "src"
BODY = request(synthesize())


def with_server(client: Any, settings: Any = None) -> Any:
    """Run the blocking `client(port)` in a thread beside a server, and return what it returns."""

    async def run() -> Any:
        port = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(serve(Simulator(settings), "127.0.0.1", 0, ready=port.set_result))
        try:
            return await asyncio.to_thread(client, await port)
        finally:
            server.cancel()
            await asyncio.wait([server])

    return asyncio.run(run())


def ask(connection: Any, body: Any) -> Any:
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_the_same_answers_as_in_process_over_one_connection() -> None:
    def client(port: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", port)
        answers = [ask(connection, {**BODY, "seed": turn}) for turn in range(5)]
        connection.request("GET", "/stats")
        stats = json.loads(connection.getresponse().read())
        connection.close()
        return answers, stats

    answers, stats = with_server(client)
    simulator = Simulator()
    assert answers == [(200, simulator.answer({**BODY, "seed": turn})) for turn in range(5)]
    assert stats["calls"] == 5


def test_nonsense_is_answered_and_the_connection_closed() -> None:
    def client(port: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", port)
        connection.connect()
        connection.sock.sendall(b"hello\r\n\r\n")
        data = b""
        while piece := connection.sock.recv(4096):
            data += piece
        connection.close()
        return data

    assert with_server(client).startswith(b"HTTP/1.1 400")


def test_reset_drops_the_connection_once() -> None:
    def client(port: Any) -> Any:
        connection = HTTPConnection("127.0.0.1", port)
        with pytest.raises((RemoteDisconnected, ConnectionResetError)):
            ask(connection, BODY)
        connection.close()
        connection = HTTPConnection("127.0.0.1", port)
        status, _ = ask(connection, BODY)
        connection.close()
        return status

    assert with_server(client, SimulatorSettings(faults={"reset": 1.0})) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_and_ends_in_order(number: Any) -> None:
    code = "import typer; from aide.cli.simulate import simulate; typer.run(simulate)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    try:
        assert process.stdout
        url = urlsplit(process.stdout.readline().strip())
        assert (url.hostname, url.path) == ("127.0.0.1", "/v1")
        connection = HTTPConnection("127.0.0.1", url.port or 0)
        assert ask(connection, BODY)[0] == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        connection.close()
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (0, "", "")
