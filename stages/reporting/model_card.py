"""The model card in the format of the Hugging Face Hub: metadata in YAML, then text."""

from huggingface_hub import EvalResult, ModelCardData

from stages.reporting.page import TEMPLATES

METRICS = {"accuracy": "accuracy", "macro_f1": "f1", "auroc": "roc_auc"}  # names on the Hub
NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro-F1", "auroc": "Macro AUROC"}


def render_card(facts: dict) -> str:
    """Return the model card as Markdown.

    Args:
        facts: the variables of the template: model, config, metrics, merge, confusion, params and training.
    """
    return TEMPLATES.get_template("card.md.jinja").render(facts, head=_metadata(facts).to_yaml())


def _metadata(facts: dict) -> ModelCardData:
    config, test = facts["config"], facts["metrics"]["test"]
    real = any(not source["drawn"] for source in config["sources"].values())
    inherited = config["recipe"]["init"] != "random"
    terms = "research-only-as-its-data" if real else "as-its-initial-weights" if inherited else None
    return ModelCardData(
        license="other" if terms else "cc0-1.0",
        license_name=terms,
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
                metric_value=row[metric],
            )
            for name, row in {"all": test, **test["per_dataset"]}.items()
            for metric in METRICS
            if metric in row
        ],
    )
