"""The model card in the format of the Hugging Face Hub: metadata in YAML, then text."""

from huggingface_hub import EvalResult, ModelCardData

from stages.reporting.licence import licence
from stages.reporting.page import TEMPLATES

METRICS = {"accuracy": "accuracy", "macro_f1": "f1", "auroc": "roc_auc"}  # names on the Hub
NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro-F1", "auroc": "Macro AUROC"}


def render_card(facts: dict) -> str:
    """Return the model card as Markdown.

    Args:
        facts: the variables of the template: model, config, metrics, merge, confusion, params and training.
    """
    terms = licence(facts["config"]).text
    return TEMPLATES.get_template("card.md.jinja").render(facts, head=_metadata(facts).to_yaml(), terms=terms)


def _metadata(facts: dict) -> ModelCardData:
    config, test = facts["config"], facts["metrics"]["test"]
    name = licence(config).name
    return ModelCardData(
        license=name if name == "cc0-1.0" else "other",
        license_name=None if name == "cc0-1.0" else name,
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
