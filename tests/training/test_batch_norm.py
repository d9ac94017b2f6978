"""Tests of the statistics of batch normalisation as one vector."""

from torch import nn

from stages.training.batch_norm import set_statistics, statistics


def test_statistics_of_a_network_without_batch_normalisation_are_empty_and_on_its_device():
    network = nn.Linear(2, 2, device="meta")
    values = statistics(network)
    assert values.numel() == 0
    assert values.device == network.weight.device
    set_statistics(values, network)
