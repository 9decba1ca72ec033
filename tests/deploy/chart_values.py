"""Values of the chart by generation: a strategy made of values.schema.json, and their meaning."""

import json
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from .conftest import CHART

SCHEMA: Final[dict[str, Any]] = json.loads((CHART / "values.schema.json").read_text())
Values = dict[str, Any]

AWKWARD: Final = (
    "", "true", "on", "No", "null", "~", "1", "1.0", "1e3", "0x1f", "010", "2001-01-01", "12:30:45",
    "a: b", "# c", "- d", "{{ .Values }}", "$(POD_NAME)", "*x", "&y", "!z", "%", "@", "`", "|",
    ">", "'", '"', "\\n", " ", " lead", "trail ", "two\nlines", "\ttab", "\u00e9\u4e2d\U0001f600",
    "<&>",
)  # fmt: skip
"""Strings that YAML, a template or a shell may take for something else."""
NAMES: Final = ("a", "x1", "app", "on", "1", "null", "data-2")
QUANTITIES: Final = {
    "cpu": (("10m", "0.1", 1), ("1", 2, "2500m")),
    "memory": (("16Mi", "32Mi", 33554432), ("64Mi", "1Gi", 134217728)),
}
"""Name of a resource -> requests, and limits that are not below them."""
VOLUMES: Final[Mapping[str, dict[str, Any]]] = {
    "emptyDir": {"emptyDir": {"sizeLimit": "1Mi"}},
    "configMap": {"configMap": {"name": "c", "optional": True}},
    "secret": {"secret": {"secretName": "s", "optional": True}},
    "downwardAPI": {"downwardAPI": {"items": [
        {"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    "projected": {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    "claim": {"persistentVolumeClaim": {"claimName": "c"}},
    "csi": {"csi": {"driver": "d.example", "readOnly": True}},
    "hostPath": {"hostPath": {"path": "/var/log"}},
    "nfs": {"nfs": {"server": "s.example", "path": "/"}},
}  # fmt: skip
FORBIDDEN_VOLUMES: Final = frozenset({"hostPath", "nfs"})
APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/devops-info-service"

awkward = st.sampled_from(AWKWARD) | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
names = st.sampled_from(NAMES)


def free(path: str) -> st.SearchStrategy[Any] | None:
    """Return the values at *path* where the schema leaves their content to Kubernetes."""
    variable = st.fixed_dictionaries({"name": st.sampled_from(("ON", "X", "y", "A.B-c"))},
                                     optional={"value": awkward})  # fmt: skip
    found: Mapping[str, st.SearchStrategy[Any]] = {
        "/global": st.just({}) | st.just({"any": 1}),
        "/env": st.lists(variable, max_size=3, unique_by=lambda each: each["name"]),
        "/envFrom": st.just([{"configMapRef": {"name": "c", "optional": True}}]),
        "/affinity": st.just({"nodeAffinity": {}}),
        "/tolerations": st.just([{"key": "on", "operator": "Exists", "effect": "NoSchedule"}]),
        "/ingress/tls": st.just([{"secretName": "s", "hosts": ["a.example"]}]),
        "/networkPolicy/egress": st.just([{"ports": [{"port": 53, "protocol": "UDP"}]}]),
        "/httpRoute/parentRefs": st.just([{"name": "g"}]),
        "/grpcRoute/parentRefs": st.just([{"name": "g"}]),
        "/resources": resources(),
        # Together: a mount names a volume.
        "/volumes": st.nothing(),
        "/volumeMounts": st.nothing(),
    }
    return found.get(path)


@st.composite
def resources(draw: st.DrawFn) -> Values:
    """Requests that are not above their limits."""
    found: Values = {}
    for name, (low, high) in QUANTITIES.items():
        for group, choice in (("requests", low), ("limits", high)):
            if draw(st.booleans()):
                found.setdefault(group, {})[name] = draw(st.sampled_from(choice))
    return found


def of_schema(schema: Mapping[str, Any], path: str = "") -> st.SearchStrategy[Any]:
    """Return a strategy for the values that *schema* takes.

    Raises:
        LookupError: it has a keyword that this does not know.
    """
    if (known := free(path)) is not None:
        return known
    schema = {
        **SCHEMA.get("$defs", {}).get(schema.get("$ref", "").rpartition("/")[2], {}),
        **schema,
    }
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "oneOf" in schema:
        return st.one_of([of_schema(each, path) for each in schema["oneOf"]])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    found = st.one_of([_of_type(kind, schema, path) for kind in kinds])
    if (excluded := schema.get("not")) is not None:
        return found.filter(lambda value: not _matches(value, excluded))
    return found


def _matches(value: object, schema: Mapping[str, Any]) -> bool:
    if "const" in schema:
        return bool(value == schema["const"])
    if "enum" in schema:
        return value in schema["enum"]
    return isinstance(value, str) and value.startswith(schema["pattern"].removeprefix("^"))


def _of_type(kind: str, schema: Mapping[str, Any], path: str) -> st.SearchStrategy[Any]:
    plain: Mapping[str, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "null": st.none(),
        "number": st.sampled_from((0, 0.5, 1, 1_048_576, 67_108_864, 1.25e9)),
    }
    match kind:
        case "integer":
            low, high = schema.get("minimum", 0), schema.get("maximum", 10**7)
            # The ends, and where Go's text of a float changes to an exponent.
            numbers = (low, low + 1, 999_999, 1_000_000, 1_048_577, high)
            edges = [number for number in numbers if low <= number <= high]
            return st.sampled_from(edges) | st.integers(low, high)
        case "string" if "pattern" in schema:
            text = st.from_regex(schema["pattern"], fullmatch=True)
            low, high = schema.get("minLength", 0), schema.get("maxLength", 60)
            return text.filter(lambda text: text.isascii() and low <= len(text) <= high)
        case "string":
            return awkward.filter(lambda text: len(text) >= schema.get("minLength", 0))
        case "array":
            items = of_schema(schema.get("items", {"type": "string"}), f"{path}/*")
            unique = json.dumps if schema.get("uniqueItems") else None
            return st.lists(items, min_size=schema.get("minItems", 0), max_size=3, unique_by=unique)
        case "object":
            return _object(schema, path)
        case _:
            return plain[kind]


@st.composite
def _object(draw: st.DrawFn, schema: Mapping[str, Any], path: str) -> Values:
    found: Values = {}
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        if "type" not in each and "not" in each:
            continue  # a name that is refused
        place = f"{path}/{name}"
        strategy = of_schema(each, place)
        if not strategy.is_empty and (name in required or draw(st.booleans())):
            found[name] = draw(strategy)
    patterns = schema.get("patternProperties", {})
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        patterns = {**patterns, schema["propertyNames"].get("pattern", "^[a-z]{1,9}$"): extra}
    for pattern, each in patterns.items():
        name_of = st.from_regex(pattern, fullmatch=True).filter(
            lambda name: (
                name.isascii()
                and len(name) <= 60
                and name not in schema.get("properties", {})
                and not _matches(name, schema.get("propertyNames", {}).get("not", {"enum": ()}))
            )
        )
        for name in draw(st.lists(name_of, max_size=2, unique=True)):
            found[name] = draw(of_schema(each, f"{path}/*"))
    return found


@st.composite
def chart_values(draw: st.DrawFn) -> Values:
    """Values that the schema takes: a few of the chart's, each of them any of its type."""
    found: Values = {}
    properties = SCHEMA["properties"]
    for name in draw(st.lists(st.sampled_from(sorted(properties)), max_size=8, unique=True)):
        strategy = of_schema(properties[name], f"/{name}")
        if not strategy.is_empty:
            found[name] = draw(strategy)
    kinds = draw(st.lists(st.sampled_from(sorted(VOLUMES)), max_size=2, unique=True))
    if kinds:
        found["volumes"] = [{"name": f"v{kind.lower()}", **VOLUMES[kind]} for kind in kinds]
        found["volumeMounts"] = [
            {"name": each["name"], "mountPath": f"/mnt/{each['name']}"} for each in found["volumes"]
        ]
    if draw(st.integers(0, 9)) == 0:
        profile = draw(st.sampled_from(("unconfined", "runtime/default")))
        found.setdefault("podAnnotations", {})[APPARMOR] = profile
    return found


def contradictions(values: Values) -> tuple[str, ...]:
    """Return the values of which each is allowed, and that cannot hold together."""
    security, scaling = values.get("security", {}), values.get("autoscaling", {})
    is_daemonset = values.get("kind") == "DaemonSet"
    strategy = {"maxSurge": 1, "maxUnavailable": 0, **values.get("strategy", {})}
    drain = {"delaySeconds": 5, "seconds": 8, "preStopSeconds": 0, **values.get("drain", {})}
    grace = values.get("terminationGracePeriodSeconds", 0)
    own_users = security.get("hostUsers") is False
    shared = security.get("hostNetwork") or security.get("hostPID")
    limits = scaling.get("minReplicas", 2), scaling.get("maxReplicas", 6)
    expects = bool(values.get("expectations"))
    found = {
        "autoscaling.enabled": scaling.get("enabled") and is_daemonset,
        "autoscaling.maxReplicas": scaling.get("enabled") and limits[0] > limits[1],
        "strategy": not is_daemonset and all(each in {0, "0%"} or each == "00%"
                                             for each in strategy.values()),
        "terminationGracePeriodSeconds": grace and grace < sum(drain.values()) + 2,
        "security.hostUsers": own_users and shared,
        "readyRequiresExpectations": values.get("readyRequiresExpectations") and not expects,
        **{
            f"{route}: parentRefs": values.get(route, {}).get("enabled")
            and not values[route].get("parentRefs")
            for route in ("httpRoute", "grpcRoute")
        },
    }  # fmt: skip
    return tuple(name for name, holds in found.items() if holds)


def refused_by(values: Values) -> set[str]:
    """Return the checks of the restricted standard that the chart with *values* fails."""
    security = values.get("security", {})
    has_own_users = security.get("hostUsers") is False
    added = set(security.get("addCapabilities", ())) - {"NET_BIND_SERVICE"}
    kinds = {kind for each in values.get("volumes", ()) for kind in each}
    is_unconfined = values.get("podAnnotations", {}).get(APPARMOR) == "unconfined"
    privileged = bool(security.get("privileged"))
    found = {
        "runAsNonRoot": security.get("runAsNonRoot") is False and not has_own_users,
        "runAsUser": security.get("runAsUser") == 0 and not has_own_users,
        "seccompProfile_restricted": security.get("seccompProfile") == "Unconfined",
        "allowPrivilegeEscalation": privileged or security.get("allowPrivilegeEscalation"),
        "privileged": privileged,
        "capabilities_restricted": added or security.get("keepDefaultCapabilities"),
        "hostNamespaces": security.get("hostNetwork") or security.get("hostPID"),
        "restrictedVolumes": kinds & FORBIDDEN_VOLUMES,
        "appArmorProfile": is_unconfined,
    }
    return {name for name, holds in found.items() if holds}
