import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Generator, nn
from torch.nn import functional

from helpers.project import ROOT
from helpers.trainable import LABELS, bright_or_dark
from stages.base.errors import InputError
from stages.faces.table import Selection
from stages.models.forward import logits
from stages.models.networks import build
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training import loop
from stages.training.augmentation import augment, draw
from stages.training.batches import Batches
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import LabelledFaces, check_subsets, labelled_faces
from stages.training.loop import Epoch, Training
from stages.training.objective import class_weights, loss
from stages.training.optimizer import build as build_optimizer
from stages.training.sampler import BLOCK, WINDOW, epoch_batches
from stages.training.schedule import Schedule

INPUTS = Inputs(16, [0.5], [0.25])
RECIPE = Train.load(ROOT / "params.yaml").model_copy(
    update={"arch": "cnn5", "epochs": 3, "patience": 3, "batch_size": 8, "lr": 1e-3, "dropout": 0.0}
)


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def augmented(images: torch.Tensor, size: int, strength: float, seed: int = 0) -> torch.Tensor:
    """Return randomly changed images."""
    return augment(images, size, draw(torch.Size([len(images)]), strength, seeded(seed)))


def smooth(count: int, channels: int = 1, size: int = 48) -> torch.Tensor:
    """Return different images without fine detail, so that resampling changes them little."""
    noise = torch.rand(count, channels, 4, 4, generator=seeded()) * 0.8 + 0.1
    return functional.interpolate(noise, (size, size), mode="bilinear")


# Augmentation


