"""Certificates are mounted where the settings say, for every process; without the value, nowhere."""

import pytest
from tests.charts.rendering import UMBRELLA, Charts

SERVICES = ("auth", "logs", "tickets", "changelog", "ai", "gateway")


@pytest.mark.parametrize("enabled", [False, True])
def test_every_process_finds_its_own_certificate(charts: Charts, enabled: bool) -> None:  # noqa: FBT001
    rendered = charts.render({"global": {"tls": {"enabled": enabled}}}, UMBRELLA / "ci" / "minimal-values.yaml")

    for service in SERVICES:
        pod = rendered.pod("Rollout", f"aiops-{service}").spec
        (container,) = pod["containers"]
        (files,) = [volume for volume in pod["volumes"] if volume["name"] == "files"]
        said = {each["name"]: each.get("value") for each in container["env"] if "_TLS_" in each["name"]}
        mounted = {
            source["secret"]["name"]: sorted(item["path"] for item in source["secret"]["items"])
            for source in files["projected"]["sources"]
            if source.get("secret", {}).get("name", "").endswith("-tls")
        }
        prefix = service.upper()
        assert said == (
            {
                "AIOPS_TLS_CA_FILE": "/etc/aiops/ca.crt",
                f"{prefix}_TLS_CERT_FILE": "/etc/aiops/tls.crt",
                f"{prefix}_TLS_KEY_FILE": "/etc/aiops/tls.key",
            }
            if enabled
            else {}
        )
        assert mounted == ({f"aiops-{service}-tls": ["ca.crt", "tls.crt", "tls.key"]} if enabled else {})
