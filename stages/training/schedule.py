"""The schedule of the learning rate."""

from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, OneCycleLR, ReduceLROnPlateau

from stages.params.train import Train


class Schedule:
    """The learning rate over a run.

    The recipe's `schedule` is one of:

    - `cosine`: linear warm-up over the share `warm_up` of the run (Goyal et al., Accurate, large minibatch SGD, 2017),
      then half a cosine to 0 (Loshchilov and Hutter, SGDR, ICLR 2017);
    - `one_cycle`: the rate rises and falls, and the momentum does the opposite (Smith and Topin, Super-convergence,
      2018);
    - `plateau`: the rate is halved after three epochs without a better validation macro-F1;
    - `constant`.
    """

    def __init__(self, optimizer: Optimizer, recipe: Train, steps: int) -> None:
        self.name = recipe.schedule
        if self.name != "cosine":  # the schedules of torch do not multiply rates by timm's `lr_scale`
            for group in optimizer.param_groups:
                group["lr"] *= group.pop("lr_scale", 1.0)
        self._scheduler: Any  # timm's and torch's schedulers have no common type
        match self.name:
            case "cosine":
                from timm.scheduler import CosineLRScheduler  # slow to import

                warm_up_steps = round(recipe.warm_up * steps)
                self._scheduler = CosineLRScheduler(
                    optimizer,
                    t_initial=max(steps - warm_up_steps, 1),
                    warmup_t=warm_up_steps,
                    warmup_lr_init=recipe.lr / (warm_up_steps + 1),
                    warmup_prefix=True,
                    t_in_epochs=False,
                )
            case "one_cycle":
                rates = [group["lr"] for group in optimizer.param_groups]
                rising = recipe.warm_up if recipe.warm_up * (steps + 1) != 1 else 0.0  # PyTorch would divide by zero
                has_momentum = bool({"betas", "momentum"} & optimizer.defaults.keys())
                self._scheduler = OneCycleLR(
                    optimizer, rates, total_steps=steps + 1, pct_start=rising, cycle_momentum=has_momentum
                )
            case "plateau":
                self._scheduler = ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=2)
            case "constant":
                self._scheduler = ConstantLR(optimizer, factor=1.0)

    def after_step(self, step: int) -> None:
        """Set the learning rate for the step after `step`; the first step is 1."""
        if self.name == "cosine":
            self._scheduler.step_update(step)
        elif self.name == "one_cycle":
            self._scheduler.step()

    def after_epoch(self, macro_f1: float) -> None:
        """Set the learning rate for the next epoch, given the validation macro-F1, 0 to 1."""
        if self.name == "plateau":
            self._scheduler.step(macro_f1)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that `load_state_dict` restores."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of a schedule with the same settings."""
        self._scheduler.load_state_dict(state)
