import asyncio
import gzip
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from aide.errors import AideError, CallError, EndpointUnusable, InputError
from aide.llm.addresses import list_base_urls
from aide.llm.client import CallableTransport, Client, encode_body
from aide.llm.request import Endpoint
from endpoints.fake import FakeEndpoint, Said, completion, error

BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def text(data: Mapping[str, Any]) -> Any:
    return data["choices"][0]["message"]["content"]


def over_seam(fake: FakeEndpoint, base: str = "http://host/v1", **more: Any) -> Client:
    environ = more.pop("environ", {})
    return Client(Endpoint("e", base, **more), transport=fake.transport(), environ=environ)


@pytest.mark.parametrize(
    ("pasted", "bases"),
    [
        ("http://h:8000/v1", ["http://h:8000/v1"]),
        ("http://h:8000/v1/", ["http://h:8000/v1"]),
        ("http://h:8000/v1/chat/completions", ["http://h:8000/v1"]),
        ("http://h:8000/v1/v1", ["http://h:8000/v1"]),
        ("http://h:8000", ["http://h:8000/v1", "http://h:8000"]),
        ("http://h:8000/chat/completions/", ["http://h:8000/v1", "http://h:8000"]),
        ("localhost:11434", ["http://localhost:11434/v1", "http://localhost:11434"]),
        ("api.deepseek.com", ["https://api.deepseek.com/v1", "https://api.deepseek.com"]),
        ("https://openrouter.ai/api", ["https://openrouter.ai/api", "https://openrouter.ai/api/v1"]),
        ("https://g.com/v1beta/openai/", ["https://g.com/v1beta/openai"]),
        (
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
            ["https://r.openai.azure.com/openai/deployments/d?api-version=1"],
        ),
    ],
)
def test_a_base_url_is_understood_however_it_was_pasted(pasted: str, bases: list[str]) -> None:
    assert list(list_base_urls(pasted, {})) == bases


@pytest.mark.parametrize("odd", ["", "ftp://h", "http://", "http://h:port/v1", "http://h:0"])
def test_what_is_no_address_is_a_fault_of_input(odd: str) -> None:
    with pytest.raises(InputError):
        list_base_urls(odd, {})


def test_query_and_headers_go_along() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        client = over_seam(
            fake,
            query={"api-version": "2"},
            headers={"X-Key": "<{key}>"},
            key_env="K",
            environ={"K": "sk-1\n"},
        )
        await client.chat(BODY)
        heard = fake.heard[0]
        assert heard.headers["x-key"] == "<sk-1>"
        assert heard.headers["authorization"] == "Bearer sk-1"
        assert heard.headers["host"] == "host"
        assert str(client._url("/x")) == "http://host/v1/x?api-version=2"

    run(work())


def test_without_a_key_no_header_is_made() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        await over_seam(fake, key_env="K").chat(BODY)
        assert "authorization" not in fake.heard[0].headers

    run(work())


def test_the_path_that_answers_is_kept() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(Said(404, {"detail": "Not Found"}))
        client = over_seam(fake, "http://host")
        await client.chat(BODY)
        await client.chat(BODY)
        assert [h.path for h in fake.heard] == ["/v1/chat/completions", *["/chat/completions"] * 2]

    run(work())


def test_a_wrong_path_stops_with_the_address_and_a_hint() -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: Said(404, {"detail": "Not Found"}))
        with pytest.raises(EndpointUnusable, match="http://host/v1/chat/completions") as caught:
            await over_seam(fake).chat(BODY)
        assert "--base-url" in caught.value.hint
        assert len(fake.heard) == 1

    run(work())


def test_a_redirect_is_never_followed() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(Said(301, b"", {"location": "http://elsewhere/"}))
        async with fake.serve() as root:
            client = Client(Endpoint("e", root + "/v1"), environ={})
            with pytest.raises(EndpointUnusable, match="redirects"):
                await client.chat(BODY)
            await client.close()
        assert len(fake.heard) == 1

    run(work())


