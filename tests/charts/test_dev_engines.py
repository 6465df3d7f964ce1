"""PostgreSQL, NATS and Unleash in the cluster: for one machine, and never in production."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.charts.edges import SERVICES
from tests.charts.rendering import UMBRELLA, Charts, Rendered
from tests.charts.test_network_policy import member
from tests.charts.validation import core_errors

KIND = UMBRELLA / "ci" / "kind-values.yaml"
UNLEASH = {"dev": {"unleash": {"enabled": True}}, "global": {"unleash": {"url": "http://aiops-unleash:4242/api"}}}
ENGINES = {"postgres", "nats", "unleash"}


def engines(rendered: Rendered) -> set[str]:
    return {
        pod.labels["app.kubernetes.io/name"]
        for pod in rendered.pods()
        if pod.labels["app.kubernetes.io/component"] == "engine"
    }


def callers(rendered: Rendered, engine: str) -> set[tuple[str, str]]:
    (rule,) = rendered.one("NetworkPolicy", f"aiops-{engine}")["spec"]["ingress"]
    return {found for peer in rule["from"] if (found := member(peer))}


def test_switched_off_there_are_none(minimal: Rendered, production: Rendered) -> None:
    for rendered in (minimal, production):
        assert engines(rendered) == set()
        assert rendered.all("StatefulSet") == []


def test_for_kind_there_are_postgres_and_nats_and_unleash_on_demand(charts: Charts, kind: Rendered) -> None:
    assert engines(kind) == {"postgres", "nats"}
    assert engines(charts.render(UNLEASH, KIND)) == ENGINES


def test_production_is_refused(charts: Charts) -> None:
    ingress = {"gateway": {"ingress": {"enabled": False}}}

    said = charts.refusal({"global": {"environment": "production"}, **ingress}, KIND)

    assert "dev.enabled is true in production: these engines have one copy and no backup" in said
    assert "Set dev.enabled=false" in said


def test_a_migration_that_would_wait_for_its_own_release_is_refused(charts: Charts) -> None:
    said = charts.refusal({"global": {"migrations": {"mode": "hook"}}}, KIND)

    assert (
        "a hook runs before PostgreSQL is there, and would wait for it in vain. Set global.migrations.mode=job." in said
    )


def test_flags_that_nobody_would_ask_for_are_refused(charts: Charts) -> None:
    said = charts.refusal({"dev": {"unleash": {"enabled": True}}}, KIND)

    assert "Set global.unleash.url=http://aiops-unleash:4242/api." in said


def test_only_those_who_use_an_engine_reach_it(charts: Charts) -> None:
    rendered = charts.render(UNLEASH, KIND)
    services = {(service, role) for service in SERVICES for role in ("serve", "work")}

    # Whoever serves hears whose tokens are void; auth has that in its own tables.
    assert callers(rendered, "nats") == services - {("auth", "serve")} | {("gateway", "serve")}
    assert callers(rendered, "unleash") == services
    assert callers(rendered, "postgres") == services | {(service, "migrate") for service in SERVICES} | {
        ("bootstrap", "migrate"),
        ("unleash", "engine"),
    }


def test_what_may_come_in_may_also_go_there(kind: Rendered) -> None:
    for engine, ports in (("postgres", {5432}), ("nats", {4222, 8222})):
        for name, role in callers(kind, engine):
            suffix = {"serve": "", "work": "-work", "migrate": "" if name == "bootstrap" else "-migrate"}[role]
            going = {
                port["port"]
                for rule in kind.one("NetworkPolicy", f"aiops-{name}{suffix}")["spec"]["egress"]
                for peer in rule.get("to", ())
                if peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name") == engine
                for port in rule["ports"]
            }
            assert going == (ports - {8222} if role == "serve" else ports), (name, role)


def test_nats_keeps_what_it_acknowledges(kind: Rendered, tmp_path: Path) -> None:
    text = kind.one("ConfigMap", "aiops-nats")["data"]["nats.conf"]
    (tmp_path / "authorization.conf").write_text('authorization { users: [ { user: "auth", password: "made-up" } ] }')
    (tmp_path / "nats.conf").write_text(text)
    program = Path(sys.executable).parent / "nats-server"

    checked = subprocess.run(
        [str(program if program.exists() else shutil.which("nats-server")), "-t", "-c", str(tmp_path / "nats.conf")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "sync_interval: always" in text
    assert (checked.returncode, "is valid" in checked.stderr + checked.stdout) == (0, True)
    files = kind.pod("StatefulSet", "aiops-nats").files
    assert files["authorization.conf"] == ("secret", "aiops-nats", "authorization.conf")


def test_postgres_takes_its_password_from_the_admins_address(kind: Rendered, tmp_path: Path) -> None:
    (script,) = kind.pod("StatefulSet", "aiops-postgres").container["args"]
    url = "postgresql://postgres:a-made_up-Password@aiops-postgres:5432/aiops"
    (tmp_path / "admin-url").write_text(url)
    asked = script.replace("/etc/aiops", str(tmp_path)).replace(
        "exec docker-entrypoint.sh", "echo $POSTGRES_PASSWORD;: "
    )

    told = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, timeout=10, check=True).stdout

    assert told == "a-made_up-Password\n"
    assert "-c port=5432" in script


def test_unleash_gets_a_database_of_its_own(charts: Charts, tmp_path: Path) -> None:
    rendered = charts.render(UNLEASH, KIND)
    (script,) = rendered.pod("Deployment", "aiops-unleash").container["args"]
    for name in ("client-token", "admin-token", "admin-password"):
        (tmp_path / name).write_text(f"made-up-{name}")
    (tmp_path / "admin-url").write_text("postgresql://postgres:pw@aiops-postgres:5432/aiops")
    asked = script.replace("/etc/aiops", str(tmp_path)).replace("cd /unleash && exec node index.js", "env")

    told = subprocess.run(["sh", "-c", asked], capture_output=True, text=True, timeout=10, check=True).stdout

    assert "DATABASE_URL=postgresql://postgres:pw@aiops-postgres:5432/unleash\n" in told
    assert "INIT_CLIENT_API_TOKENS=made-up-client-token\n" in told
    assert rendered.one("ConfigMap", "aiops-postgres")["data"] == {"unleash.sql": "CREATE DATABASE unleash;"}
    for thing in rendered.objects:
        if thing["metadata"]["name"].startswith("aiops-unleash"):
            assert core_errors(thing, "1.31") == core_errors(thing, "1.37") == []


def test_roles_and_schemas_are_made_once_for_all_services(kind: Rendered) -> None:
    pod = kind.pod("Job", "aiops-bootstrap-1")

    assert pod.container["command"] == ["aiops", "migrate", "bootstrap"]
    assert pod.files == {
        "AIOPS_ADMIN_DATABASE_URL": ("secret", "aiops-database-admin", "admin-url"),
        **{
            f"{service.upper()}_{which}DATABASE_URL": (
                "secret",
                f"aiops-{service}",
                f"{which.lower()}database-url".replace("_", "-"),
            )
            for service in SERVICES
            for which in ("", "OWNER_")
        },
    }


def test_the_data_is_on_volumes_and_images_have_a_version(charts: Charts) -> None:
    rendered = charts.render(UNLEASH, KIND)

    for name in ("aiops-postgres", "aiops-nats"):
        spec = rendered.one("StatefulSet", name)["spec"]
        (claim,) = spec["volumeClaimTemplates"]
        assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
        assert spec["replicas"] == 1
    for pod in rendered.pods():
        if pod.labels["app.kubernetes.io/component"] == "engine":
            assert re.fullmatch(r"[a-z/-]+:\d+\.\d+(\.\d+)?", pod.container["image"])
