"""The learning rate over a run."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, OneCycleLR, ReduceLROnPlateau

from stages.base.params import Train


class Schedule:
    """The learning rate over `steps` steps, by the recipe's `schedule`.

    cosine: a linear rise over the share `warm_up` of the run (Goyal et al., 2017), then half a cosine to 0
    (Loshchilov and Hutter, 2017). one_cycle: rise and fall with the momentum opposed (Smith and Topin, 2018).
    plateau: halved whenever three epochs bring no better validation macro-F1. constant: as it is.
    """

    def __init__(self, optimizer: Optimizer, recipe: Train, steps: int) -> None:
        self.name = recipe.schedule
        match self.name:
            case "cosine":
                from timm.scheduler import CosineLRScheduler  # two seconds

                rise = round(recipe.warm_up * steps)
                self._scheduler = CosineLRScheduler(
                    optimizer,
                    t_initial=max(steps - rise, 1),
                    warmup_t=rise,
                    warmup_lr_init=recipe.lr / (rise + 1),
                    warmup_prefix=True,
                    t_in_epochs=False,
                )
            case "one_cycle":
                rates = [group["lr"] for group in optimizer.param_groups]
                cycled = bool({"betas", "momentum"} & optimizer.defaults.keys())
                self._scheduler = OneCycleLR(
                    optimizer, rates, total_steps=steps + 1, pct_start=recipe.warm_up, cycle_momentum=cycled
                )
            case "plateau":
                self._scheduler = ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=3)
            case "constant":
                self._scheduler = ConstantLR(optimizer, factor=1.0)

    def after_step(self, step: int) -> None:
        """Set the rate for the step that follows the `step`-th, counted from 1."""
        if self.name == "cosine":
            self._scheduler.step_update(step)
        elif self.name == "one_cycle":
            self._scheduler.step()

    def after_epoch(self, macro_f1: float) -> None:
        """Take an epoch's validation macro-F1, 0 to 1, into account."""
        if self.name == "plateau":
            self._scheduler.step(macro_f1)

    def state_dict(self) -> dict:
        return self._scheduler.state_dict()

    def load_state_dict(self, state: dict) -> None:
        self._scheduler.load_state_dict(state)
