"""`ask`: what is journaled when, what is shared, what is asked again, and what is never paid for twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson
import pytest

from aide.config.spec import RunSpec
from aide.errors import BudgetSpent, Interrupted, NodeError, Unusable
from aide.formats.payloads import ThoughtsPayload
from aide.journal import Journal
from aide.llm.request import ChatRequest, EmbeddingRequest, KeepAnswer, ModelAnswer, ModelRequest
from aide.parsing import ModelPayload, ReplyModel, TextPayload
from aide.prompts import Prompts
from aide.records import Correction, Message, Usage
from aide.run.budget import Budget
from aide.run.calls import ModelCalls, NodeAsk, compute_call_key
from aide.run.embeddings import Embeddings
from models import SilentModels

TEXT = TextPayload("text")


class Shape(ReplyModel):
    count: int


COUNT = ModelPayload("count", Shape, lambda shape: shape.count)


class Server(SilentModels):
    """An endpoint below `ModelCalls`: says what it was told to say, and keeps each request."""

    def __init__(self, *said: str | dict[str, Any] | Exception) -> None:
        super().__init__()
        self.said = list(said)
        self.asked: list[Any] = []
        self.ranks: dict[str, int] = {}
        self.gate: asyncio.Event | None = None

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        self.asked.append(request)
        self.ranks[request.step] = rank
        said = self.said.pop(0) if self.said else f"answer {len(self.asked)}"
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(said, Exception):
            raise said
        data: dict[str, Any]
        if isinstance(request, EmbeddingRequest):
            data = {"data": [said] * len(request.texts)}
        else:
            choice = (
                said if isinstance(said, dict) else {"message": {"content": said}, "finish_reason": "stop"}
            )
            data = {"choices": [choice]}
        answer = ModelAnswer(orjson.dumps(data), data, "e", "real-model", {}, Usage(1, 100, 10), 0.1)
        await keep(answer)
        return answer


class Bench:
    """`Calls` over a journal in a folder and prompts of a few words."""

    def __init__(
        self, folder: Path, server: Server, *, reuse: Journal | None = None, earlier: Any = (), **spec: Any
    ) -> None:
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        (folder / "prompts" / "extract.md").write_text("# system\nS\n# user\n{{ about }}\n")
        self.spec = RunSpec(base_url=("sim:",), model="m", **spec)
        self.server = server
        self.journal = Journal.open(folder / "journal.sqlite", pace=0.0)
        budget = Budget(self.spec, Usage(), 0.0, clock=lambda: 0.0)
        self.calls = ModelCalls(
            self.spec,
            self.journal,
            budget,
            server,
            now=lambda: 1.0,
            reuse=[reuse] if reuse else (),
            earlier=earlier,
        )
        self.prompts = Prompts(folder / "prompts")
        self.embeddings = Embeddings(self.calls, self.spec.embeddings)

    async def ask(
        self, about: str = "rivers", *, node: str = "node", payload: Any = TEXT, room: int = 50, **more: Any
    ) -> Any:
        return await NodeAsk(self.calls, self.prompts, node)(
            "extract", payload, max_output=room, about=about, **more
        )


def run(folder: Path, server: Server, play: Callable[[Bench], Awaitable[Any]], **options: Any) -> Any:
    """Play a scene over a bench, and close its journal."""

    async def scene() -> Any:
        bench = Bench(folder, server, **options)
        try:
            return await play(bench)
        finally:
            bench.journal.close()

    return asyncio.run(scene())


def test_an_answer_is_in_the_journal_before_any_code_reads_it(tmp_path: Path) -> None:
    server = Server("said")

    async def play(bench: Bench) -> int:
        class Reader(TextPayload):
            def read(self, text: str) -> str:
                return str(len(list(bench.journal.read_calls())))

        return int(await bench.ask(payload=Reader("text")))

    assert run(tmp_path, server, play) == 1


@pytest.mark.parametrize(
    "message",
    [
        {"content": "said", "reasoning_content": "hm"},
        {"content": "said", "reasoning": "hm"},
        {"content": "<think>hm</think>said"},
    ],
)
def test_a_payload_that_wants_thoughts_gets_them_wherever_the_server_puts_them(
    tmp_path: Path, message: dict[str, str]
) -> None:
    async def play(bench: Bench) -> Any:
        return await bench.ask(payload=ThoughtsPayload(TEXT))

    server = Server({"message": message, "finish_reason": "stop"})
    assert run(tmp_path, server, play) == ("said", "hm")


def test_the_same_question_is_paid_once_whoever_asks_and_whenever(tmp_path: Path) -> None:
    server = Server("said")

    async def play(bench: Bench) -> list[str]:
        return [await bench.ask(node="one"), await bench.ask(node="other")]

    assert run(tmp_path, server, play) == ["said", "said"]
    assert run(tmp_path, server, play) == ["said", "said"]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("ending", "order"),
    [
        (False, ["extract", "reflect", "answer", "revise", "synthesize"]),
        (True, ["extract", "revise", "synthesize", "answer", "reflect"]),
    ],
)
def test_what_is_nearest_to_done_waits_least_and_at_the_end_what_is_farthest(
    tmp_path: Path, ending: bool, order: list[str]
) -> None:
    server = Server()

    async def play(bench: Bench) -> None:
        bench.calls.ending = ending
        for step in sorted(order):
            ask = NodeAsk(bench.calls, bench.prompts, step)
            await ask(step, TEXT, template="extract", max_output=50, about=step)

    run(tmp_path, server, play)
    assert [server.ranks[step] for step in order] == sorted(server.ranks.values())


def test_two_who_ask_the_same_at_once_share_the_call_in_flight(tmp_path: Path) -> None:
    server = Server("said")

    async def play(bench: Bench) -> list[str]:
        server.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(bench.ask(node=str(n))) for n in range(5)]
            await asyncio.sleep(0)
            server.gate.set()
        return [task.result() for task in tasks]

    assert run(tmp_path, server, play) == ["said"] * 5
    assert len(server.asked) == 1


def test_a_fault_reaches_all_who_share_the_call_and_the_next_asks_anew(tmp_path: Path) -> None:
    server = Server(NodeError("too_long", "the context is too long", failed=True), "said")

    async def play(bench: Bench) -> tuple[list[str], str]:
        server.gate = asyncio.Event()
        ends = []
        async with asyncio.TaskGroup() as group:

            async def one(node: str) -> None:
                try:
                    await bench.ask(node=node)
                except NodeError as fault:
                    ends.append(fault.reason)

            for n in range(3):
                group.create_task(one(str(n)))
            await asyncio.sleep(0)
            server.gate.set()
        return ends, await bench.ask()

    assert run(tmp_path, server, play) == (["too_long"] * 3, "said")


@pytest.mark.parametrize(
    "change",
    [{"about": "lakes"}, {"room": 51}, {"draw": 1}, {"payload": COUNT}, {"correction": Correction("a", "b")}],
)
def test_whatever_changes_the_logical_call_is_another_call(tmp_path: Path, change: dict[str, Any]) -> None:
    server = Server('{"count": 1}', '{"count": 1}')

    async def play(bench: Bench) -> None:
        await bench.ask()
        await bench.ask(**change)

    run(tmp_path, server, play)
    assert len(server.asked) == 2


def test_the_key_holds_what_is_asked_and_nothing_of_where(tmp_path: Path) -> None:
    keys = []
    for url, concurrency in (("http://one/v1", 4), ("http://other:81/v1", 64)):
        spec = {
            "endpoints": (),
            "concurrency": concurrency,
            "timeout": float(concurrency),
            "headers": {"a": url},
        }

        async def play(bench: Bench) -> str:
            await bench.ask()
            return compute_call_key(bench.server.asked[0], 0, 0)

        keys.append(run(tmp_path / url[7:10], Server("said"), play, **spec))
    assert keys[0] == keys[1]


def test_keys_are_those_under_which_version_0_1_kept_its_answers(tmp_path: Path) -> None:
    """Literals computed by version 0.1: with other keys a resumed folder would pay for all its calls again."""
    chat = ChatRequest(
        step="extract",
        model="m",
        messages=(Message("system", "S"), Message("user", "rivers")),
        max_output=50,
        temperature=0.3,
        seed=9,
        extra={"top_k": 20},
        schema_name="count",
        schema={"type": "object"},
    )
    assert compute_call_key(chat, 1, 0) == "e48b9fb39fcfabe556f0d91fd5b57690"

    async def play(bench: Bench) -> list[str]:
        assert len(await bench.embeddings.embed_all(("one", "zwei", "三"), "node")) == 3
        assert await bench.embeddings.embed("A ferry crosses the river.", "node") == [0.0, 1.0]
        assert bench.embeddings.recall_text("A ferry crosses the river.") == [0.0, 1.0]
        return [call.key for call in bench.journal.read_calls()]

    server = Server({"embedding": [3, 4]}, {"embedding": [0, 2]})
    keys = run(tmp_path, server, play, embeddings="bge-small", seed=7, extra={"top_k": 20})
    assert keys == ["325623e634eb2de802e6ec11fde61188", "169292f4b5da0ce0abcf324ad9847238"]


def test_the_first_draw_sends_no_seed_and_further_ones_send_one_of_their_own(tmp_path: Path) -> None:
    server = Server()

    async def play(bench: Bench) -> None:
        for node, draw in (("a", 0), ("a", 1), ("a", 2), ("b", 1)):
            await bench.ask(node=node, draw=draw)

    run(tmp_path, server, play)
    first, *further = [request.seed for request in server.asked]
    assert first is None
    assert len({seed for seed in further if seed is not None}) == 3


def test_what_can_not_be_used_is_asked_once_more_with_the_reason(tmp_path: Path) -> None:
    server = Server("no number here", '{"count": 7}')

    async def play(bench: Bench) -> tuple[int, list[str]]:
        return await bench.ask(payload=COUNT), bench.server.noted

    assert run(tmp_path, server, play) == (7, ["m"])
    roles = [message.role for message in server.asked[1].messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert server.asked[1].messages[2].content == "no number here"
    assert "JSON" in server.asked[1].messages[3].content


def test_what_can_not_be_used_twice_is_told(tmp_path: Path) -> None:
    server = Server("none", "none again", '{"count": 7}')

    async def play(bench: Bench) -> None:
        with pytest.raises(Unusable, match="JSON"):
            await bench.ask(payload=COUNT)
        assert len(list(bench.journal.read_calls())) == 2, "nonsense is kept too: it was paid for"

    run(tmp_path, server, play)
    assert len(server.asked) == 2


def test_what_was_cut_off_gets_twice_the_room_and_no_correction(tmp_path: Path) -> None:
    cut = {"message": {"content": "half an ans"}, "finish_reason": "length"}
    server = Server(cut, "whole")
    assert run(tmp_path, server, lambda bench: bench.ask(room=64)) == "whole"
    assert [request.max_output for request in server.asked] == [64, 128]
    assert len(server.asked[1].messages) == 2


STARVED = {"message": {"content": "", "reasoning_content": "Well"}, "finish_reason": "length"}


def test_who_is_cut_while_thinking_is_asked_again_with_more_room(tmp_path: Path) -> None:
    server = Server(STARVED, STARVED, STARVED, "whole")
    assert run(tmp_path, server, lambda bench: bench.ask(room=64)) == "whole"
    assert [request.max_output for request in server.asked] == [64, 128, 128, 128]
    again = Server()
    assert run(tmp_path, again, lambda bench: bench.ask(room=64)) == "whole"
    assert not again.asked, "paid once"


def test_who_never_stops_thinking_is_given_up(tmp_path: Path) -> None:
    server = Server(*[STARVED] * 9)
    with pytest.raises(Unusable, match="cut off"):
        run(tmp_path, server, lambda bench: bench.ask(room=64))
    assert len(server.asked) == 4


def test_thinking_costs_no_answer_its_correction(tmp_path: Path) -> None:
    server = Server(STARVED, "no JSON", '{"count": 7}')
    assert run(tmp_path, server, lambda bench: bench.ask(payload=COUNT, room=64)) == 7


def refuse_small(shape: Shape) -> int:
    if shape.count < 5:
        raise ValueError("count further")
    return shape.count


LOOP = {"message": {"content": "a round and a round and " * 100}, "finish_reason": "length"}


@pytest.mark.parametrize("first", ['{"count": 1}', LOOP])
def test_what_a_model_would_only_say_again_is_drawn_afresh(tmp_path: Path, first: Any) -> None:
    server = Server(first, '{"count": 7}')
    payload = ModelPayload("count", Shape, refuse_small)
    assert run(tmp_path, server, lambda bench: bench.ask(payload=payload, room=64)) == 7
    one, other = server.asked
    assert other.messages == one.messages, "nothing of the bad answer is shown"
    assert other.max_output == one.max_output == 64
    assert other.seed not in (None, one.seed)
    assert other.temperature > one.temperature


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": "", "refusal": "I can't help with that."}, "finish_reason": "stop"},
        {"message": {"content": "x"}, "finish_reason": "content_filter"},
    ],
)
def test_a_refusal_is_kept_and_not_asked_again(tmp_path: Path, choice: dict[str, Any]) -> None:
    server = Server(choice)

    async def play(bench: Bench) -> int:
        with pytest.raises(Unusable):
            await bench.ask()
        with pytest.raises(Unusable):
            await bench.ask()
        return len(list(bench.journal.read_calls()))

    assert run(tmp_path, server, play) == 1
    assert len(server.asked) == 1


def test_answers_of_another_folder_are_taken_over_and_cost_nothing(tmp_path: Path) -> None:
    run(tmp_path / "old", Server("of old"), lambda bench: bench.ask())
    server = Server("of new")
    with Journal.open(tmp_path / "old" / "journal.sqlite", readonly=True) as old:

        async def play(bench: Bench) -> tuple[str, str, int, int]:
            taken, new = await bench.ask(), await bench.ask("lakes")
            flags = [call.reused for call in bench.journal.read_calls()]
            return taken, new, bench.calls.budget.spent.calls, sum(flags)

        assert run(tmp_path / "new", server, play, reuse=old) == ("of old", "of new", 1, 1)
    assert len(server.asked) == 1
    assert run(tmp_path / "new", Server(AssertionError("asked")), lambda bench: bench.ask()) == "of old"


def test_a_cap_stops_before_the_call_that_would_break_it_and_old_answers_stay_free(tmp_path: Path) -> None:
    server = Server()

    async def play(bench: Bench) -> None:
        await bench.ask("one")
        await bench.ask("two")
        with pytest.raises(BudgetSpent, match="--max-calls 2"):
            await bench.ask("three")
        assert await bench.ask("one") == "answer 1"

    run(tmp_path, server, play, max_calls=2)
    assert len(server.asked) == 2


def test_calls_under_way_count_towards_the_cap(tmp_path: Path) -> None:
    server = Server()

    async def play(bench: Bench) -> int:
        server.gate = asyncio.Event()
        ends: list[BaseException | str] = []

        async def one(about: str) -> None:
            try:
                ends.append(await bench.ask(about))
            except BudgetSpent as spent:
                ends.append(spent)

        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(one(str(n)))
            await asyncio.sleep(0)
            server.gate.set()
        return sum(isinstance(end, BudgetSpent) for end in ends)

    assert run(tmp_path, server, play, max_calls=3) == 2
    assert len(server.asked) == 3


class OneSlot(Server):
    """One call at a time; those in line fail once the run is told to stop, as in the pool."""

    def __init__(self) -> None:
        super().__init__()
        self.line = asyncio.Lock()

    async def complete(self, request: ModelRequest, rank: int, keep: KeepAnswer) -> ModelAnswer:
        async with self.line:
            self.stop.raise_if_requested()
            await asyncio.sleep(0)
            return await super().complete(request, rank, keep)


def test_what_a_cap_lets_through_is_asked_before_the_cap_stops_the_run(tmp_path: Path) -> None:
    server = OneSlot()

    async def play(bench: Bench) -> Counter[str]:
        ends: Counter[str] = Counter()

        async def one(about: str) -> None:
            try:
                await bench.ask(about)
                ends["answered"] += 1
            except BudgetSpent:
                ends["spent"] += 1

        async with asyncio.TaskGroup() as group:
            for n in range(5):
                group.create_task(one(str(n)))
        return ends

    assert run(tmp_path, server, play, max_calls=3) == {"answered": 3, "spent": 2}
    assert len(server.asked) == 3


def test_a_failed_call_gives_its_reservation_back(tmp_path: Path) -> None:
    server = Server(NodeError("bad_request", "no"), "said")

    async def play(bench: Bench) -> str:
        with pytest.raises(NodeError):
            await bench.ask("one")
        return str(await bench.ask("two"))

    assert run(tmp_path, server, play, max_calls=1) == "said"


def test_once_stopped_nothing_new_is_asked_and_what_is_known_is_still_told(tmp_path: Path) -> None:
    server = Server("said")

    async def play(bench: Bench) -> str:
        await bench.ask("known")
        bench.server.stop.request(Interrupted("enough"))
        with pytest.raises(Interrupted):
            await bench.ask("new")
        return str(await bench.ask("known"))

    assert run(tmp_path, server, play) == "said"
    assert len(server.asked) == 1


def test_money_is_booked_on_the_call_and_stays_unknown_without_a_price(tmp_path: Path) -> None:
    async def play(bench: Bench) -> list[float | None]:
        await bench.ask()
        return [call.cost for call in bench.journal.read_calls()]

    assert run(tmp_path / "a", Server("x"), play) == [None]
    assert run(tmp_path / "b", Server("x"), play, price="1/10") == [pytest.approx((100 * 1 + 10 * 10) / 1e6)]


def test_how_a_request_is_sent_is_no_part_of_its_key(tmp_path: Path) -> None:
    """An answer of before is found again with another tier or user, and asked for anew with other sampling."""
    server = Server()

    async def play(bench: Bench) -> list[Any]:
        return [await bench.ask(), bench.server.asked[-1].extra]

    one = run(tmp_path, server, play, extra={"top_k": 20, "service_tier": "flex", "metadata": {"run": 1}})
    assert one[1]["service_tier"] == "flex", "it is sent all the same"
    assert run(tmp_path, server, play, extra={"top_k": 20, "user": "me"})[0] == one[0]
    assert len(server.asked) == 1
    run(tmp_path, server, play, extra={"top_k": 21})
    assert len(server.asked) == 2


def test_what_was_answered_under_an_earlier_extra_stays(tmp_path: Path) -> None:
    server, before = Server(), {"service_tier": "flex", "reasoning_effort": "low"}
    request = ChatRequest(
        "extract", "m", (Message("system", "S"), Message("user", "rivers")), 50, extra=before
    )
    key = blake2b(
        orjson.dumps((*request.identify_with(before), 0, 0), option=orjson.OPT_SORT_KEYS), digest_size=16
    ).hexdigest()
    assert key != compute_call_key(request, 0, 0)

    async def ask(bench: Bench) -> Any:
        return await bench.calls.answer(request, 0, 0, "node")

    async def keep_as_before(bench: Bench) -> Any:
        await ask(bench)
        [call] = bench.journal.read_calls()
        return call

    call = run(tmp_path / "first", server, keep_as_before)

    async def play(bench: Bench) -> Any:
        await bench.journal.record(replace(call, key=key))
        return await ask(bench)

    run(tmp_path / "second", server, play, earlier=[before])
    assert len(server.asked) == 1


@pytest.mark.parametrize(("warmth", "sent"), [(1.0, 0.3), (0.6, 0.18), (2.0, 0.6)])
def test_a_call_may_be_warmer_or_colder_than_its_step(tmp_path: Path, warmth: float, sent: float) -> None:
    server = Server()
    run(tmp_path, server, lambda bench: bench.ask(warmth=warmth))
    assert server.asked[0].temperature == sent


def test_a_temperature_that_is_left_to_the_server_stays_so(tmp_path: Path) -> None:
    server = Server()
    run(tmp_path, server, lambda bench: bench.ask(warmth=0.6), steps={"extract": {"temperature": None}})
    assert server.asked[0].temperature is None
