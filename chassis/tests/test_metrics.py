"""Metrics: what is declared can be counted, and nothing else."""

import pytest

from chassis.metrics import CHASSIS_METRICS, Metrics, MetricSpec

SPECS = (
    MetricSpec("aiops_parcels_sent_total", "counter", "Parcels sent.", ("city",)),
    MetricSpec("aiops_parcels_waiting", "gauge", "Parcels that wait."),
    MetricSpec("aiops_parcels_weight_grams", "histogram", "Weight of a parcel.", buckets=(100.0, 1000.0)),
)


def test_what_is_counted_is_exposed() -> None:
    metrics = Metrics(SPECS)

    metrics.counter("aiops_parcels_sent_total").labels("Oslo").inc()
    metrics.gauge("aiops_parcels_waiting").set(3)
    metrics.histogram("aiops_parcels_weight_grams").observe(250)

    lines = metrics.exposition().decode().splitlines()
    assert 'aiops_parcels_sent_total{city="Oslo"} 1.0' in lines
    assert "aiops_parcels_waiting 3.0" in lines
    assert 'aiops_parcels_weight_grams_bucket{le="100.0"} 0.0' in lines
    assert 'aiops_parcels_weight_grams_bucket{le="1000.0"} 1.0' in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


@pytest.mark.parametrize("name", ["aiops_parcels_lost_total", "aiops_parcels_waiting"])
def test_an_undeclared_counter_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        Metrics(SPECS).counter(name)


def test_two_processes_in_one_do_not_share_counts() -> None:
    first, second = Metrics(SPECS), Metrics(SPECS)

    first.counter("aiops_parcels_sent_total").labels("Oslo").inc()

    assert first.value("aiops_parcels_sent_total", city="Oslo") == 1
    assert second.value("aiops_parcels_sent_total", city="Oslo") == 0


def test_every_metric_says_its_unit_and_what_it_means() -> None:
    for spec in CHASSIS_METRICS:
        assert spec.name.startswith("aiops_")
        assert spec.help.endswith(".")
        assert (spec.kind == "counter") == spec.name.endswith("_total")
        assert spec.kind != "histogram" or spec.name.endswith("_seconds")
