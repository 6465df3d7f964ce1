"""Writes charts/*/values.schema.json: `python dev/generate_chart_schemas.py`, with --check it only compares.

What a chart takes for the settings of its process comes from the settings class itself, names, limits and all, so that
no value passes which the process would refuse. Every object is closed: an unknown key fails the installation.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from ai_service.settings import AiSettings
from auth_service.settings import AuthSettings
from changelog_service.settings import ChangelogSettings
from chassis.settings import ProcessSettings, ServiceSettings
from gateway.settings import GatewaySettings
from logs_service.settings import LogsSettings
from tickets_service.settings import TicketsSettings

Schema = dict[str, Any]

CHARTS = Path(__file__).resolve().parent.parent / "charts"
SETTINGS: dict[str, type[ProcessSettings]] = {
    "auth": AuthSettings,
    "logs": LogsSettings,
    "tickets": TicketsSettings,
    "changelog": ChangelogSettings,
    "ai": AiSettings,
    "gateway": GatewaySettings,
}
COMPONENTS = (*SETTINGS, "dashboard")
LIMITS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "type", "pattern")
TUNED = {"pool_size", "max_calls", "max_uploads"}
"""What every service has and each may need another value of. Not how long connections live: rollouts count on that."""
PLACES = ("_listen", "_file", "_folder")
"""Endings of settings that say where something is in the pod: the chart's own to set."""


def one_of(*values: str) -> Schema:
    """One of some words."""
    return {"type": "string", "enum": list(values)}


def text(pattern: str = "", **more: Any) -> Schema:
    """A text."""
    return {"type": "string", **({"pattern": pattern} if pattern else {}), **more}


def whole(minimum: int, maximum: int | None = None) -> Schema:
    """A whole number."""
    return {"type": "integer", "minimum": minimum, **({"maximum": maximum} if maximum is not None else {})}


