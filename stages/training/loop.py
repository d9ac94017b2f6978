"""The training loop: nothing in it waits for the host inside an epoch."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from stages.base.errors import InputError
from stages.base.params import Train
from stages.evaluation.metrics import measure
from stages.models.forward import logits
from stages.models.hardware import autocast, precision
from stages.models.networks import head
from stages.models.preprocessing import Inputs
from stages.training import distributed, optimizer
from stages.training.augmentation import Batches
from stages.training.checkpoint import Checkpoint
from stages.training.dataset import LabelledFaces
from stages.training.objective import class_weights, loss
from stages.training.sampler import epoch_order
from stages.training.schedule import Schedule
from stages.training.seeding import reseed, seed_of


@dataclass(frozen=True)
class Epoch:
    """One pass over the training faces: its number from 1, the learning rate at its start, and its figures.

    The figures are those of `evaluation.scores.measure`. `train` is measured on the distorted faces while the network
    changes; `best` says that validation macro-F1 is higher than after any epoch before; `seconds` are those that this
    process spent on the training faces.
    """

    number: int
    lr: float
    train: dict[str, float]
    validation: dict[str, float]
    best: bool
    seconds: float


class Training:
    """A network in training on its device: `epochs` trains it, from where its checkpoint stands.

    Whatever is random depends on `seed` and the step alone, so that a restored training goes on as if undisturbed.
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
    ) -> None:
        self.network, self.inputs, self.train, self.validation = network, inputs, train, validation
        self.recipe, self.seed = recipe, seed
        self.device = train.targets.device
        self.dtype = precision(self.device, recipe.precision)
        self.batches = Batches(recipe, inputs, classes, self.device.type)
        self.generator = Generator(self.device)
        self.targets = train.targets.cpu()  # order is drawn there, alike for every device
        self.weights = class_weights(train.targets, classes) if recipe.balance == "weights" else None
        self.steps_per_epoch = -(-len(train) // recipe.batch_size)
        self.shared_statistics = distributed.share_statistics(network, self.device)
        self.frozen, self.forward, self.compiling = None, network, False
        places = torch.arange(self.steps_per_epoch * recipe.batch_size, device=self.device)
        self.places = self._parts(places).flatten()  # of this process's outputs among those of all
        self.optimizer = optimizer.build(network, recipe)
        self.schedule = Schedule(self.optimizer, recipe, recipe.epochs * self.steps_per_epoch)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.average = self._averaged() if recipe.ema else None
        self.step, self.lr = 0, self._rate()
        self.nothing = torch.empty(0, classes, device=self.device)
        self.outputs = [self.nothing]  # this process's of the epoch at hand, b×classes each
        self.history: list[Epoch] = []
        self.best: dict[str, Tensor] = {}

    def epochs(self, checkpoint: Checkpoint) -> Iterator[Epoch]:
        """Yield every epoch, those before a restart too; at the end the network has the best epoch's weights.

        Training stops after `recipe.epochs`, or after `recipe.patience` epochs without a better validation macro-F1.
        Raises InputError where the network's outputs are no longer numbers.
        """
        if state := distributed.from_first(checkpoint.load):
            self._load(state)
        yield from list(self.history)
        total = self.recipe.epochs * self.steps_per_epoch
        silent = True if distributed.rank() else None  # None: where no terminal reads along
        with tqdm(total=total, initial=self.step, desc="train", unit="batch", disable=silent) as bar:
            while not self._finished():
                epoch = self._epoch(checkpoint, bar)
                self._save(checkpoint)
                bar.set_postfix(macro_f1=f"{epoch.validation['macro_f1']:.3f}")
                yield epoch
        self.network.load_state_dict(self.best)

    def _finished(self) -> bool:
        done = len(self.history)
        last_best = max((epoch.number for epoch in self.history if epoch.best), default=0)
        return done == self.recipe.epochs or done - last_best >= self.recipe.patience

    def _epoch(self, checkpoint: Checkpoint, bar: tqdm) -> Epoch:
        recipe, number, start = self.recipe, len(self.history) + 1, time.perf_counter()
        self._freeze(number <= recipe.freeze_epochs)
        order = epoch_order(
            self.targets, recipe.batch_size, recipe.balance == "sampling", self.seed, number, self.train.streamed
        )
        done = self.step - (number - 1) * self.steps_per_epoch
        if not done:
            self.lr = self._rate()
        for faces, targets in self.train.take(self._parts(order[done:])):
            self._step(faces, targets)
            if self.compiling:
                self.compiling = False
                tqdm.write(f"compiled within the first step, {time.perf_counter() - start:.0f} s", sys.stderr)
            bar.update()
            if recipe.checkpoint_steps and self.step % recipe.checkpoint_steps == 0:
                self._save(checkpoint)
        outputs, self.outputs = self._outputs(), [self.nothing]
        if not outputs.isfinite().all():
            raise InputError(f"train.lr: {recipe.lr} is too high: epoch {number}'s loss is no number; lower it")
        seconds = time.perf_counter() - start

        figures = measure(outputs, self.targets[order.flatten()])
        judge = self.average.module if self.average else self.network
        step, first = distributed.world(), distributed.rank()
        mine = logits(judge, self.inputs, self.validation.every(step, first), recipe.precision, recipe.test_flips)
        everyone = distributed.gathered(mine, slice(first, None, step), len(self.validation))
        judged = measure(everyone, self.validation.targets)
        better = judged["macro_f1"] > max((epoch.validation["macro_f1"] for epoch in self.history), default=-1.0)
        if better:
            self.best = {name: tensor.clone() for name, tensor in judge.state_dict().items()}
        self.schedule.after_epoch(judged["macro_f1"])
        epoch = Epoch(number, self.lr, figures, judged, better, seconds)
        self.history.append(epoch)
        return epoch

    def _parts(self, batches: Tensor) -> Tensor:
        """This process's share of batches, flat or N×B: N×accumulation×b."""
        parts = self.recipe.accumulation
        return distributed.share(batches.view(-1, parts, self.recipe.batch_size // parts))

    def _step(self, faces: Tensor, targets: Tensor) -> None:
        """One step of the optimiser on accumulation×b faces and their classes, one part after another."""
        chance = seed_of(self.seed, 0, self.step)
        reseed(chance, distributed.rank())
        self.generator.manual_seed(chance)
        self.optimizer.zero_grad()
        for part, classes in zip(faces, targets):
            images, wanted = self.batches(part, classes, self.generator)
            with autocast(self.device, self.dtype), self.shared_statistics():
                outputs = self.forward(images).float()
            self.scaler.scale(loss(outputs, wanted, self.weights, self.recipe.focal) / len(faces)).backward()
            self.outputs.append(outputs.detach())
        if self.recipe.clip:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.step += 1
        self.schedule.after_step(self.step)
        if self.average:
            self.average.update(self.network, self.step)

    def _rate(self) -> float:
        """The learning rate of the head."""
        return self.optimizer.param_groups[-1]["lr"]

    def _freeze(self, frozen: bool) -> None:
        """Put the network in training; where it is frozen, only its head learns, and normalisation stays as it is."""
        last = head(self.network)
        self.network.requires_grad_(not frozen).train(not frozen)
        last.requires_grad_(True).train()
        if frozen != self.frozen:  # DDP knows the weights that learned when it was made
            self.frozen, self.forward = frozen, distributed.parallel(self.network)
            if self.recipe.compile:
                self.forward, self.compiling = torch.compile(self.forward), True

    def _averaged(self) -> nn.Module:
        """The exponential moving average of the weights (Polyak and Juditsky, 1992)."""
        from timm.utils import ModelEmaV3  # two seconds

        return ModelEmaV3(self.network, self.recipe.ema, use_warmup=True)

    def _outputs(self) -> Tensor:
        """The logits of the epoch so far, of all processes, in the order of its faces."""
        mine = torch.cat(self.outputs)
        return distributed.gathered(mine, self.places[: len(mine)], len(mine) * distributed.world())

    def _save(self, checkpoint: Checkpoint) -> None:
        state = self._state()
        if distributed.rank() == 0:
            checkpoint.save(state)

    def _state(self) -> dict:
        return {
            "network": self.network.state_dict(),
            "average": self.average.module.state_dict() if self.average else {},
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best": self.best,
            "outputs": self._outputs(),
            "step": self.step,
            "lr": self.lr,
            "history": [asdict(epoch) for epoch in self.history],
        }

    def _load(self, state: dict) -> None:
        self.network.load_state_dict(state["network"])
        if self.average:
            self.average.module.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])
        self.best = state["best"]
        outputs = state["outputs"].to(self.device)
        self.outputs = [outputs[self.places[: len(outputs) // distributed.world()]]]
        self.step, self.lr = state["step"], state["lr"]
        self.history = [Epoch(**epoch) for epoch in state["history"]]
