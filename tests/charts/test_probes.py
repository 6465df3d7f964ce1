"""Who is asked how he is, and how long he may take to come and to go."""

from tests.charts.rendering import UMBRELLA, Charts, Pod, Rendered

from chassis.health import CHECK_SECONDS
from chassis.process import STOP_SECONDS

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
CLOSING_SECONDS = 5


def lasting(rendered: Rendered) -> list[Pod]:
    return [pod for pod in rendered.ours() if pod.kind != "Job"]


def test_liveness_asks_the_process_alone_and_readiness_its_dependencies(supported: Rendered) -> None:
    for pod in lasting(supported):
        asked = {
            probe: pod.container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }

        assert asked == {
            "startupProbe": {"path": "/healthz", "port": "operations"},
            "livenessProbe": {"path": "/healthz", "port": "operations"},
            "readinessProbe": {"path": "/readyz", "port": "operations"},
        }


def test_readiness_waits_longer_than_a_check_of_a_dependency(supported: Rendered) -> None:
    for pod in lasting(supported):
        assert pod.container["readinessProbe"]["timeoutSeconds"] > CHECK_SECONDS


def test_a_slow_start_is_no_death(supported: Rendered) -> None:
    for pod in lasting(supported):
        probe = pod.container["startupProbe"]

        assert probe["periodSeconds"] * probe["failureThreshold"] == 60


def test_a_stopping_pod_has_the_time_to_drain(charts: Charts, supported: Rendered) -> None:
    slow = charts.render({"global": {"drainSeconds": 42.5}}, MINIMAL)

    for rendered in (supported, slow):
        for pod in lasting(rendered):
            drain = float(pod.environment["AIOPS_DRAIN_SECONDS"])

            assert pod.spec["terminationGracePeriodSeconds"] >= drain + STOP_SECONDS + CLOSING_SECONDS
    assert {pod.environment["AIOPS_DRAIN_SECONDS"] for pod in lasting(slow)} == {"42.5"}
    assert {pod.spec["terminationGracePeriodSeconds"] for pod in lasting(slow)} == {78}


def test_the_pod_is_noticed_to_be_gone_before_it_stops_taking_calls(minimal: Rendered, production: Rendered) -> None:
    for pod in (*lasting(minimal), *lasting(production)):
        probe = pod.container["readinessProbe"]

        assert float(pod.environment["AIOPS_DRAIN_SECONDS"]) >= probe["periodSeconds"] * probe["failureThreshold"]


def test_memory_is_asked_for_and_limited_and_the_processor_is_not(supported: Rendered) -> None:
    for pod in supported.ours():
        resources = pod.container["resources"]

        assert set(resources["requests"]) == {"cpu", "memory"}
        assert set(resources["limits"]) == {"memory"}
        assert mebibytes(resources["requests"]["memory"]) >= 96
        assert mebibytes(resources["limits"]["memory"]) >= 256


def mebibytes(quantity: str) -> int:
    assert quantity.endswith("Mi")
    return int(quantity.removesuffix("Mi"))


def test_logs_which_reads_uploads_has_the_most_room(minimal: Rendered) -> None:
    limits = {pod.name: mebibytes(pod.container["resources"]["limits"]["memory"]) for pod in lasting(minimal)}

    assert max(limits, key=limits.__getitem__) == "aiops-logs"
