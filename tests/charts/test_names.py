"""Names and labels: within Kubernetes' limits whatever the installation is called, and never two alike."""

from collections import Counter

import pytest
from tests.charts.rendering import UMBRELLA, Charts, Rendered

KIND = UMBRELLA / "ci" / "kind-values.yaml"
PRODUCTION = UMBRELLA / "ci" / "production-values.yaml"
LONG = "a" * 61 + "-x"
RECOMMENDED = {
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/name",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}


@pytest.mark.parametrize("file", [KIND, PRODUCTION], ids=lambda file: file.stem)
def test_the_longest_name_is_cut_at_63_and_stays_telling(charts: Charts, file: object) -> None:
    rendered = charts.render({"global": {"name": LONG}}, KIND if file == KIND else PRODUCTION, release="r" * 53)
    # The names that commands for Secrets know are the same in each installation.
    fixed = {each["metadata"]["name"] for each in rendered.all("ExternalSecret")}
    names = [(each["kind"], each["metadata"]["name"]) for each in rendered.objects]

    assert max(len(name) for _, name in names) == 63
    assert [name for _, name in names if not name.startswith("aaa") and name not in fixed] == []
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert ("Service", "a" * 47 + "-tickets-preview") in names
    for each in rendered.objects:
        for value in each["metadata"]["labels"].values():
            assert len(value) <= 63


def test_a_cut_does_not_end_in_a_dash(charts: Charts) -> None:
    rendered = charts.render({"global": {"name": "b" * 46 + "-" + "b" * 16}}, KIND)

    assert "b" * 46 + "-tickets-preview" in rendered.names("Service")


def test_pods_of_a_long_name_find_their_services(charts: Charts) -> None:
    rendered = charts.render({"global": {"name": LONG}}, KIND)
    services = rendered.names("Service")

    for key, value in rendered.pod("Rollout", rendered.names("Rollout")[4]).environment.items():
        if key.endswith("_TARGET"):
            assert str(value).partition(":")[0] in services


def test_every_object_says_what_it_is_and_lives_in_the_namespace_of_the_release(supported: Rendered) -> None:
    for each in supported.objects:
        assert set(each["metadata"]["labels"]) >= RECOMMENDED
        assert "namespace" not in each["metadata"]
        assert each["metadata"]["labels"]["app.kubernetes.io/part-of"] == "aiops"


def test_no_two_objects_of_a_kind_have_one_name(supported: Rendered) -> None:
    names = Counter((each["kind"], each["metadata"]["name"]) for each in supported.objects)

    assert [name for name, count in names.items() if count > 1] == []


def test_the_names_do_not_depend_on_the_releases_name(charts: Charts, minimal: Rendered) -> None:
    other = charts.render(None, UMBRELLA / "ci" / "minimal-values.yaml", release="tuesday")

    assert [each["metadata"]["name"] for each in other.objects] == [
        each["metadata"]["name"] for each in minimal.objects
    ]
    assert {each["metadata"]["labels"]["app.kubernetes.io/instance"] for each in other.objects} == {"tuesday"}
    assert [each["spec"].get("selector") for each in other.all("Rollout")] == [
        each["spec"].get("selector") for each in minimal.all("Rollout")
    ]
