#!/usr/bin/env python3
"""What must hold for a rendered chart, whatever the schemas allow: facts.py NAME RENDERED.yaml

Writes the settings of the ConfigMap beside it as NAME.toml, for `idp config check`.
"""

import pathlib
import sys
import tomllib

import yaml

name, path = sys.argv[1], pathlib.Path(sys.argv[2])
documents = [document for document in yaml.safe_load_all(path.read_text()) if document]


def find(kind):
    return [document for document in documents if document["kind"] == kind]


def check(fact, what):
    if not fact:
        sys.exit(f"{name}: {what}")


settings_text = find("ConfigMap")[0]["data"]["idp.toml"]
settings = tomllib.loads(settings_text)
path.with_suffix(".toml").write_text(settings_text)
deployment = find("Deployment")[0]["spec"]
pod = deployment["template"]["spec"]
containers = pod["initContainers"] + pod["containers"]
sqlite = name != "postgres"

check(deployment["replicas"] == 1, "one replica")
check((deployment.get("strategy", {}).get("type") == "Recreate") == sqlite, "Recreate with SQLite alone")
check(pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 65532, "not root")
check(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", "seccomp")
check(pod["automountServiceAccountToken"] is False, "no token of the Kubernetes API")
check(pod["terminationGracePeriodSeconds"] > 20, "time to drain")
for container in containers:
    security = container["securityContext"]
    check(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], "read-only root")
    check(security["capabilities"] == {"drop": ["ALL"]}, "all capabilities dropped")
    check("memory" in container["resources"]["limits"], "a memory limit")
    check(not any("valueFrom" in variable for variable in container["env"]), "secrets are files, not variables")
for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
    check(pod["containers"][0][probe]["httpGet"]["port"] == "health", f"{probe} asks the health listener")
check(bool(find("PersistentVolumeClaim")) == (name == "sqlite"), "a claim for SQLite without an existing one")
check(not find("Secret"), "no secret in the release")
check(settings["realm"]["issuer"].startswith("https://id.example.org"), "the issuer")
check(not {"secrets", "database"} & settings.keys(), "no secrets in the ConfigMap")

public = [port["name"] for service in find("Service") if not service["metadata"]["name"].endswith("-health") for port in service["spec"]["ports"]]
check(public == ["http"], "the public service has no health port")
for ingress in find("Ingress"):
    backends = [path["backend"]["service"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    check(backends == [{"name": "idp", "port": {"name": "http"}}], "the ingress names http alone")
if name == "ingress":
    check(len(find("Ingress")) == 1 and not find("ServiceAccount"), "an ingress, no service account")
    check(settings["server"]["max_connections"] == 8192, "whole numbers stay whole")
    check(settings["realm"]["relying_parties"][0]["rp_id"] == "example.org", "relying parties")
    check(settings["realm"]["display_name"] == 'The "Example" people', "quotes")
