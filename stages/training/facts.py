"""What is recorded of a training: in the model's config.json, and of its speed."""

from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from stages.evaluation.calibration import fit_temperature
from stages.models import hardware, saved_model
from stages.models.forward import logits
from stages.models.preprocessing import Inputs
from stages.training import distributed
from stages.training.code_version import code_version
from stages.training.loop import Training
from stages.training.run import Run

NOT_DETERMINING = {"precision", "memory_share", "checkpoint_minutes", "test_views", "tensorboard", "allow_seen_test"}


def initial_facts(
    run: Run,
    labels: list[str],
    network: nn.Module,
    inputs: Inputs,
    data: dict[str, str],
    seen: dict[str, dict[str, Any] | None],
    teachers: list[dict[str, str]],
) -> dict:
    """Return everything that determines how a training goes, except the device.

    Args:
        run: what is trained.
        labels: the labels that are learned, in order.
        network: the network with its initial weights.
        inputs: the preprocessing.
        data: the hashes of the faces and of their indexes.
        seen: the faces that the initial weights or the teachers have seen, as `seen_before` counts them.
        teachers: the hashes of each teacher's files.
    """
    return {
        "recipe": run.recipe.model_dump(),
        "seed": run.seed,
        "fold": run.fold,
        "validation_folds": run.validation_folds,
        "ranked": run.ranked,
        "dataset": run.dataset,
        "labels": labels,
        "initial_weights": saved_model.sha256(network),
        "teacher_hashes": teachers,
        **seen,
        "inputs": asdict(inputs),
        "data": data,
        "processes": distributed.world_size(),
        "code": code_version(),
    }


def determining_facts(facts: dict[str, Any]) -> dict[str, Any]:
    """Return `initial_facts` without parameters that change no result, or only by what `Training.computation` says."""
    return facts | {"recipe": {key: value for key, value in facts["recipe"].items() if key not in NOT_DETERMINING}}


def final_facts(training: Training, arch: str, sources: dict[str, Any]) -> dict[str, Any]:
    """Return what is known after the training.

    Args:
        training: the finished training.
        arch: the architecture.
        sources: the provenance of each data set's archive.
    """
    best, device, validation = training.best_epoch, training.device, training.validation
    return {
        "architecture": arch,
        "channels": len(training.inputs.mean),
        "face_size": validation.pixels.shape[1],
        "temperature": _temperature(training),
        "epoch": best.number,
        "validation": {name: round(value, 6) for name, value in best.validation.items()},
        "parameters": sum(parameter.numel() for parameter in training.network.parameters()),
        "sources": sources,
        "drawn_faces": any(source["drawn"] for source in sources.values()),
        "torch": torch.__version__,
        "device": "cpu" if device.type == "cpu" else hardware.device_name(device),
        "precision": training.precision,
    }


def _temperature(training: Training) -> float:
    """Return the temperature that calibrates the probabilities, fitted on the validation faces."""
    faces, views = training.validation, training.recipe.test_views
    outputs = logits(training.network, training.inputs, faces.pixels, views=views)
    return round(fit_temperature(outputs.cpu().double().numpy(), faces.targets.cpu().numpy()), 6)


def speed_facts(training: Training) -> dict[str, Any]:
    """Return device, precision, duration and speed: what differs between runs with the same result."""
    return {
        "device": hardware.device_name(training.device),
        "precision": training.precision,
        "processes": distributed.world_size(),
        "threads": torch.get_num_threads(),
        "seconds": round(training.seconds, 1),
        "faces_per_second": round(training.faces_per_second, 1),
        "torch": torch.__version__,
    }