def test_the_key_is_in_no_error() -> None:
    async def work() -> None:
        fake = FakeEndpoint(lambda body: error(401, "Incorrect API key provided: sk-secret-1"))
        client = over_seam(fake, key_env="K", environ={"K": "sk-secret-1"})
        with pytest.raises(EndpointUnusable) as caught:
            await client.chat(BODY)
        assert "sk-secret-1" not in str(caught.value) + caught.value.hint
        assert "***" in str(caught.value)
        shown: BaseException | None = caught.value
        while shown is not None:
            assert "sk-secret-1" not in str(shown)
            shown = shown.__cause__

    run(work())


def test_a_key_command_is_asked_again_once_when_its_key_expired(tmp_path: Path) -> None:
    async def work() -> None:
        count = tmp_path / "count"
        fake = FakeEndpoint().say(error(401, "expired"))
        client = over_seam(fake, key_command=f"echo x >> {count}; echo key-$(wc -l < {count})")
        await client.chat(BODY)
        assert [h.headers["authorization"] for h in fake.heard] == ["Bearer key-1", "Bearer key-2"]
        fake.rule = lambda body: error(401, "no")
        with pytest.raises(EndpointUnusable):
            await client.chat(BODY)
        assert len(fake.heard) == 4

    run(work())


@pytest.mark.parametrize(
    "command", ["exit 3", "true", "yes", "yes | cat", "head -c 9000000 /dev/zero; sleep 9999"]
)
def test_a_key_command_that_fails_stops_the_run(command: str) -> None:
    async def work() -> None:
        with pytest.raises(EndpointUnusable, match="key command") as caught:
            await over_seam(FakeEndpoint(), key_command=command).chat(BODY)
        assert "--api-key-command" in caught.value.hint

    run(work())


def test_a_dropped_connection_costs_one_repeat_and_no_more() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(Said(drop=True))
        _, data = await over_seam(fake).chat(BODY)
        assert text(data) == "hello"
        assert len(fake.heard) == 2
        fake.say(Said(drop=True), Said(drop=True))
        with pytest.raises(CallError) as caught:
            await over_seam(fake).chat(BODY)
        assert caught.value.kind == "connection"
        assert len(fake.heard) == 4

    run(work())


def test_on_a_real_socket() -> None:
    """Kept connections, gzip, a drop, a cut body, a slow drip, silence and a dead port."""

    async def work() -> None:
        fake = FakeEndpoint()
        async with fake.serve() as root:
            client = Client(Endpoint("e", root), timeout=60, environ={})
            for _ in range(3):
                _, data = await client.chat(BODY)
                assert text(data) == "hello"
            assert fake.connections == 1
            fake.say(Said(200, gzip.compress(completion("zipped").content), {"content-encoding": "gzip"}))
            assert text((await client.chat(BODY))[1]) == "zipped"
            fake.say(Said(drop=True))
            assert text((await client.chat(BODY))[1]) == "hello"
            fake.say(Said(200, completion().content, cut=20))
            assert text((await client.chat(BODY))[1]) == "hello"
            fake.say(Said(200, completion("dripped").body, drip=b"\n" * 3, gap=0.01))
            assert text((await client.chat(BODY))[1]) == "dripped"
            fake.say(Said(200, completion().body, drip=b" " * 100, gap=0.05))
            brisk = Client(Endpoint("e", root), timeout=60, total_timeout=0.2, environ={})
            with pytest.raises(CallError, match="complete answer") as caught:
                await brisk.chat(BODY)
            assert caught.value.kind == "timeout"
            fake.say(Said(hang=True))
            nervous = Client(Endpoint("e", root), timeout=0.1, total_timeout=60, environ={})
            with pytest.raises(CallError, match="in time") as caught:
                await nervous.chat(BODY)
            assert caught.value.kind == "timeout"
            await brisk.close()
            await nervous.close()
        await client.close()
        dead = Client(Endpoint("e", root), environ={})
        with pytest.raises(CallError, match="nothing listens at") as caught:
            await dead.chat(BODY)
        assert caught.value.kind == "connection"
        assert "--base-url" in caught.value.hint
        await dead.close()

    run(work())


