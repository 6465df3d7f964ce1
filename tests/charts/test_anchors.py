"""Where the signed ends of the histories go: an address, a volume, or nowhere yet; and never two places."""

import ast

import pytest
from tests.charts.edges import SERVICES
from tests.charts.rendering import ROOT, UMBRELLA, Charts, Rendered

from chassis.history.store import FolderStore, WebStore, store_at

MINIMAL = UMBRELLA / "ci" / "minimal-values.yaml"
URL = "https://anchors.example.com:8443/aiops"
FOLDER = "/var/lib/anchors"


def keepers() -> set[str]:
    """The services that declare histories, read from their code."""
    return {
        service
        for service in SERVICES
        for node in ast.walk(ast.parse((ROOT / f"services/{service}/src/{service}_service/app.py").read_text()))
        if isinstance(node, ast.keyword) and node.arg == "histories"
    }


def told(rendered: Rendered) -> dict[str, str]:
    """What each pod knows of anchors."""
    pods = ((pod.name, pod.environment.get("AIOPS_ANCHOR_URL")) for pod in rendered.ours())
    return {name: url for name, url in pods if url}


def notes(charts: Charts, *more: str) -> str:
    arguments = ["--dry-run=client", "--values", str(MINIMAL), *more]
    return charts.run("install", "aiops", str(UMBRELLA), *arguments).stdout.partition("NOTES:")[2]


def test_an_address_is_told_to_the_workers_that_sign_and_is_the_one_thing_opened(
    charts: Charts, minimal: Rendered
) -> None:
    peers = [{"ipBlock": {"cidr": "192.0.2.10/32"}}]
    rendered = charts.render({"global": {"anchors": {"url": URL, "to": peers}}}, MINIMAL)

    opened = {
        policy["metadata"]["name"]: [
            rule
            for rule in policy["spec"]["egress"]
            if rule not in minimal.one("NetworkPolicy", policy["metadata"]["name"])["spec"]["egress"]
        ]
        for policy in rendered.all("NetworkPolicy")
        if policy["metadata"]["name"] != "aiops-default-deny"
    }

    workers = {f"aiops-{service}-work" for service in keepers()}
    assert len(workers) == 4
    assert told(rendered) == dict.fromkeys(workers, URL)
    assert isinstance(store_at(URL), WebStore)
    assert {name for name, rules in opened.items() if rules} == workers
    for name in workers:
        assert opened[name] == [{"ports": [{"protocol": "TCP", "port": 8443}], "to": peers}]


def test_a_volume_is_mounted_where_the_workers_that_sign_write(charts: Charts) -> None:
    rendered = charts.render({"global": {"anchors": {"claim": "anchors"}}}, MINIMAL)

    mounted = {
        pod.name: mount
        for pod in rendered.ours()
        for mount in pod.container["volumeMounts"]
        if mount["name"] == "anchors"
    }
    claimed = {
        pod.name: volume["persistentVolumeClaim"]
        for pod in rendered.ours()
        for volume in pod.spec["volumes"]
        if "persistentVolumeClaim" in volume
    }
    workers = {f"aiops-{service}-work" for service in keepers()}
    assert mounted == {name: {"name": "anchors", "mountPath": FOLDER} for name in workers}
    assert claimed == {name: {"claimName": "anchors"} for name in workers}
    assert set(told(rendered)) == workers
    for url in told(rendered).values():
        store = store_at(url)
        assert isinstance(store, FolderStore)
        assert str(store.folder) == FOLDER
    assert rendered.all("PersistentVolumeClaim") == []


def test_with_neither_nothing_is_told_and_the_person_is_warned(charts: Charts, minimal: Rendered) -> None:
    assert told(minimal) == {}
    assert "WARNING: nobody keeps the anchors of the histories." in notes(charts)
    for value in (f"url={URL}", "claim=anchors"):
        assert "WARNING" not in notes(charts, "--set", f"global.anchors.{value}")


@pytest.mark.parametrize(
    ("anchors", "said"),
    [
        ({"url": URL, "claim": "anchors"}, "global.anchors.url and global.anchors.claim are set"),
        ({"url": "file:/anchors"}, "'file:/anchors' does not match pattern"),
        ({"url": "https://me:secret@anchors.example.com"}, "at '/global/anchors/url': "),
        ({"claim": "No_Claim"}, "'No_Claim' does not match pattern"),
    ],
)
def test_two_places_and_a_place_that_is_none_are_refused(charts: Charts, anchors: dict[str, str], said: str) -> None:
    assert said in charts.refusal({"global": {"anchors": anchors}}, MINIMAL)
