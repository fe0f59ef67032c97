"""data-designer: a seed column and three text columns. `ResumeMode.IF_POSSIBLE` makes a rerun go on.

In flight 64, its metrics endpoint closed; all else by default (row groups of 1,000).
"""

import pandas
from data_designer.config.column_configs import LLMTextColumnConfig
from data_designer.config.config_builder import DataDesignerConfigBuilder
from data_designer.config.models import ChatCompletionInferenceParams, ModelConfig, ModelProvider
from data_designer.config.run_config import ResumeMode, RunConfig
from data_designer.config.seed_source import LocalFileSeedSource
from data_designer.interface.data_designer import DataDesigner
from work import IN_FLIGHT, MODEL, SAMPLING, STAGES, prompt, rows, told

asked = told()
seeds = asked.folder / "seeds.parquet"
if not seeds.exists():
    pandas.DataFrame({"row": rows(asked.rows)}).to_parquet(seeds)
how = ChatCompletionInferenceParams(max_parallel_requests=IN_FLIGHT, **SAMPLING)
model = ModelConfig(alias="model", model=MODEL, provider="server", inference_parameters=how)
work = DataDesignerConfigBuilder(model_configs=[model])
work.with_seed_dataset(LocalFileSeedSource(path=str(seeds)))
for stage in STAGES:
    system, user = prompt(stage)
    work.add_column(LLMTextColumnConfig(name=stage, model_alias="model", system_prompt=system, prompt=user))
server = ModelProvider(name="server", endpoint=asked.url, provider_type="openai", api_key="none")
designer = DataDesigner(artifact_path=asked.folder / "artifacts", model_providers=[server])
designer.set_run_config(RunConfig(otel_metrics_port=None))
designer.create(work, num_records=asked.rows, dataset_name="rows", resume=ResumeMode.IF_POSSIBLE)
