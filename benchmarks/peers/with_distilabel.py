"""distilabel: three `TextGeneration` steps in a row, each a process of its own. Its cache makes a rerun go on.

A step sends one batch at a time, so that a batch of 64 is what bounds its calls in flight; all else by default.
"""

from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
from work import IN_FLIGHT, MODEL, SAMPLING, STAGES, prompt, rows, told


def main() -> None:
    """One pipeline: rows, gen, judge, rewrite."""
    asked = told()
    how = {("max_new_tokens" if name == "max_tokens" else name): value for name, value in SAMPLING.items()}
    with Pipeline(name="rows", cache_dir=asked.folder / "cache") as pipeline:
        last = LoadDataFromDicts(data=[{"row": row} for row in rows(asked.rows)], batch_size=IN_FLIGHT)
        for place, stage in enumerate(STAGES):
            system, user = prompt(stage)
            step = TextGeneration(
                name=stage,
                llm=OpenAILLM(model=MODEL, base_url=asked.url, api_key="none", generation_kwargs=how),
                system_prompt=system,
                template=user,
                columns=["row", *STAGES[:place]],
                input_batch_size=IN_FLIGHT,
                output_mappings={"generation": stage, "model_name": f"{stage}_model"},
            )
            last >> step
            last = step
    pipeline.run()


if __name__ == "__main__":
    main()
