"""Each fault that is planted in a manifest is told, by its name."""

import pytest

from infrastructure.kubernetes.checks.__main__ import faults
from infrastructure.kubernetes.checks.resources import amount
from tests.infrastructure.rendered import GONE, Path, planted, rendered, without

POD = ("spec", "template", "spec")
ONE = (*POD, "containers", 0)
OWN = (*ONE, "securityContext")
API, WORKER = ("Deployment", "api"), ("Deployment", "worker")
BACKUP, CHECK = ("CronJob", "backup"), ("CronJob", "restore-check")
RUN = ("spec", "jobTemplate", "spec")
IN_RUN = (*RUN, "template", "spec")
DURING = (*IN_RUN, "containers", 0)
RULES, RULE = ("PrometheusRule", "morrow"), ("spec", "groups", 0, "rules", 0)
RAY = ("RayCluster", "ray")
HEAD, NODES = ("spec", "headGroupSpec"), ("spec", "workerGroupSpecs", 0)
ON_HEAD = (*HEAD, *POD[1:], "containers", 0)
ON_NODE = (*NODES, *POD[1:], "containers", 0)
SETTINGS = ("ConfigMap", "settings")
INGRESS, NOTES = ("Ingress", "api"), ("metadata", "annotations")
NGINX = "nginx.ingress.kubernetes.io/"

