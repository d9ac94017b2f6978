"""The model card, in the form that Hugging Face reads: a YAML head for machines, and prose for people."""

from huggingface_hub import EvalResult, ModelCardData

from stages.reporting.page import TEMPLATES

METRICS = {"accuracy": "accuracy", "macro_f1": "f1", "auroc": "roc_auc"}  # by the hub's names for them
NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro-F1", "auroc": "Macro AUROC"}


def card(facts: dict) -> str:
    """A model card, from what the template names: model, config, metrics, confusion, merge, params."""
    return TEMPLATES.get_template("card.md.jinja").render(facts, head=_head(facts).to_yaml())


def _head(facts: dict) -> ModelCardData:
    config, test = facts["config"], facts["metrics"]["test"]
    real = [name for name, source in config["sources"].items() if not source["drawn"]]
    licence = {"license": "other", "license_name": "research-only-as-its-data"} if real else {"license": "cc0-1.0"}
    parts = {"all": test, **test["per_dataset"]}
    return ModelCardData(
        **licence,
        library_name="pytorch",
        pipeline_tag="image-classification",
        tags=["facial-expression-recognition", config["architecture"]],
        datasets=list(config["sources"]),
        metrics=list(METRICS.values()),
        model_name=facts["model"],
        eval_results=[
            EvalResult(
                task_type="image-classification",
                task_name="Facial expression recognition",
                dataset_type=name,
                dataset_name=name,
                dataset_split="test",
                metric_type=METRICS[metric],
                metric_name=NAMES[metric],
                metric_value=part[metric],
            )
            for name, part in parts.items()
            for metric in METRICS
            if metric in part
        ],
    )