def closed(properties: Schema, *, required: tuple[str, ...] = ()) -> Schema:
    """An object of these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": list(required)} if required else {}),
    }


def many(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def named(definition: str) -> Schema:
    """One of the definitions at the end of each schema."""
    return {"$ref": f"#/definitions/{definition}"}


BOOLEAN: Schema = {"type": "boolean"}
LABELS = named("labels")
PEERS = named("peers")
QUANTITY = named("quantity")
RESOURCES = named("resources")
SELECTOR = closed(
    {
        "matchLabels": LABELS,
        "matchExpressions": many(
            closed(
                {
                    "key": text(),
                    "operator": one_of("In", "NotIn", "Exists", "DoesNotExist"),
                    "values": many(text()),
                },
                required=("key", "operator"),
            )
        ),
    }
)
TAG = r"^([0-9A-Za-z_][0-9A-Za-z_.-]{0,127})?$"
CIDR = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"
PEER = closed(
    {
        "podSelector": named("selector"),
        "namespaceSelector": named("selector"),
        "ipBlock": closed({"cidr": text(CIDR), "except": many(text(CIDR))}, required=("cidr",)),
    }
)
AMOUNTS = closed({"cpu": {"anyOf": [QUANTITY, {"type": "number"}]}, "memory": QUANTITY})
DEFINITIONS: Schema = {
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "quantity": text(r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"),
    "resources": closed({"requests": AMOUNTS, "limits": AMOUNTS}),
    "selector": SELECTOR,
    "peers": many({**PEER, "minProperties": 1}),
}
ROLLOUT = closed({"autoPromotion": BOOLEAN, "scaleDownDelaySeconds": whole(90)})
TOLERATION = closed(
    {
        "key": text(),
        "operator": one_of("Exists", "Equal"),
        "value": text(),
        "effect": one_of("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "tolerationSeconds": whole(0),
    }
)
NAME = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
"""Of a Service: unlike other names it begins with a letter."""
HOST_NAME = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$"
SOME_URL = r"^(https?://[^\s/@]+(/\S*)?)?$"
"""Without a user: values are for everybody to read."""


def limits_of(field: str) -> Schema:
    """What a number that every process has may be."""
    found = ProcessSettings.model_json_schema(by_alias=False)["properties"][field]
    return {key: found[key] for key in LIMITS if key in found}


GLOBAL = closed(
    {
        "name": text(NAME, maxLength=63),
        "environment": {"type": "string", **limits_of("environment")},
        "logLevel": {"type": "string", **limits_of("log_level")},
        "image": closed(
            {
                "registry": text(r"^([a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._/-]+)?)?$"),
                "tag": text(TAG),
                "tags": closed({f"aiops-{image}": text(TAG) for image in (*COMPONENTS, "migrate")}),
                "pullPolicy": one_of("Always", "IfNotPresent", "Never"),
            }
        ),
        "imagePullSecrets": many(text()),
        "secrets": closed(
            {
                "mode": one_of("existing", "external"),
                "external": closed(
                    {
                        "store": closed({"name": text(), "kind": one_of("SecretStore", "ClusterSecretStore")}),
                        "prefix": text(minLength=1),
                        "refreshInterval": text(r"^[0-9]+[smh]$"),
                    }
                ),
            }
        ),
        "database": closed({"port": whole(1, 65535), "to": PEERS}),
        "nats": closed(
            {
                "url": text(r"^(nats|tls)://[^\s,/@]+(,\s*(nats|tls)://[^\s,/@]+)*$"),
                "monitorUrl": text(SOME_URL),
                "durability": {"type": "string", **limits_of("nats_durability")},
                "streamMaxBytes": whole(1 << 20),
                "to": PEERS,
            }
        ),
        "anchors": closed({"url": text(SOME_URL), "to": PEERS, "claim": text(HOST_NAME, maxLength=253)}),
        "flags": {"type": "object", "additionalProperties": BOOLEAN},
        "unleash": closed({"url": text(r"^(https?://[^\s@]+/api)?$"), "to": PEERS}),
        "otlp": closed({"endpoint": text(SOME_URL), "to": PEERS}),
        "drainSeconds": {**limits_of("drain_seconds"), "maximum": 300},
        "startupSeconds": {**limits_of("startup_seconds"), "maximum": 3600},
        "tls": closed({"enabled": {"type": "boolean"}}),
        "migrations": closed(
            {
                "mode": one_of("hook", "job"),
                "phase": one_of("expand", "backfill", "contract"),
                "timeoutSeconds": whole(30),
            }
        ),
        "rollout": ROLLOUT,
        "analysis": closed(
            {
                "prometheus": closed({"address": text(SOME_URL)}),
                "errorRatio": {"type": "number", "minimum": 0, "maximum": 1},
                "initialDelaySeconds": whole(0),
                "intervalSeconds": whole(5),
                "measurements": whole(1),
            }
        ),
        "monitoring": closed({"enabled": BOOLEAN, "intervalSeconds": whole(5), "labels": LABELS, "from": PEERS}),
        "networkPolicy": closed({"enabled": BOOLEAN, "ingressFrom": PEERS, "dnsTo": {"allOf": [PEERS], "minItems": 1}}),
        "priorityClassName": text(),
        "nodeSelector": LABELS,
        "tolerations": many(TOLERATION),
    }
)
COMPONENT: Schema = {
    "replicas": {**whole(1), "type": ["integer", "null"]},
    "autoscaling": closed(
        {"enabled": BOOLEAN, "minReplicas": whole(1), "maxReplicas": whole(1), "cpuPercent": whole(1, 100)}
    ),
    "disruption": closed({"maxUnavailable": whole(1)}),
    "rollout": ROLLOUT,
    "tmpSize": QUANTITY,
    "resources": RESOURCES,
}
IMAGE = closed({"repository": text(r"^[a-z0-9._/-]+$")}, required=("repository",))
INGRESS = closed(
    {
        "enabled": BOOLEAN,
        "className": text(),
        "host": text(HOST_NAME),
        "pages": BOOLEAN,
        "tls": closed(
            {
                "terminatedAt": one_of("ingress", "elsewhere", "nowhere"),
                "secretName": text(),
                "clusterIssuer": text(),
            }
        ),
        "annotations": LABELS,
    }
)
ENGINE: Schema = {"image": text(minLength=1), "resources": RESOURCES}
DEV: Schema = {
    "enabled": BOOLEAN,
    "postgres": closed({**ENGINE, "storage": QUANTITY}),
    "nats": closed({**ENGINE, "storage": QUANTITY}),
    "unleash": closed({**ENGINE, "enabled": BOOLEAN}),
}


def camel(name: str) -> str:
    """A setting's name as values are written."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def settings_schema(settings: type[ProcessSettings]) -> Schema:
    """What an operator can set of a process, with the limits that the process itself has."""
    schema = settings.model_json_schema(by_alias=False)
    shared = set(ServiceSettings.model_fields) - TUNED
    properties = {}
    for name, field in settings.model_fields.items():
        if name in shared or name.endswith(PLACES) or field.annotation is SecretStr:
            continue
        found = schema["properties"][name]
        found = {**schema["$defs"][found["$ref"].rpartition("/")[2]], **found} if "$ref" in found else found
        limits = {key: found[key] for key in LIMITS if key in found}
        longest = {"minLength": 1} if limits == {"type": "string"} else {}
        properties[camel(name)] = {"description": " ".join(str(found["description"]).split()), **limits, **longest}
    return closed(properties)