def test_large_headers_marks_and_streams_are_taken_on_a_real_socket() -> None:
    async def work() -> None:
        fake = FakeEndpoint()
        async with fake.serve() as root:
            client = Client(Endpoint("e", root), timeout=60, environ={})
            whole = completion("said").content
            stream = b'data: {"choices": [{"delta": {"content": "said"}, "finish_reason": "stop"}]}\n\n'
            for said in (
                Said(200, whole, {"x-trace": "a" * 60_000}),
                Said(200, b"\xef\xbb\xbf" + whole),
                Said(200, whole, {"content-encoding": "br"}),
                Said(200, stream + b"data: [DONE]\n\n", {"content-type": "text/event-stream"}),
            ):
                fake.say(said)
                reply, data = await client.chat(BODY)
                assert text(data) == "said"
                assert reply.body.startswith(b"{")
            fake.say(Said(200, gzip.compress(bytes(9 << 20)), {"content-encoding": "gzip"}))
            with pytest.raises(CallError, match="larger than 8 MB"):
                await client.chat(BODY)
            fake.say(Said(200, b" " * (9 << 20)))
            with pytest.raises(CallError, match="larger than 8 MB"):
                await client.chat(BODY)
            assert text((await client.chat(BODY))[1]) == "hello"
            await client.close()

    run(work())


def test_a_redirect_names_its_target() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(Said(307, b"", {"location": "https://elsewhere.example/v1"}))
        with pytest.raises(EndpointUnusable, match=r"https://elsewhere\.example/v1"):
            await over_seam(fake).chat(BODY)

    run(work())


def test_a_server_that_speaks_no_http_is_a_broken_connection() -> None:
    async def work() -> None:
        async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"220 smtp ready\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(babble, "127.0.0.1", 0)
        client = Client(
            Endpoint("e", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"), environ={}
        )
        with pytest.raises(CallError) as caught:
            await client.chat(BODY)
        assert caught.value.kind == "connection"
        await client.close()
        server.close()

    run(work())


def test_an_endpoint_in_this_process() -> None:
    async def work() -> None:
        seen: list[tuple[str, Any]] = []

        async def answer(
            path: str, body: Mapping[str, Any] | bytes, headers: Mapping[str, str]
        ) -> tuple[int, Mapping[str, str], Mapping[str, Any] | bytes]:
            seen.append((path, body))
            said = completion("near")
            return said.status, said.headers, said.body

        transport = CallableTransport(answer)
        reply, data = await Client(Endpoint("s", "sim:?near=0.1"), transport=transport, environ={}).chat(BODY)
        assert text(data) == "near"
        assert reply.body.startswith(b"{")
        assert seen == [("/v1/chat/completions", BODY)]
        async with httpx.AsyncClient(transport=transport) as outside:
            response = await outside.post("http://x/v1/chat/completions", json=BODY)
        assert text(response.json()) == "near"
        assert seen[1] == seen[0]

    run(work())


def test_sim_needs_something_behind_it() -> None:
    with pytest.raises(InputError):
        Client(Endpoint("s", "sim:"))


def test_a_lone_surrogate_never_leaves() -> None:
    sent = encode_body({"messages": [{"role": "user", "content": "a\ud800b"}]})
    assert b"a?b" in sent


def test_other_routes_share_the_errors() -> None:
    async def work() -> None:
        fake = FakeEndpoint().say(Said(200, {"data": [1]}), Said(200, [1, 2]), error(401, "no"))
        client = over_seam(fake)
        assert (await client.reply("/embeddings", {"input": ["a"]}))[1] == {"data": [1]}
        assert (await client.reply("/embeddings", {"input": ["a"]}))[1] == [1, 2]
        with pytest.raises(AideError):
            await client.reply("/embeddings", {"input": ["a"]})

    run(work())


def test_a_secret_of_a_header_or_the_query_is_sent_and_in_no_error() -> None:
    async def main() -> None:
        fake = FakeEndpoint(lambda body: error(401, "no access for s3cret or Bearer t0ken"))
        client = over_seam(
            fake,
            headers={"X-Api-Key": "${A}", "X-Other": "Bearer ${B}"},
            environ={"A": "s3cret", "B": "t0ken"},
        )
        with pytest.raises(EndpointUnusable) as caught:
            await client.chat(BODY)
        assert fake.heard[0].headers["x-api-key"] == "s3cret"
        assert fake.heard[0].headers["x-other"] == "Bearer t0ken"
        assert "s3cret" not in str(caught.value)
        assert "t0ken" not in str(caught.value)

    asyncio.run(main())
