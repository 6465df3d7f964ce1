# Makes nothing: says in Kubernetes' words what the other modules made, so that nobody copies ids by hand.

locals {
  manifests = [
    {
      apiVersion = "v1"
      kind       = "Namespace"
      metadata = {
        name   = var.namespace
        labels = { "pod-security.kubernetes.io/enforce" = "restricted" }
      }
    },
    # The deployment's role is in this group: admin of the one namespace, and of what the charts make beside core kinds.
    {
      apiVersion = "rbac.authorization.k8s.io/v1"
      kind       = "RoleBinding"
      metadata   = { name = "aiops-deployers", namespace = var.namespace }
      roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "ClusterRole", name = "admin" }
      subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "aiops-deployers" }]
    },
    {
      apiVersion = "rbac.authorization.k8s.io/v1"
      kind       = "Role"
      metadata   = { name = "aiops-deployers", namespace = var.namespace }
      rules = [
        {
          apiGroups = ["argoproj.io"]
          resources = ["analysisruns", "analysistemplates", "rollouts", "rollouts/status"]
          verbs     = ["create", "delete", "get", "list", "patch", "update", "watch"]
        },
        {
          apiGroups = ["external-secrets.io", "monitoring.coreos.com"]
          resources = ["externalsecrets", "prometheusrules", "servicemonitors"]
          verbs     = ["create", "delete", "get", "list", "patch", "update", "watch"]
        },
      ]
    },
    {
      apiVersion = "rbac.authorization.k8s.io/v1"
      kind       = "RoleBinding"
      metadata   = { name = "aiops-deployers-own-kinds", namespace = var.namespace }
      roleRef    = { apiGroup = "rbac.authorization.k8s.io", kind = "Role", name = "aiops-deployers" }
      subjects   = [{ apiGroup = "rbac.authorization.k8s.io", kind = "Group", name = "aiops-deployers" }]
    },
    {
      apiVersion = "v1"
      kind       = "ServiceAccount"
      metadata = {
        name        = var.secrets_service_account
        namespace   = var.namespace
        annotations = { "eks.amazonaws.com/role-arn" = var.external_secrets_role_arn }
      }
    },
    {
      apiVersion = "external-secrets.io/v1"
      kind       = "SecretStore"
      metadata   = { name = "aiops", namespace = var.namespace }
      spec = {
        provider = {
          aws = {
            service = "SecretsManager"
            region  = var.region
            auth    = { jwt = { serviceAccountRef = { name = var.secrets_service_account } } }
          }
        }
      }
    },
    {
      apiVersion           = "storage.k8s.io/v1"
      kind                 = "StorageClass"
      metadata             = { name = "gp3" }
      provisioner          = "ebs.csi.aws.com"
      parameters           = { type = "gp3", encrypted = "true" }
      reclaimPolicy        = "Retain"
      volumeBindingMode    = "WaitForFirstConsumer"
      allowVolumeExpansion = true
    },
    # Fargate's log router reads its configuration from this namespace and this name.
    {
      apiVersion = "v1"
      kind       = "Namespace"
      metadata = {
        name   = "aws-observability"
        labels = { "aws-observability" = "enabled" }
      }
    },
    {
      apiVersion = "v1"
      kind       = "ConfigMap"
      metadata   = { name = "aws-logging", namespace = "aws-observability" }
      data = {
        "output.conf" = join("\n", [
          "[OUTPUT]",
          "    Name cloudwatch_logs",
          "    Match *",
          "    region ${var.region}",
          "    log_group_name ${var.pod_log_group}",
          "    log_stream_prefix pod-",
          "    auto_create_group false",
          "",
        ])
      }
    },
  ]
}
