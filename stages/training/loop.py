"""The training loop. Within an epoch the device never waits for the host."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from stages.base.errors import InputError
from stages.models.forward import logits
from stages.models.hardware import autocast, precision
from stages.models.networks import head
from stages.models.preprocessing import Inputs
from stages.params.train import Train
from stages.training import distributed, optimizer
from stages.training.batch_norm import SynchronisedBatchNorm, set_statistics, statistics
from stages.training.batches import Batches, MicroBatches
from stages.training.checkpoint import Checkpoint
from stages.training.cuda_graph import GraphedGradients
from stages.training.dataset import LabelledFaces
from stages.training.epoch_metrics import epoch_metrics
from stages.training.objective import class_weights, loss
from stages.training.sampler import epoch_batches
from stages.training.schedule import Schedule
from stages.training.seeding import Purpose, default_generator, seeds

if TYPE_CHECKING:
    from timm.utils import ModelEmaV3  # slow to import

PROGRESS_SECONDS = 60  # between two lines of progress where no terminal shows the bar
BAR_SECONDS = 1  # between two losses in the bar; each makes the device wait


@dataclass(frozen=True)
class Epoch:
    """One pass over the training faces.

    Attributes:
        number: number of the epoch, from 1.
        lr: learning rate of the head at the start of the epoch.
        train: `epoch_metrics` of the augmented training faces, computed while the network changes.
        validation: `epoch_metrics` of the validation faces after the epoch.
        best: whether the validation macro-F1 is higher than after every earlier epoch.
        seconds: time spent on the training faces.
    """

    number: int
    lr: float
    train: dict[str, float]
    validation: dict[str, float]
    best: bool
    seconds: float


class Training:
    """The training of one network.

    All random numbers depend only on the seed and the step. So a training that is restored from a checkpoint ends with
    the same weights as one that was not interrupted.

    Args:
        network: the network, on the device to train on.
        inputs: its preprocessing.
        train: training faces; their targets are on the device.
        validation: validation faces; their targets are on the device.
        classes: number of classes.
        recipe: the training recipe.
        seed: seed of all random numbers.
        taught: what teachers predict for the training faces, float32, N×classes, on the device (see `distillation`).

    Attributes:
        history: the finished epochs, including those before a restart.
        step: number of finished optimiser steps.
        dtype: the floating-point type of the forward pass.
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: Inputs,
        train: LabelledFaces,
        validation: LabelledFaces,
        classes: int,
        recipe: Train,
        seed: int,
        taught: Tensor | None = None,
    ) -> None:
        self.network, self.inputs, self.train, self.validation = network, inputs, train, validation
        self.recipe, self.seed = recipe, seed
        self.device = train.targets.device
        self.dtype = precision(self.device, recipe.precision)
        self.batches = Batches(train, inputs, classes, recipe, seed, taught)
        self.dropout = default_generator(self.device)
        self.targets = train.targets.cpu()  # batches are drawn on the CPU, so that they are the same on every device
        self.class_weights = class_weights(train.targets, classes) if recipe.balance == "weights" else None
        self.steps_per_epoch = -(-len(train) // recipe.batch_size)
        shared = distributed.world_size() > 1 and recipe.batch_norm == "shared"
        self.batch_norm_context = SynchronisedBatchNorm if shared else nullcontext
        self.frozen: bool | None = None
        self.forward: Callable[[Tensor], Tensor] = network
        self.gradients = self._gradients
        self.compiling = False
        places = torch.arange(self.steps_per_epoch * recipe.batch_size, device=self.device)
        # The places of this process's outputs among those of all processes.
        self.places = self.batches.micro_batches(places.view(-1, recipe.batch_size)).flatten()
        self.optimizer = optimizer.build(network, recipe)
        self.schedule = Schedule(self.optimizer, recipe, recipe.epochs * self.steps_per_epoch)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.average = self._moving_average() if recipe.ema else None
        self.step, self.lr = 0, self._learning_rate()
        self.no_outputs = torch.empty(0, classes, device=self.device)
        self.outputs = [self.no_outputs]  # this process's logits of the current epoch, b×classes each
        self.history: list[Epoch] = []
        self.best_weights: dict[str, Tensor] = {}
        self.last_loss = torch.zeros(())
        self.started = self.epoch_started = self.saved = time.perf_counter()
        self.shown = (self.started, 0)  # when progress was shown for the last time, and after which step

    def restore(self, checkpoint: Checkpoint) -> None:
        """Continue from the saved state of this training, if there is one."""
        if state := distributed.from_first(checkpoint.load):
            self._load_state(state)

    def epochs(self, checkpoint: Checkpoint) -> Iterator[Epoch]:
        """Train until the end, and yield each epoch as soon as it is finished and saved.

        Training ends after `recipe.epochs` epochs, or after `recipe.patience` epochs without a better validation
        macro-F1. Then the network has the weights of the best epoch.

        Args:
            checkpoint: where the state is saved after each epoch and `recipe.checkpoint_minutes` after the last time.

        Yields:
            The epochs after those in `history`.

        Raises:
            InputError: the outputs of the network are not finite.
        """
        total = self.recipe.epochs * self.steps_per_epoch
        disable = True if distributed.rank() else None  # None: only in a terminal
        with tqdm(total=total, initial=self.step, desc="train", unit="batch", disable=disable) as bar:
            while not self._finished():
                epoch = self._epoch(checkpoint, bar)
                if distributed.from_first(lambda: not checkpoint.busy):  # an epoch can be shorter than writing its end
                    self._save(checkpoint)
                yield epoch
        self.network.load_state_dict(self.best_weights)

    @property
    def precision(self) -> str:
        """The name of `dtype`, such as "bfloat16"."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def computation(self) -> tuple[str, str, str]:
        """What of this machine changes the result: the kind of device, the precision, and where the faces are."""
        return self.device.type, self.precision, "streamed" if self.train.streamed else "resident"

    @property
    def best_epoch(self) -> Epoch:
        """The epoch with the highest validation macro-F1, the first one of equals."""
        return [epoch for epoch in self.history if epoch.best][-1]

    @property
    def seconds(self) -> float:
        """Time since the start, without the time before a restart that was spent after the last checkpoint."""
        return time.perf_counter() - self.started

    @property
    def faces_per_second(self) -> float:
        """Training faces of all processes per second, without validation."""
        return len(self.train) * len(self.history) / sum(epoch.seconds for epoch in self.history)

    def _finished(self) -> bool:
        done = len(self.history)
        best = self.best_epoch.number if self.history else 0
        return done == self.recipe.epochs or done - best >= self.recipe.patience

    def _epoch(self, checkpoint: Checkpoint, bar: tqdm) -> Epoch:
        recipe, number, started = self.recipe, len(self.history) + 1, time.perf_counter()
        self._freeze(number <= recipe.freeze_epochs)
        positions = epoch_batches(
            self.targets, recipe.batch_size, recipe.balance == "sampling", self.seed, number, self.train.streamed
        )
        done = self.step - (number - 1) * self.steps_per_epoch
        if not done:
            self.lr, self.epoch_started = self._learning_rate(), started
        step_seeds = seeds(self.steps_per_epoch, self.seed, Purpose.DROPOUT, number, distributed.rank())[done:]
        for seed, micro_batches in zip(step_seeds, self.batches.epoch(number, positions, done), strict=True):
            self.dropout.manual_seed(seed)
            self._step(micro_batches)
            if self.compiling:
                self.compiling = False
                tqdm.write(f"compiled in the first step, {time.perf_counter() - started:.0f} s", sys.stderr)
            bar.update()
            self._show_progress(bar)
            if self._checkpoint_due():
                self._save(checkpoint)
        outputs, self.outputs = self._epoch_outputs(), [self.no_outputs]
        self._check_finite(outputs, f"in epoch {number}")
        seconds = time.perf_counter() - self.epoch_started

        if distributed.world_size() > 1 and self.recipe.batch_norm == "local":
            set_statistics(distributed.mean(statistics(*self._networks())), *self._networks())
        train_metrics = epoch_metrics(outputs, self.train.targets[positions.flatten().to(self.device)])
        network = self.average.module if self.average else self.network
        validation_metrics = self._validate(network)
        highest = max((epoch.validation["macro_f1"] for epoch in self.history), default=-1.0)
        best = validation_metrics["macro_f1"] > highest
        if best:
            self._keep_best(network)
        self.schedule.after_epoch(validation_metrics["macro_f1"])
        epoch = Epoch(number, self.lr, train_metrics, validation_metrics, best, seconds)
        self.history.append(epoch)
        return epoch

    def _gradients(self, micro_batches: MicroBatches) -> tuple[Tensor, Tensor]:
        """Set the gradients of the weights to those of the mean loss; return the outputs, and the last part's loss."""
        self.network.zero_grad()
        all_outputs = []
        for images, probabilities in micro_batches:
            with autocast(self.device, self.dtype), self.batch_norm_context():
                outputs = self.forward(images).float()
            batch_loss = loss(outputs, probabilities, self.class_weights, self.recipe.focal)
            self.scaler.scale(batch_loss if len(micro_batches) == 1 else batch_loss / len(micro_batches)).backward()
            all_outputs.append(outputs.detach())
        return all_outputs[0] if len(all_outputs) == 1 else torch.cat(all_outputs), batch_loss.detach()

    def _step(self, micro_batches: MicroBatches) -> None:
        """Make one step of the optimiser."""
        outputs, self.last_loss = self.gradients(micro_batches)
        self.outputs.append(outputs)
        distributed.average_gradients(self.network)
        if self.recipe.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        self.schedule.after_step(self.step)
        if self.average:
            self.average.update(self.network, self.step)

    def _learning_rate(self) -> float:
        """Return the learning rate of the head."""
        return self.optimizer.param_groups[-1]["lr"]

    def _freeze(self, frozen: bool) -> None:
        """Set the network to training mode. If `frozen`, only its head learns, and batch normalisation is fixed."""
        classifier = head(self.network)
        self.network.requires_grad_(not frozen).train(not frozen)
        classifier.requires_grad_(True).train()
        if frozen == self.frozen:
            return
        self.frozen = frozen
        if self.recipe.execution == "compile":
            self.forward, self.compiling = torch.compile(self.network), True
        elif self.recipe.execution == "auto" and self.device.type == "cuda" and distributed.world_size() == 1:
            self.gradients = GraphedGradients(self._gradients, self.network)

    def _moving_average(self) -> "ModelEmaV3":
        """Return the exponential moving average of the weights.

        Polyak and Juditsky, Acceleration of stochastic approximation by averaging, SIAM J. Control Optim., 1992.
        """
        from timm.utils import ModelEmaV3  # slow to import

        return ModelEmaV3(self.network, self.recipe.ema, use_warmup=True)

    def _keep_best(self, network: nn.Module) -> None:
        """Copy the weights to `best_weights`, into the same memory each time."""
        weights = network.state_dict()
        if not self.best_weights:
            self.best_weights = {name: torch.empty_like(tensor) for name, tensor in weights.items()}
        for name, tensor in weights.items():
            self.best_weights[name].copy_(tensor)

    def _networks(self) -> list[nn.Module]:
        return [self.network, self.average.module] if self.average else [self.network]

    def _epoch_outputs(self) -> Tensor:
        """Return the logits of the epoch so far, of all processes, in the order of the batches."""
        local = torch.cat(self.outputs)
        return distributed.gather_rows(local, self.places[: len(local)], len(local) * distributed.world_size())

    def _validate(self, network: nn.Module) -> dict[str, float]:
        """Return the metrics of the validation faces; each process computes the logits of a part of them."""
        step, first = distributed.world_size(), distributed.rank()
        local = self.no_outputs
        if first < len(self.validation):
            faces = self.validation.every(step, first)
            local = logits(network, self.inputs, faces, self.recipe.precision)
        outputs = distributed.gather_rows(local, slice(first, None, step), len(self.validation))
        self._check_finite(outputs, f"for validation faces after epoch {len(self.history) + 1}")
        return epoch_metrics(outputs, self.validation.targets)

    def _check_finite(self, outputs: Tensor, when: str) -> None:
        if not outputs.isfinite().all():
            recipe = self.recipe  # a GPU's batches can be larger than those of params.yaml, and its rate higher
            rate = f"{recipe.lr:g} is too high for batches of {recipe.batch_size} faces"
            raise InputError(f"train.lr: {rate}: the outputs of {recipe.arch} {when} are not finite; lower it")

    def _show_progress(self, bar: tqdm) -> None:
        """Show the loss in the bar each second, or print a line each minute if no terminal shows the bar."""
        now, (before, step) = time.perf_counter(), self.shown
        if distributed.rank() or now - before < (PROGRESS_SECONDS if bar.disable else BAR_SECONDS):
            return
        self.shown, speed = (now, self.step), (self.step - step) / (now - before)
        loss, epochs, steps = f"{self.last_loss:.3f}", self.recipe.epochs, self.steps_per_epoch
        if not bar.disable:
            bar.set_postfix(epoch=f"{len(self.history) + 1}/{epochs}", loss=loss)
            return
        epoch, done = divmod(self.step - 1, steps)
        where = f"epoch {epoch + 1}/{epochs}, step {done + 1}/{steps}"
        pace = f"{speed * self.recipe.batch_size:.1f} images/s"
        left = f"{(epochs * steps - self.step) / speed / 60:.0f} min left"
        print(f"{where}: loss {loss}, {pace}, {left}", file=sys.stderr, flush=True)

    def _checkpoint_due(self) -> bool:
        """Whether the last checkpoint is old; several processes ask the first one only now and then, as they wait."""
        if distributed.world_size() > 1 and self.step % 10:
            return False
        return distributed.from_first(lambda: time.perf_counter() - self.saved >= 60 * self.recipe.checkpoint_minutes)

    def _save(self, checkpoint: Checkpoint) -> None:
        self.saved = time.perf_counter()
        state = self._state()  # every process takes part in it
        if distributed.rank() == 0:
            checkpoint.save(state)

    def _state(self) -> dict[str, Any]:
        own, rank = statistics(*self._networks()), distributed.rank()
        return {
            "network": self.network.state_dict(),
            "average": self.average.module.state_dict() if self.average else {},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best_weights": self.best_weights,
            "statistics": distributed.gather_rows(own.unsqueeze(0), slice(rank, rank + 1), distributed.world_size()),
            "outputs": self._epoch_outputs(),
            "step": self.step,
            "lr": self.lr,
            "history": [asdict(epoch) for epoch in self.history],
            "seconds": self.seconds,
            "epoch_seconds": time.perf_counter() - self.epoch_started,
        }

    def _load_state(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        if self.average:
            self.average.module.load_state_dict(state["average"])
        set_statistics(state["statistics"][distributed.rank()], *self._networks())
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.best_weights = {name: tensor.to(self.device) for name, tensor in state["best_weights"].items()}
        outputs = state["outputs"].to(self.device)
        self.outputs = [outputs[self.places[: len(outputs) // distributed.world_size()]]]
        self.step, self.lr = state["step"], state["lr"]
        self.shown = (time.perf_counter(), self.step)
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.started = time.perf_counter() - state["seconds"]
        self.epoch_started = time.perf_counter() - state["epoch_seconds"]