@pytest.mark.parametrize("size", [48, 96, 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_strength_0_only_resizes(channels: int, size: int) -> None:
    images = smooth(4, channels)
    resized = functional.interpolate(images, (size, size), mode="bilinear", antialias=True)
    torch.testing.assert_close(augmented(images, size, 0.0), resized, atol=1e-4, rtol=0)


def test_the_same_seed_augments_alike() -> None:
    first, again, other = (augmented(smooth(4), 48, 1.0, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_each_image_is_augmented_independently() -> None:
    images = smooth(1).expand(64, 1, 48, 48)
    changed = augmented(images, 48, 1.0).flatten(1)
    assert len(changed.unique(dim=0)) == 64
    images = smooth(16)
    either_way = torch.cat([images, images.flip(3)]).flatten(1)  # mirrored or not
    likeness = torch.corrcoef(torch.cat([augmented(images, 48, 0.3).flatten(1), either_way]))[:16, 16:]
    assert torch.equal(likeness.argmax(1) % 16, torch.arange(16))


def test_mirrored_half_of_the_time() -> None:
    images = torch.linspace(0, 1, 48).expand(400, 1, 48, 48)  # dark left, bright right
    changed = augmented(images, 48, 1.0)
    mirrored = changed[..., :24].mean((1, 2, 3)) > changed[..., 24:].mean((1, 2, 3))
    assert 0.4 < mirrored.float().mean() < 0.6


def test_strength_scales_the_changes_and_values_stay_in_range() -> None:
    images = (smooth(1) + smooth(1).flip(3)).div(2).expand(200, 1, 48, 48)  # symmetric: mirroring changes nothing
    distances = [(augmented(images, 48, strength) - images).abs().mean() for strength in (0, 0.25, 0.5, 1, 2)]
    assert all(weaker + 0.01 < stronger for weaker, stronger in pairwise(distances))
    strong = augmented(images, 48, 3.0)
    assert strong.min() >= 0 and strong.max() <= 1


def test_all_channels_are_transformed_alike() -> None:
    changed = augmented(smooth(8).expand(8, 3, 48, 48), 32, 1.0)
    assert torch.equal(changed[:, 0], changed[:, 1]) and torch.equal(changed[:, 0], changed[:, 2])


# The faces


@pytest.fixture
def index() -> pd.DataFrame:
    """Return twelve faces in folds 0 to 2 and four test faces; the ids are not the positions."""
    rows = [("train", fold, label) for fold in (0, 1, 2) for label in LABELS * 2] + [("test", -1, "happy")] * 4
    return pd.DataFrame([{"id": 2 * i, "split": s, "fold": f, "label": lb} for i, (s, f, lb) in enumerate(rows)])


def test_faces_keep_their_labels(index: pd.DataFrame) -> None:
    faces = np.arange(40, dtype=np.uint8).repeat(256).reshape(-1, 16, 16)
    some = index.iloc[[5, 0, 13]]
    faces_on_disk = labelled_faces([(faces, some), (faces[::-1], some[:1])], LABELS)
    assert faces_on_disk.streamed and faces_on_disk.pixels[:2][:, 0, 0].tolist() == [10, 0]
    assert faces_on_disk.targets.tolist() == [1, 0, 0, 1]
    resident = faces_on_disk.to(torch.device("cpu"))
    assert resident.pixels[:, 0, 0].tolist() == [10, 0, 26, 29] and resident.pixels.dtype == torch.uint8
    assert faces_on_disk.to(torch.device("cpu"), limit=4 * 256).streamed is False
    assert faces_on_disk.to(torch.device("cpu"), limit=4 * 256 - 1).streamed
    assert (resident.resident_bytes, faces_on_disk.resident_bytes) == (4 * 256, 0)
    positions = torch.tensor([3, 0, 1, 2] * 5)
    for one, other in zip(faces_on_disk.read(positions, 2), resident.read(positions, 2), strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1]) and one[0].shape == (2, 16, 16)


def test_streamed_faces_occur_once_and_blocks_are_shuffled_together() -> None:
    targets = torch.zeros(3 * BLOCK * WINDOW // 2 + 5, dtype=torch.int64)
    rows = epoch_batches(targets, 1, False, 0, 1, streamed=True).flatten()
    assert torch.equal(rows.sort().values, torch.arange(len(targets)))
    first, second = (set((part // BLOCK).tolist()) for part in rows.split(BLOCK * WINDOW))
    assert len(first) - WINDOW in (0, 1)  # one more if the last block, which is short, is among them
    assert len(first & second) <= 1 and max(first) > WINDOW
    assert (rows[1:] // BLOCK != rows[:-1] // BLOCK).double().mean() > 0.9
    assert not torch.equal(rows, epoch_batches(targets, 1, False, 0, 2, streamed=True).flatten())


def test_faces_on_disk_train_as_well_as_those_in_memory() -> None:
    runs = []
    for streamed in (False, True):
        some = training()
        if streamed:
            some.train = LabelledFaces(Selection((some.train.pixels.numpy(), np.arange(17))), some.train.targets)
            some.validation = LabelledFaces(
                Selection((some.validation.pixels.numpy(), np.arange(10))), some.validation.targets
            )
        runs.append([replace(epoch, seconds=0.0) for epoch in run(some)])
    assert runs[0][-1].validation["macro_f1"] > 0.9 and runs[1][-1].validation["macro_f1"] > 0.9


def test_unusable_subsets_raise_an_error(index: pd.DataFrame) -> None:
    pool = index[index.split == "train"]
    check_subsets(pool, pool, LABELS)
    with pytest.raises(InputError, match="split.fold: no validation face is left"):
        check_subsets(pool, pool[:0], LABELS)
    with pytest.raises(InputError, match="no training face has the label 'fear'"):
        check_subsets(pool, pool, [*LABELS, "fear"])
    with pytest.raises(InputError, match="no training face is left"):
        check_subsets(pool[:0], pool, [])
    with pytest.raises(InputError, match="no training face has the label 'happy'"):
        check_subsets(pool[pool.label != "happy"], pool, LABELS)
    with pytest.raises(InputError, match="data.labels: 'sadness'"):
        check_subsets(pool, pool, ["happy"])
    happy = pool[pool.label == "happy"]
    with pytest.raises(InputError, match="all training faces have the label 'happy'; a model needs two"):
        check_subsets(happy, happy, ["happy"])


# The loop


def training(count: int = 17, network: nn.Module | None = None, seed: int = 0, **changes: object) -> Training:
    """Return a training on faces that are easy to classify."""
    torch.manual_seed(seed)
    network = network or build("cnn5", 2, 1, 16, 0.0)
    recipe = RECIPE.model_copy(update=changes)
    return Training(network, INPUTS, bright_or_dark(count), bright_or_dark(10, seed=1), 2, recipe, seed)


def linear() -> nn.Module:
    """Return a small network without normalisation and dropout."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(256, 8), nn.ReLU(), nn.Linear(8, 2))


def run(some: Training) -> list[Epoch]:
    """Return all epochs, and remove the checkpoint."""
    checkpoint = Checkpoint({"test": 0})
    epochs = list(some.epochs(checkpoint))
    checkpoint.remove()
    return epochs


@pytest.mark.parametrize("count", [3, 9, 16, 17])  # with batches of 8, two of the counts leave one face over
def test_the_best_epoch_is_restored_at_the_end(count: int) -> None:
    some = training(count, epochs=6, patience=6)
    epochs = run(some)
    best = [epoch for epoch in epochs if epoch.best][-1]
    highest = max(epoch.validation["macro_f1"] for epoch in epochs)
    assert best.validation["macro_f1"] == highest
    after = logits(some.network, INPUTS, some.validation.pixels, some.recipe.precision)
    assert functional.cross_entropy(after.double(), some.validation.targets).item() == best.validation["loss"]
    if count == 17:
        assert highest == 1.0 and epochs[-1].train["macro_f1"] > 0.9


def test_training_stops_early_without_improvement() -> None:
    epochs = run(training(8, epochs=20, patience=2, lr=1e-12))
    best = [epoch.number for epoch in epochs if epoch.best][-1]
    assert len(epochs) == best + 2 < 20


def test_progress_is_a_line_where_no_terminal_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 0, raising=False)
    run(training(17, epochs=2))
    lines = capsys.readouterr().err.splitlines()
    steps = [f"epoch {epoch}/2, step {step}/3" for epoch in (1, 2) for step in (1, 2, 3)]
    assert [line.partition(":")[0] for line in lines] == steps
    assert all(re.fullmatch(r".*: loss \d\.\d{3}, \d+\.\d images/s, 0 min left", line) for line in lines), lines
    monkeypatch.setattr(loop, "PROGRESS_SECONDS", 60)
    run(training(17, epochs=2))
    assert capsys.readouterr().err == ""


def test_outputs_that_are_not_finite_raise_an_error() -> None:
    network = build("cnn5", 2, 1, 16, 0.0)
    nn.init.constant_(network[0].weight, float("nan"))
    reason = "train.lr: 0.001 is too high for batches of 8 faces: the outputs of cnn5 in epoch 1 are not finite"
    with pytest.raises(InputError, match=reason):
        run(training(8, network))


def test_validation_outputs_that_overflow_after_the_last_step_raise_an_error() -> None:
    network = linear()
    network[3].weight.data *= 1e20  # so the first layer's weights become as large in the only step
    some = training(8, network, optimizer="sgd", schedule="constant", lr=2.0, precision="float32")
    reason = "train.lr: 2 is too high for batches of 8 faces: .* cnn5 for validation faces after epoch 1 are not finite"
    with pytest.raises(InputError, match=reason):
        run(some)


# The recipe


def test_every_face_occurs_once_and_batches_have_one_size() -> None:
    targets = torch.tensor([0] * 15 + [1] * 4)
    order = epoch_batches(targets, 8, False, 0, 1)
    assert order.shape == (3, 8) and sorted(order.flatten()[:19].tolist()) == list(range(19))
    assert torch.equal(order, epoch_batches(targets, 8, False, 0, 1))
    assert not torch.equal(order, epoch_batches(targets, 8, False, 0, 2))
    assert not torch.equal(order, epoch_batches(targets, 8, False, 1, 1))
    assert epoch_batches(targets[:3], 8, False, 0, 1).shape == (1, 8)


def test_balanced_sampling_draws_all_classes_equally_often() -> None:
    targets = torch.tensor([0] * 950 + [1] * 50)
    order = epoch_batches(targets, 50, True, 0, 1)
    assert 0.45 < targets[order].float().mean() < 0.55


def test_the_loss_is_that_of_torch() -> None:
    outputs, targets = torch.randn(32, 3, generator=seeded()), torch.arange(32) % 3 // 2
    smooth_targets = functional.one_hot(targets, 3) * 0.9 + 0.1 / 3
    expected = functional.cross_entropy(outputs, targets, label_smoothing=0.1)
    torch.testing.assert_close(loss(outputs, smooth_targets), expected)
    weights = class_weights(targets, 3)
    assert weights[targets].mean() == pytest.approx(1) and weights[1] == pytest.approx(22 / 10 * weights[0])
    torch.testing.assert_close(
        loss(outputs, functional.one_hot(targets, 3), weights), functional.cross_entropy(outputs, targets, weights)
    )


def test_the_focal_loss_follows_its_formula() -> None:
    outputs, targets = torch.randn(32, 3, generator=seeded()), functional.one_hot(torch.arange(32) % 3, 3)
    right = (outputs.softmax(1) * targets).sum(1)
    torch.testing.assert_close(loss(outputs, targets, focal=2), (-((1 - right) ** 2) * right.log()).mean())


@pytest.mark.parametrize("focal", [0.01, 0.5, 1.0, 2.0])
def test_the_focal_loss_of_a_certain_answer_has_a_finite_gradient(focal: float) -> None:
    outputs = torch.tensor([[200.0, 0.0], [200.0, 0.0]], requires_grad=True)
    value = loss(outputs, torch.eye(2), focal=focal)  # one answer is right, one wrong
    value.backward()
    assert value.item() == pytest.approx(100) and outputs.grad.abs().max() == pytest.approx(0.5)
    assert outputs.grad[0].abs().max() < 1e-6


def rates(steps: int, scores: list[float] = (), **changes: object) -> list[float]:
    """Return the learning rate at each step; with `scores`, each step is also an epoch with that macro-F1."""
    recipe = RECIPE.model_copy(update={"lr": 1.0} | changes)
    optimizer = build_optimizer(linear(), recipe)
    schedule, seen = Schedule(optimizer, recipe, steps), []
    for number in range(1, steps + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.after_step(number)
        if scores:
            schedule.after_epoch(scores[number - 1])
    return seen


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
@pytest.mark.parametrize("steps", [2, 5, 10, 1000])
def test_the_learning_rate_rises_and_then_falls(name: str, steps: int) -> None:
    seen = rates(steps, schedule=name, warm_up=0.3)
    top = seen.index(max(seen))
    assert seen[: top + 1] == sorted(seen[: top + 1]) and seen[top:] == sorted(seen[top:], reverse=True)
    assert all(0 < rate <= 1 for rate in seen)
    if steps == 1000:
        assert 290 <= top <= 310 and max(seen) > 0.99 and seen[-1] < 1e-4


@pytest.mark.parametrize(("steps", "warm_up"), [(4, 0.2), (9, 0.1), (99, 0.01), (4, 0.0)])
def test_one_cycle_without_a_rising_step_only_falls(steps: int, warm_up: float) -> None:
    seen = rates(steps, schedule="one_cycle", warm_up=warm_up)
    assert seen == sorted(seen, reverse=True) and seen[0] > 0.5


def test_plateau_halves_the_rate_and_constant_keeps_it() -> None:
    assert rates(7, [0.5] * 7, schedule="plateau") == [1, 1, 1, 1, 0.5, 0.5, 0.5]
    assert rates(7, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], schedule="plateau") == [1] * 7
    assert rates(7, [0.5] * 7, schedule="constant") == [1] * 7


def test_optimisers_by_name() -> None:
    assert isinstance(build_optimizer(linear(), RECIPE), torch.optim.AdamW)
    sgd = build_optimizer(linear(), RECIPE.model_copy(update={"optimizer": "sgd"}))
    assert isinstance(sgd, torch.optim.SGD) and sgd.defaults["nesterov"]
    assert "lion" in type(build_optimizer(linear(), RECIPE.model_copy(update={"optimizer": "lion"}))).__name__.lower()
    with pytest.raises(InputError, match="train.optimizer: 'adamx' is unknown: did you mean 'adam"):
        build_optimizer(linear(), RECIPE.model_copy(update={"optimizer": "adamx"}))
    for unusable in ("adahessian", "bnbadam", "fusedadam"):
        with pytest.raises(InputError, match=f"train.optimizer: '{unusable}' is unknown"):
            build_optimizer(linear(), RECIPE.model_copy(update={"optimizer": unusable}))


def test_layer_decay_knows_the_layers_of_networks_that_are_not_timms() -> None:
    network = build("vgg8", 2, 1, 32, 0.0)
    groups = build_optimizer(network, RECIPE.model_copy(update={"layer_decay": 0.5})).param_groups
    scales = {weight: group["lr_scale"] for group in groups for weight in group["params"]}
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    expected = [0.5 ** (8 - number) for number in range(8) for _ in ("convolution", "normalisation")] + [1]
    assert [scales[layer.weight] for layer in layers] == expected


@pytest.mark.parametrize("name", ["cosine", "one_cycle", "plateau", "constant"])
def test_layer_decay_lowers_early_rates_and_biases_have_no_weight_decay(name: str) -> None:
    network = build("resnet18", 2, 1, 32, 0.0)
    recipe = RECIPE.model_copy(update={"layer_decay": 0.5, "lr": 0.1, "schedule": name, "warm_up": 0.3})
    optimizer = build_optimizer(network, recipe)
    schedule, rate, decay = Schedule(optimizer, recipe, 20), {}, {}
    for step in range(1, 20):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                rate.setdefault(parameter, []).append(group["lr"])
                decay[parameter] = group["weight_decay"]
        optimizer.step()
        schedule.after_step(step)
    first, last, top = (
        torch.tensor(rate[layer.weight]) for layer in (network.conv1, network.layer4[1].conv2, network.fc)
    )
    torch.testing.assert_close(last / top, torch.full((19,), 0.5))  # from the first step of the warm-up on
    torch.testing.assert_close(first / top, (first / top)[:1].expand(19))
    assert top.max().item() == pytest.approx(0.1, rel=0.01) and 0 < first[0] < last[0]
    assert decay[network.fc.weight] == 0.01 and decay[network.fc.bias] == decay[network.bn1.weight] == 0


@pytest.mark.parametrize("name", ["cosine", "plateau", "constant"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_biases_and_normalisation_have_a_rate_of_their_own(name: str, weight_decay: float) -> None:
    network = build("resnet18", 2, 1, 32, 0.0)
    changes = {"bias_lr": 8.0, "layer_decay": 0.5, "schedule": name, "warm_up": 0.0, "weight_decay": weight_decay}
    optimizer = build_optimizer(network, RECIPE.model_copy(update=changes))
    schedule = Schedule(optimizer, RECIPE.model_copy(update=changes), 20)
    schedule.after_step(1)
    rates = {weight: group["lr"] for group in optimizer.param_groups for weight in group["params"]}
    assert len(rates) == len(list(network.parameters()))
    assert rates[network.fc.bias] == pytest.approx(8 * rates[network.fc.weight])
    assert rates[network.bn1.bias] == rates[network.bn1.weight] == pytest.approx(8 * rates[network.conv1.weight])
    assert optimizer.param_groups[-1]["lr"] == rates[network.fc.weight]  # what an epoch reports


def images_of(**changes: object) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the inputs and the targets of a batch of 64 white and 64 black faces."""
    recipe = RECIPE.model_copy(update={"strength": 0.0, "label_smoothing": 0.0} | changes)
    targets = torch.arange(128) % 2
    faces = LabelledFaces((255 * targets).to(torch.uint8).view(-1, 1, 1).expand(128, 16, 16), targets)
    batches = Batches(faces, Inputs(16, [0.0], [1.0]), 2, recipe, 0).epoch(1, torch.arange(128).view(-1, 8))
    micro_batches = [pair for step in batches for pair in step]
    return torch.cat([images for images, _ in micro_batches]), torch.cat([targets for _, targets in micro_batches])


def test_targets_are_one_hot_or_smoothed() -> None:
    images, targets = images_of()
    assert torch.equal(targets, functional.one_hot(torch.arange(128) % 2, 2).float())
    assert torch.equal(images[:, 0, 0, 0], targets[:, 1])
    torch.testing.assert_close(images_of(label_smoothing=0.2)[1][0], torch.tensor([0.9, 0.1]))


@pytest.mark.parametrize("way", ["mixup", "cutmix"])
def test_faces_and_targets_are_mixed_alike(way: str) -> None:
    images, targets = images_of(**{way: 1.0})
    torch.testing.assert_close(targets.sum(1), torch.ones(128))
    torch.testing.assert_close(images.mean((1, 2, 3)), targets[:, 1])  # the share of white
    assert ((images > 0.01) & (images < 0.99)).any() == (way == "mixup")


def test_random_erasing_changes_a_part_of_some_faces() -> None:
    plain, _ = images_of()
    erased = (images_of(erasing=0.5)[0] != plain).flatten(1).float().mean(1)
    assert 0.3 < (erased > 0).float().mean() < 0.7 and erased.max() < 0.5


def test_micro_batches_give_the_same_weights_as_one_batch() -> None:
    at_once, in_parts = (
        training(32, linear(), accumulation=parts, precision="float32", strength=0.0) for parts in (1, 4)
    )
    run(at_once)
    run(in_parts)
    for one, other in zip(at_once.network.parameters(), in_parts.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_the_gradient_is_clipped() -> None:
    def moved(clip: float | None) -> float:
        some = training(8, linear(), optimizer="sgd", schedule="constant", lr=1.0, weight_decay=0.0, clip=clip)
        before = nn.utils.parameters_to_vector(some.network.parameters()).clone()
        some._step([(INPUTS(some.train.pixels), functional.one_hot(some.train.targets, 2).float())])
        return (nn.utils.parameters_to_vector(some.network.parameters()) - before).norm().item()

    assert moved(None) > 0.02 and moved(0.01) == pytest.approx(0.019, rel=0.01)  # Nesterov: 1 + momentum


def test_only_the_head_learns_while_the_backbone_is_frozen() -> None:
    some = training(freeze_epochs=1, patience=9)
    seen = [
        {name: tensor.clone() for name, tensor in some.network.state_dict().items()}
        for _ in some.epochs(Checkpoint({"test": 0}))
    ]
    names = list(seen[0])
    fresh = training().network.state_dict()
    assert [name for name in names if not torch.equal(seen[0][name], fresh[name])] == names[-2:]
    assert not torch.equal(seen[1][names[0]], fresh[names[0]])


def test_the_moving_average_is_the_trained_network() -> None:
    some = training(ema=0.9, epochs=1)
    run(some)
    average = some.average.module.state_dict()
    assert all(torch.equal(tensor, average[name]) for name, tensor in some.network.state_dict().items())
    raw = training(epochs=1)
    run(raw)
    assert not torch.equal(raw.network[0].weight, some.network[0].weight)


@pytest.mark.parametrize("views", [2, 10])
def test_with_several_views_a_mirror_image_has_the_same_logits(views: int) -> None:
    network, faces = build("cnn5", 2, 1, 16, 0.0), bright_or_dark(6).pixels
    one, other = (logits(network, INPUTS, some, views=views) for some in (faces, faces.flip(2)))
    torch.testing.assert_close(one, other)
    assert not torch.allclose(one, logits(network, INPUTS, faces))


def test_ten_views_are_the_mean_of_the_shifted_faces() -> None:
    network, inputs = build("cnn5", 2, 1, 24, 0.0), replace(INPUTS, size=24)
    faces = torch.randint(0, 256, (3, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    padded = torch.cat([faces[:, :, :1], faces, faces[:, :, -1:]], 2)
    padded = torch.cat([padded[:, :1], padded, padded[:, -1:]], 1)
    shifted = [padded[:, y : y + 24, x : x + 24] for y, x in [(1, 1), (0, 0), (0, 2), (2, 0), (2, 2)]]
    mean = torch.stack([logits(network, inputs, view, views=2) for view in shifted]).mean(0)
    torch.testing.assert_close(logits(network, inputs, faces, views=10), mean)


def test_balance_focal_loss_and_precision_change_the_training() -> None:
    changes = ({}, {"balance": "weights"}, {"balance": "sampling"}, {"focal": 2.0}, {"precision": "bfloat16"})
    losses = {run(training(**{"precision": "float32"} | change))[-1].train["loss"] for change in changes}
    assert len(losses) == len(changes)


# Continuing from a checkpoint


class Interrupting(Checkpoint):
    """A checkpoint that raises KeyboardInterrupt after a number of saves."""

    def __init__(self, left: int) -> None:
        super().__init__({"test": 0})
        self.left = left

    def save(self, state: dict) -> None:
        super().save(state)
        self.left -= 1
        if not self.left:
            self.wait()
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"checkpoint_minutes": 1e-9},
        {"checkpoint_minutes": 1e-9, "ema": 0.9, "mixup": 0.5, "cutmix": 0.5, "erasing": 0.5, "schedule": "one_cycle"},
        {"checkpoint_minutes": 1e-9, "optimizer": "sgd", "schedule": "plateau", "freeze_epochs": 1, "accumulation": 2},
        {"checkpoint_minutes": 1e-9, "optimizer": "lion", "schedule": "constant", "balance": "sampling", "clip": 1.0},
    ],
)
def test_a_restored_training_ends_with_the_same_bytes(changes: dict, checkpoints: Path) -> None:
    def some() -> Training:
        torch.manual_seed(0)
        return training(network=build("cnn5", 2, 1, 16, 0.3).to(memory_format=torch.channels_last), **changes)

    uninterrupted = some()
    epochs = run(uninterrupted)
    for saves in (1, 2, 1, 1):  # each continues from the checkpoint of the one before
        interrupted = some()
        interrupted.restore(Checkpoint({"test": 0}))
        with contextlib.suppress(KeyboardInterrupt):
            list(interrupted.epochs(Interrupting(saves)))
    restored, checkpoint = some(), Checkpoint({"test": 0})
    restored.restore(checkpoint)
    before = len(restored.history)
    assert before and restored.seconds > sum(epoch.seconds for epoch in restored.history)
    new = list(restored.epochs(checkpoint))
    assert new == restored.history[before:]
    assert [replace(epoch, seconds=0.0) for epoch in restored.history] == [
        replace(epoch, seconds=0.0) for epoch in epochs
    ]
    for name, tensor in uninterrupted.network.state_dict().items():
        assert torch.equal(tensor, restored.network.state_dict()[name]), name


@pytest.mark.parametrize("minutes, step", [(1e-9, 1), (60, 3)])
def test_checkpoints_by_elapsed_time(minutes: float, step: int) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        list(training(checkpoint_minutes=minutes).epochs(Interrupting(1)))
    assert Checkpoint({"test": 0}).load()["step"] == step  # of 3 in an epoch


def test_the_same_training_may_run_twice_at_the_same_time(checkpoints: Path) -> None:
    def trained(last: int) -> None:
        checkpoint = Checkpoint({"test": 0})
        for step in range(last):
            checkpoint.save({"step": step, "weights": torch.zeros(10_000)})
            loaded = checkpoint.load()
            assert loaded is None or loaded["step"] < 40
        checkpoint.remove()

    with ThreadPoolExecutor(2) as together:
        list(together.map(trained, (20, 40)))
    assert list(checkpoints.iterdir()) == []


def test_each_training_has_its_own_checkpoint() -> None:
    checkpoint = Checkpoint({"seed": 0})
    checkpoint.save({"step": 3})
    checkpoint.wait()
    assert Checkpoint({"seed": 0}).load() == {"step": 3} and Checkpoint({"seed": 1}).load() is None
    weights = torch.zeros(1_000_000)
    checkpoint.save({"weights": weights})
    weights += 1  # training changes them while they are written
    checkpoint.wait()
    assert not Checkpoint({"seed": 0}).load()["weights"].any()
    Checkpoint({"seed": 0}).remove()
    assert Checkpoint({"seed": 0}).load() is None