def chart_schema(chart: str) -> Schema:
    """The schema of one chart's values."""
    own: Schema = {"global": GLOBAL}
    if chart == "aiops-lib":
        # Whoever is made of it has looked at the global values already: an error is told often enough.
        own = {"global": {"type": "object"}, "component": closed(COMPONENT)}
    elif chart == "aiops":
        # Each chart below has a schema of its own, which helm asks too.
        own.update({name: {"type": "object"} for name in (*COMPONENTS, "dev")})
    elif chart == "dev":
        own.update(DEV)
    else:
        own.update({"image": IMAGE, **COMPONENT})
        settings = settings_schema(SETTINGS[chart]) if chart in SETTINGS else closed({})
        if settings["properties"]:
            own["settings"] = settings
        if chart in SETTINGS and issubclass(SETTINGS[chart], ServiceSettings):
            own["worker"] = closed({"replicas": whole(1), "resources": RESOURCES})
    if chart == "ai":
        own["openai"] = closed({"apiKey": BOOLEAN, "to": PEERS})
    if chart == "gateway":
        own["ingress"] = INGRESS
    if chart == "dashboard":
        own["enabled"] = BOOLEAN
    if chart != "aiops-lib":
        # Helm shows a chart the values of the library that it is made of.
        own["aiops-lib"] = {"type": "object"}
    dialect = "http://json-schema.org/draft-07/schema#"
    return {"$schema": dialect, "title": f"Values of {chart}", **closed(own), "definitions": DEFINITIONS}


def render(chart: str) -> str:
    """The text of a chart's schema file."""
    return json.dumps(chart_schema(chart), indent=1) + "\n"


def main() -> None:
    """Write all files, or say which are old."""
    charts = ("aiops-lib", "aiops", *COMPONENTS, "dev")
    if sys.argv[1:] == ["--check"]:
        old = [chart for chart in charts if (CHARTS / chart / "values.schema.json").read_text() != render(chart)]
        if old:
            sys.exit(f"old: {', '.join(old)}; run: python dev/generate_chart_schemas.py")
        return
    for chart in charts:
        (CHARTS / chart / "values.schema.json").write_text(render(chart))


if __name__ == "__main__":
    main()