Plant = tuple[tuple[str, str], Path, object, str]
PLANTS: dict[str, Plant] = {
    # schemas
    "unknown_field": (API, (*ONE, "imagePolicy"), "Always", "Additional properties"),
    "wrong_type": (WORKER, ("spec", "replicas"), "two", "is not of type"),
    "unknown_kind": (("Service", "api"), ("kind",), "Servise", "Couldn't find schema"),
    "monitor_field": (("ServiceMonitor", "morrow"), ("spec", "jobs"), [], "spec"),
    # pod security
    "not_enforced": (
        ("Namespace", "morrow"),
        ("metadata", "labels", "pod-security.kubernetes.io/enforce"),
        "baseline",
        "is not restricted",
    ),
    "host_network": (API, (*POD, "hostNetwork"), True, "hostNetwork is set"),
    "host_path": (API, (*POD, "volumes", 1), {"name": "x", "hostPath": {"path": "/"}}, "hostPath"),
    "token": (API, (*POD, "automountServiceAccountToken"), GONE, "automountServiceAccountToken"),
    "sysctl": (
        API,
        (*POD, "securityContext", "sysctls"),
        [{"name": "kernel.msgmax", "value": "1"}],
        "kernel.msgmax",
    ),
    "privileged": (API, (*OWN, "privileged"), True, "privileged"),
    "escalation": (API, (*OWN, "allowPrivilegeEscalation"), GONE, "allowPrivilegeEscalation"),
    "root": (API, (*POD, "securityContext", "runAsNonRoot"), GONE, "runAsNonRoot"),
    "root_of_one": (API, (*OWN, "runAsNonRoot"), False, "runAsNonRoot"),
    "seccomp": (API, (*POD, "securityContext", "seccompProfile"), GONE, "seccompProfile"),
    "kept_capabilities": (API, (*OWN, "capabilities", "drop"), [], "not dropped"),
    "capability": (API, (*OWN, "capabilities", "add"), ["NET_ADMIN"], "NET_ADMIN"),
    "host_port": (API, (*ONE, "ports", 0, "hostPort"), 8000, "hostPort 8000"),
    "proc": (API, (*OWN, "procMount"), "Unmasked", "procMount"),
    "selinux": (API, (*OWN, "seLinuxOptions"), {"type": "spc_t"}, "seLinuxOptions"),
    "host_process": (API, (*OWN, "windowsOptions"), {"hostProcess": True}, "hostProcess"),
    "writable": (API, (*OWN, "readOnlyRootFilesystem"), GONE, "readOnlyRootFilesystem"),
    "low_uid": (API, (*POD, "securityContext", "runAsUser"), 1000, "runAsUser 1000"),
    # references
    "lost_service": (
        ("Service", "api"),
        ("spec", "selector", "app.kubernetes.io/component"),
        "front",
        "selects no pod",
    ),
    "lost_port": (("Service", "api"), ("spec", "ports", 0, "targetPort"), "web", "has no port web"),
    "lost_backend": (
        INGRESS,
        ("spec", "rules", 0, "http", "paths", 0, "backend", "service", "name"),
        "front",
        "no such port of a Service",
    ),
    "lost_budget": (
        ("PodDisruptionBudget", "worker"),
        ("spec", "selector", "matchLabels", "app.kubernetes.io/component"),
        "workers",
        "PodDisruptionBudget/worker: selects no pod",
    ),
    "lost_scaler": (
        ("HorizontalPodAutoscaler", "api"),
        ("spec", "scaleTargetRef", "name"),
        "front",
        "there is no Deployment/front",
    ),
    "two_who_scale": (API, ("spec", "replicas"), 3, "sets replicas"),
    "lost_monitor": (
        ("ServiceMonitor", "morrow"),
        ("spec", "endpoints", 0, "port"),
        "web",
        "no Service has the port web",
    ),
    "others_pods": (
        WORKER,
        ("spec", "selector", "matchLabels", "app.kubernetes.io/component"),
        "api",
        "does not select its own pods",
    ),
    "others_spread": (
        WORKER,
        (
            *(*POD, "topologySpreadConstraints", 0, "labelSelector"),
            *("matchLabels", "app.kubernetes.io/component"),
        ),
        "api",
        "spreads other pods",
    ),
    "lost_account": (API, (*POD, "serviceAccountName"), "front", "no ServiceAccount/front"),
    "lost_volume": (API, (*ONE, "volumeMounts", 0, "name"), "scratch", "no volume scratch"),
    "lost_settings": (
        WORKER,
        (*ONE, "envFrom", 0, "configMapRef", "name"),
        "setings",
        "no ConfigMap/setings",
    ),
    "lost_claim": (
        WORKER,
        (*POD, "volumes", 1),
        {"name": "x", "persistentVolumeClaim": {"claimName": "models"}},
        "no PersistentVolumeClaim/models",
    ),
    "lost_workers": (
        ("ScaledObject", "worker"),
        ("spec", "scaleTargetRef", "name"),
        "workers",
        "there is no Deployment/workers",
    ),
    "unmeasured": (
        ("ScaledObject", "worker"),
        ("spec", "triggers", 0, "metadata", "query"),
        "max(morrow_queue_oldest_minutes)",
        "nothing measures morrow_queue_oldest_minutes",
    ),
    "scaled_by_nothing": (
        *(("ScaledObject", "worker"), ("spec", "triggers", 0, "metadata", "query"), "vector(1)"),
        "names no metric",
    ),
    # configuration
    "unknown_setting": (SETTINGS, ("data", "MORROW_WORKRES"), "2", "nothing reads MORROW_WORKRES"),
    "unknown_variable": (SETTINGS, ("data", "PYTHONPATH"), "/x", "nothing reads PYTHONPATH"),
    "wrong_value": (SETTINGS, ("data", "MORROW_WORKERS"), "many", "MORROW_WORKERS='many'"),
    "missing": (WORKER, (*ONE, "env"), [], "MORROW_DATABASE_URL is not set"),
    "secret_said": (
        API,
        (*ONE, "env", 2),
        {"name": "MORROW_OPERATOR_KEY", "value": "q8Zt2mWv5nXc7bLk9pRs"},
        "MORROW_OPERATOR_KEY is not of a Secret",
    ),
    "any_proxy": (SETTINGS, ("data", "FORWARDED_ALLOW_IPS"), "0.0.0.0/0", "believes whoever"),
    "unknown_command": (API, (*ONE, "args"), ["server"], "no command 'server'"),
    "unknown_option": (API, (*ONE, "args", 1), "--hots", "no option --hots"),
    "own_entry": (API, (*ONE, "command"), ["sh", "-c"], "command is set"),
    # life
    "liveness_asks_database": (
        API,
        (*ONE, "livenessProbe", "httpGet", "path"),
        "/health/ready",
        "asks /health/ready, and should /health/live",
    ),
    "lost_probe": (API, (*ONE, "startupProbe"), GONE, "startupProbe: asks nothing"),
    "wrong_port": (
        *(API, (*ONE, "readinessProbe", "httpGet", "port"), "metrics"),
        "nothing answers /health/live on port metrics",
    ),
    "hasty_probe": (API, (*ONE, "startupProbe", "timeoutSeconds"), 2, "gives up before its checks"),
    "no_pre_stop": (API, (*ONE, "lifecycle"), GONE, "preStop waits 0 s"),
    "short_grace": (API, (*POD, "terminationGracePeriodSeconds"), 50, "leaving may take 54"),
    "default_grace": (WORKER, (*POD, "terminationGracePeriodSeconds"), GONE, "may take 43"),
    "long_drain": (SETTINGS, ("data", "MORROW_DRAIN_SECONDS"), "300", "may take 318"),
    "fewer_first": (
        *(API, ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1),
        "maxUnavailable is not 0",
    ),
    "no_metrics": (
        *(SETTINGS, ("data", "MORROW_METRICS_PORT"), "9465"),
        "nothing answers /metrics on port metrics",
    ),
    # doorway
    "other_host": (INGRESS, ("spec", "rules", 0, "host"), "f.example.com", "the Ingress has"),
    "no_tls": (INGRESS, ("spec", "tls"), [], "served in the clear"),
    "short_streams": (INGRESS, (*NOTES, f"{NGINX}proxy-read-timeout"), "60", "ends a stream"),
    "buffering": (INGRESS, (*NOTES, f"{NGINX}proxy-buffering"), GONE, "holds back"),
    "small_bodies": (INGRESS, (*NOTES, f"{NGINX}proxy-body-size"), "1m", "is not 256m"),
    "lost_spool": (SETTINGS, ("data", "MORROW_SPOOL_BYTES"), "1000000", "lost with the pod"),
    # resources
    "no_limit": (API, (*ONE, "resources", "limits", "memory"), GONE, "memory is not both"),
    "no_request": (API, (*ONE, "resources", "requests", "cpu"), GONE, "cpu is not both"),
    "turned_round": (API, (*ONE, "resources", "requests", "cpu"), "2500m", "2500m is requested"),
    "moving_tag": (API, (*ONE, "image"), "morrow:latest", "image morrow:latest"),
    "no_tag": (WORKER, (*ONE, "image"), "morrow", "image morrow is neither"),
    "nodes_cores": (SETTINGS, ("data", "MORROW_WORKERS"), GONE, "takes the node's cores"),
    "few_cores": (SETTINGS, ("data", "MORROW_WORKERS"), "4", "4 children, and 3 cores"),
    "little_memory": (WORKER, (*ONE, "resources", "limits", "memory"), "1000Mi", "2 children need"),
    "small_limit": (
        *(BACKUP, (*DURING, "resources", "limits", "ephemeral-storage"), "9Gi"),
        "volume tmp: 10Gi, and 9Gi is the limit",
    ),
    "any_size": (CHECK, (*IN_RUN, "volumes", 0, "emptyDir"), {}, "volume tmp has no sizeLimit"),
    # what comes again, as far as it is not looked at as any other
    "cron_field": (BACKUP, ("spec", "every"), "day", "Additional properties"),
    "cron_writable": (
        BACKUP,
        (*DURING, "securityContext", "readOnlyRootFilesystem"),
        False,
        "CronJob/backup: backup: readOnlyRootFilesystem",
    ),
    "cron_token": (CHECK, (*IN_RUN, "automountServiceAccountToken"), GONE, "automountService"),
    "cron_account": (BACKUP, (*IN_RUN, "serviceAccountName"), "api2", "no ServiceAccount/api2"),
    "cron_volume": (BACKUP, (*IN_RUN, "volumes"), [], "no volume tmp"),
    "cron_image": (CHECK, (*DURING, "image"), "morrow:latest", "image morrow:latest"),
    "cron_limit": (BACKUP, (*DURING, "resources", "limits", "cpu"), GONE, "cpu is not both"),
    "cron_option": (BACKUP, (*DURING, "args", 1), "--keeep", "morrow backup has no option --keeep"),
    "no_database": (BACKUP, (*DURING, "env"), [], "MORROW_DATABASE_URL is not set"),
    "no_place": (
        *(SETTINGS, ("data", "MORROW_BACKUP_PLACE"), GONE),
        "morrow restore is not told MORROW_BACKUP_PLACE",
    ),
    "said_in_clear": (
        BACKUP,
        (*DURING, "env", 0),
        {"name": "MORROW_DATABASE_URL", "value": "postgresql://a@b/c"},
        "MORROW_DATABASE_URL is not of a Secret",
    ),
    "at_no_time": (BACKUP, ("spec", "schedule"), "17 2 * *", "has not five fields"),
    "at_no_hour": (BACKUP, ("spec", "schedule"), "17 24 * * *", "24 is no hour"),
    "backwards": (BACKUP, ("spec", "schedule"), "17 5-2 * * *", "5-2 is no hour"),
    "no_step": (BACKUP, ("spec", "schedule"), "*/0 2 * * *", "*/0 is no minute"),
    "anybodys_time": (BACKUP, ("spec", "timeZone"), GONE, "timeZone is not set"),
    "suspended": (CHECK, ("spec", "suspend"), True, "it is suspended"),
    "over_itself": (BACKUP, ("spec", "concurrencyPolicy"), "Replace", "is not Forbid"),
    "never_late": (BACKUP, ("spec", "startingDeadlineSeconds"), 5, "startingDeadlineSeconds is 5"),
    "no_log": (BACKUP, ("spec", "failedJobsHistoryLimit"), 0, "failedJobsHistoryLimit keeps no"),
    "for_ever": (CHECK, (*RUN, "activeDeadlineSeconds"), GONE, "hangs does so for ever"),
    "too_long": (BACKUP, (*RUN, "activeDeadlineSeconds"), 72001, "a backup gives up before"),
    "into_the_next": (CHECK, (*RUN, "activeDeadlineSeconds"), 83000, "until the next day's"),
    "seven_pods": (BACKUP, (*RUN, "backoffLimit"), GONE, "backoffLimit is not set"),
    "lost_log": (CHECK, (*IN_RUN, "restartPolicy"), "OnFailure", "restartPolicy is not Never"),
    "job_for_ever": (
        *(("Job", "migrate"), ("spec", "activeDeadlineSeconds"), GONE),
        "Job/migrate: activeDeadlineSeconds",
    ),
    # a Ray cluster, as far as it is not looked at as any other
    "ray_field": (RAY, ("spec", "headGroup"), {}, "Additional properties"),
    "ray_pod_field": (RAY, (*ON_NODE, "port"), 1, "ray-node: spec.containers.0: Additional"),
    "ray_root": (RAY, (*ON_HEAD, "securityContext"), {}, "ray: allowPrivilegeEscalation"),
    "ray_account": (RAY, (*HEAD, *POD[1:], "serviceAccountName"), "r", "no ServiceAccount/r"),
    "ray_limit": (RAY, (*ON_NODE, "resources", "limits"), {}, "cpu is not both"),
    "ray_memory": (
        RAY,
        (*NODES, *POD[1:], "volumes", 1, "emptyDir", "sizeLimit"),
        "4Gi",
        "volume shared-mem: 4Gi, and 3Gi is the limit",
    ),
    "ray_autoscaler": (RAY, ("spec", "enableInTreeAutoscaling"), True, "call the Kubernetes API"),
    "ray_ingress": (RAY, (*HEAD, "enableIngress"), True, "shown to the world"),
    "ray_balancer": (RAY, (*HEAD, "serviceType"), "LoadBalancer", "shown to the world"),
    "ray_head_works": (RAY, (*HEAD, "rayStartParams", "num-cpus"), "1", "the head takes work"),
    "ray_width": (RAY, (*NODES, "rayStartParams", "num-cpus"), GONE, "num-cpus is not said"),
    "ray_replicas": (RAY, (*NODES, "replicas"), 21, "not between minReplicas and maxReplicas"),
    "ray_wget": (RAY, (*ON_NODE, "livenessProbe"), GONE, "livenessProbe asks no port"),
    "ray_own_entry": (RAY, (*ON_NODE, "args"), ["--verbose"], "in the place of KubeRay's"),
    "ray_open": (RAY, (*ON_HEAD, "env", 0, "value"), "disabled", "RAY_AUTH_MODE is not token"),
    "ray_token_said": (
        *(RAY, (*ON_NODE, "env", 1), {"name": "RAY_AUTH_TOKEN", "value": "q8Zt2mWv5nXc7bLk"}),
        "ray-node: RAY_AUTH_TOKEN is not of a Secret",
    ),
    "ray_no_token": (WORKER, (*ONE, "env", 0), GONE, "workers: RAY_AUTH_MODE is not token"),
    "ray_image": (WORKER, (*ONE, "image"), "morrow:0.1.0", "and workers morrow:0.1.0"),
    "ray_address": (
        *(SETTINGS, ("data", "MORROW_RAY_ADDRESS"), "ray://ray-head-svc:6379"),
        "and it is ray://ray-head-svc:10001",
    ),
    "ray_any_client": (
        *(("NetworkPolicy", "ray-clients"), ("spec", "ingress", 0, "from"), []),
        "allow stranger -> ray-head 10001/TCP, which",
    ),
    "ray_any_neighbour": (
        *(("NetworkPolicy", "ray"), ("spec", "egress", 0, "to"), []),
        "allow ray-node -> internet 8000/TCP, which",
    ),
    # alerts
    "rule_field": (RULES, (*RULE, "annotation"), {}, "Additional properties"),
    "rule_unmeasured": (
        *(RULES, (*RULE, "expr"), "morrow_listners_up == 0"),
        "MorrowApiGone: nothing measures morrow_listners_up",
    ),
    "rule_of_no_cron": (
        *(RULES, (*RULE, "expr"), 'time() - kube_cronjob_created{cronjob="backups"} > 1'),
        "MorrowApiGone: there is no CronJob/backups",
    ),
    "rule_of_elsewhere": (
        *(RULES, (*RULE, "expr"), 'kube_cronjob_created{namespace="tomorrow"} > 1'),
        "MorrowApiGone: there is no Namespace/tomorrow",
    ),
    "not_missed": (RULES, ("spec", "groups", 1), GONE, "CronJob/backup: no alert tells"),
    # network
    "check_reaches_the_database": (
        ("NetworkPolicy", "backup-database"),
        ("spec", "podSelector", "matchLabels"),
        {"app.kubernetes.io/name": "morrow"},
        "allow restore-check -> database 5432/TCP, which",
    ),
    "open_again": (
        *(("NetworkPolicy", "default-deny"), ("spec", "policyTypes"), ["Ingress"]),
        "allow unlabelled -> internet 443/TCP, which",
    ),
    "any_caller": (
        *(("NetworkPolicy", "api"), ("spec", "ingress", 0, "from"), []),
        "allow stranger -> api 8000/TCP, which",
    ),
    "no_caller": (
        *(("NetworkPolicy", "api"), ("spec", "ingress"), []),
        "do not allow controller -> api 8000/TCP, which",
    ),
    "metadata": (
        *(("NetworkPolicy", "internet"), ("spec", "egress", 0, "to", 0, "ipBlock", "except", 4)),
        *("192.0.2.0/24", "allow api -> metadata 80/TCP, which"),
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_fault_is_told(plant: str) -> None:
    (kind, name), path, value, words = PLANTS[plant]
    overlay = "elastic" if kind == "ScaledObject" else "production"
    overlay = "cluster" if plant.startswith("ray_") else overlay
    told = faults(planted(rendered(overlay), kind, name, path, value))
    assert any(words in line for line in told), told


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("NetworkPolicy", "default-deny", "allow stranger -> migrate 22/TCP, which"),
        ("NetworkPolicy", "names", "do not allow api -> dns 53/UDP, which"),
        ("NetworkPolicy", "backup-storage", "do not allow backup -> internet 443/TCP, which"),
        ("NetworkPolicy", "backup-database", "do not allow backup -> database 5432/TCP, which"),
        ("ServiceAccount", "restore-check", "there is no ServiceAccount/restore-check"),
        ("NetworkPolicy", "metrics", "do not allow prometheus -> worker 9464/TCP, which"),
        ("ServiceAccount", "migrate", "there is no ServiceAccount/migrate"),
        ("Deployment", "api", "Service/api: selects no pod"),
    ],
)
def test_what_is_missing_is_told(kind: str, name: str, words: str) -> None:
    told = faults(without(rendered("production"), kind, name))
    assert any(words in line for line in told), told


@pytest.mark.parametrize(
    ("quantity", "number"),
    [("250m", "0.25"), ("2", "2"), ("1.5", "1.5"), ("1Ki", "1024"), ("2Gi", str(2**31))],
)
def test_quantities_are_read_as_kubernetes_does(quantity: str, number: str) -> None:
    assert str(amount(quantity).normalize()) == str(amount(number).normalize())


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="no quantity"):
        amount("2 GB")
