"""curator: one `LLM` a stage, each over the rows of the one before. Its cache folder makes a rerun go on.

In flight 64; its own limits of requests and tokens a minute are out of the way; all else by default.
"""

from bespokelabs import curator
from work import IN_FLIGHT, MODEL, SAMPLING, messages, rows, told

asked = told()
backend = {
    "base_url": asked.url,
    "api_key": "none",
    "max_concurrent_requests": IN_FLIGHT,
    "max_requests_per_minute": 10**7,
    "max_tokens_per_minute": 10**10,
}


class Gen(curator.LLM):
    def prompt(self, row):
        return messages("gen", row=row["row"])

    def parse(self, row, response):
        return {**row, "gen": response}


class Judge(curator.LLM):
    def prompt(self, row):
        return messages("judge", row=row["row"], gen=row["gen"])

    def parse(self, row, response):
        return {**row, "judge": response}


class Rewrite(curator.LLM):
    def prompt(self, row):
        return messages("rewrite", row=row["row"], gen=row["gen"], judge=row["judge"])

    def parse(self, row, response):
        return {**row, "rewrite": response}


table = [{"row": row} for row in rows(asked.rows)]
for stage in (Gen, Judge, Rewrite):
    ask = stage(
        model_name=MODEL, backend="openai", backend_params=dict(backend), generation_params=dict(SAMPLING)
    )
    table = ask(table, working_dir=str(asked.folder / "cache")).dataset
table.to_json(str(asked.folder / "rows.jsonl"))
