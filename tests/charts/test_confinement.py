"""Every pod is confined as Kubernetes' "restricted" standard wants, and is nobody to the API server."""

from tests.charts.rendering import UMBRELLA, Charts, Rendered

OURS = 10001
"""The user of our images."""
UNLEASH = {"dev": {"unleash": {"enabled": True}}, "global": {"unleash": {"url": "http://aiops-unleash:4242/api"}}}


def test_every_pod_passes_the_restricted_standard(charts: Charts, supported: Rendered) -> None:
    everything = charts.render(UNLEASH, UMBRELLA / "ci" / "kind-values.yaml")

    for pod in (*supported.pods(), *everything.pods()):
        assert pod.spec["securityContext"]["runAsNonRoot"] is True, pod.name
        assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod.spec)
        assert pod.container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        }
        for volume in pod.spec["volumes"]:
            assert set(volume) - {"name"} <= {"emptyDir", "projected", "configMap", "persistentVolumeClaim"}
        assert not any("hostPort" in port for port in pod.container.get("ports", ()))


def test_our_processes_run_as_the_user_of_their_image_whose_group_may_read_the_files(supported: Rendered) -> None:
    for pod in supported.ours():
        context = pod.spec["securityContext"]

        assert {context[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {OURS}


def test_no_pod_can_talk_to_the_api_server(supported: Rendered) -> None:
    accounts = {each["metadata"]["name"]: each for each in supported.all("ServiceAccount")}

    for pod in supported.pods():
        assert pod.spec["automountServiceAccountToken"] is False
        assert accounts[pod.spec["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert not {each["kind"] for each in supported.objects} & {"Role", "RoleBinding", "ClusterRole"}


def test_services_of_the_namespace_leave_no_variables_among_the_settings(supported: Rendered) -> None:
    assert {pod.spec["enableServiceLinks"] for pod in supported.pods()} == {False}


def test_a_process_can_write_to_tmp_alone_and_not_without_end(supported: Rendered) -> None:
    for pod in supported.ours():
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        writable = [mount for mount in pod.container["volumeMounts"] if not mount.get("readOnly")]

        assert [mount["mountPath"] for mount in writable] == ["/tmp"]  # noqa: S108 - where the charts mount it
        assert volumes["tmp"]["emptyDir"]["sizeLimit"].endswith("Mi")


def test_mounted_keys_can_be_read_by_the_group_and_by_nobody_else(supported: Rendered) -> None:
    for pod in supported.pods():
        for volume in pod.spec["volumes"]:
            if "projected" in volume:
                assert volume["projected"]["defaultMode"] == 0o440
